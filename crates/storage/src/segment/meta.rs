//! What the manifest remembers of a segment: enough to plan a scan without opening the file, and to prove that the
//! file is the one that was written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ids::{SegmentId, TableId, WalSeq};
use crate::time::{Nanos, TimeRange};

/// Format version that this release writes: keys of attributes have columns of their own, shared sets are texts. In
/// version 0 attributes were plain Parquet maps; a file says itself which of its columns are which.
pub(super) const SEGMENT_FORMAT: u16 = 1;

/// Bytes that one checksum of a segment file covers.
pub(super) const CHECKSUM_BLOCK_BYTES: u64 = 256 * 1024;

/// Most distinct values of a label column that the statistics list.
pub(super) const MAX_LISTED_LABELS: usize = 64;

/// Most distinct keys of a map column that the statistics list.
pub(super) const MAX_LISTED_KEYS: usize = 512;

/// Longest text in the statistics, in bytes; longer values become bounds that still hold.
pub(super) const MAX_BOUND_BYTES: usize = 64;

/// One immutable segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentMeta {
    /// Its name.
    pub id: SegmentId,
    /// Whose rows it holds.
    pub table: TableId,
    /// Layout of the file.
    pub format: u16,
    /// How often its rows were merged.
    pub level: u8,
    /// UTC day (0 = 1970-01-01) that all its rows lie in.
    pub day: i64,
    /// Number of rows.
    pub rows: u64,
    /// Size of the file.
    pub file_bytes: u64,
    /// Exact time of the first and the last row.
    pub time: TimeRange,
    /// First WAL record that it holds rows of.
    pub first_seq: WalSeq,
    /// Last WAL record that it holds rows of.
    pub last_seq: WalSeq,
    /// When it was written.
    pub created_at: Nanos,
    /// Statistics over all rows, by column name.
    pub columns: BTreeMap<String, ColumnStats>,
    /// The row groups, in file order.
    pub row_groups: Vec<RowGroupMeta>,
    /// CRC32C of each block of `CHECKSUM_BLOCK_BYTES` of the file; the last block may be short.
    #[serde(with = "checksum_text")]
    pub block_checksums: Vec<u32>,
}

/// One row group of a segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowGroupMeta {
    /// Number of rows.
    pub rows: u64,
    /// Exact time of the first and the last row.
    pub time: TimeRange,
    /// Statistics over its rows, by column name.
    pub columns: BTreeMap<String, ColumnStats>,
}

/// What is known of the values of a column, as SQL reads them (an absent id is `''`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColumnStats {
    /// Bounds of a number.
    Numbers {
        /// Smallest value.
        min: u64,
        /// Largest value.
        max: u64,
    },
    /// Bounds of a text. No value is below `min` or above `max`; both may be cut or rounded.
    Text {
        /// Lower bound.
        min: String,
        /// Upper bound; none when it would be too long.
        max: Option<String>,
    },
    /// Exactly these values occur, sorted.
    Labels(Vec<String>),
    /// Exactly these keys occur in the map, sorted.
    Keys(Vec<String>),
    /// Exactly these keys occur in the map, each in so many rows.
    KeyRows(BTreeMap<String, u64>),
}

/// Checksums as one hex string: a fifth of the size of a list of numbers in the manifest.
mod checksum_text {
    use std::fmt::Write as _;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(sums: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(sums.len().saturating_mul(8));
        for sum in sums {
            write!(text, "{sum:08x}").map_err(serde::ser::Error::custom)?;
        }
        serializer.serialize_str(&text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u32>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.as_bytes()
            .chunks(8)
            .map(|digits| {
                std::str::from_utf8(digits)
                    .ok()
                    .filter(|digits| digits.len() == 8)
                    .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                    .ok_or_else(|| serde::de::Error::custom("a checksum is not 8 hex digits"))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_round_trips_through_json() {
        let time = TimeRange {
            min: Nanos(5),
            max: Nanos(9),
        };
        let columns = BTreeMap::from([
            (
                "N".to_owned(),
                ColumnStats::Numbers {
                    min: 0,
                    max: u64::MAX,
                },
            ),
            (
                "L".to_owned(),
                ColumnStats::Labels(vec!["a".to_owned(), "é".to_owned()]),
            ),
            (
                "T".to_owned(),
                ColumnStats::Text {
                    min: String::new(),
                    max: None,
                },
            ),
        ]);
        let meta = SegmentMeta {
            id: SegmentId::generate(),
            table: TableId::Traces,
            format: SEGMENT_FORMAT,
            level: 0,
            day: 3,
            rows: 7,
            file_bytes: 11,
            time,
            first_seq: WalSeq(1),
            last_seq: WalSeq(u64::MAX),
            created_at: Nanos(1),
            columns: columns.clone(),
            row_groups: vec![RowGroupMeta {
                rows: 7,
                time,
                columns,
            }],
            block_checksums: vec![0, 1, u32::MAX],
        };
        let text = serde_json::to_string(&meta).unwrap();
        assert_eq!(serde_json::from_str::<SegmentMeta>(&text).unwrap(), meta);
        let broken = text.replace("ffffffff", "xfffffff");
        assert!(serde_json::from_str::<SegmentMeta>(&broken).is_err());
    }
}
