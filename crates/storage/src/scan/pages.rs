//! Which rows of a row group the page index already excludes.

use std::collections::BTreeSet;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::page_index::column_index::{ByteArrayColumnIndex, ColumnIndexMetaData};

use super::condition::Condition;
use super::places::{Place, Places};
use super::prune::{Knowledge, Known, Verdict, judge};
use crate::predicate::ScanColumn;
use crate::schema::{ColumnKind, hex_text};

/// Rows that may meet all of `conjuncts`; none when the index excludes nothing.
pub(super) fn prune_pages<'a>(
    places: &Places<'_>,
    parquet: &ParquetMetaData,
    row_group: usize,
    conjuncts: impl Iterator<Item = &'a Condition>,
) -> Option<BooleanBuffer> {
    let mut kept: Option<BooleanBuffer> = None;
    for conjunct in conjuncts {
        if let Some(rows) = rows_of(places, parquet, row_group, conjunct) {
            kept = Some(kept.map_or_else(|| rows.clone(), |kept| &kept & &rows));
        }
    }
    kept
}

fn rows_of(
    places: &Places<'_>,
    parquet: &ParquetMetaData,
    row_group: usize,
    conjunct: &Condition,
) -> Option<BooleanBuffer> {
    let column = only_column(conjunct)?;
    let (name, holds) = match places.of(column).ok()? {
        Place::Stored(root) => {
            let kind = places.table.columns.get(root)?.kind;
            (places.shape.name(root), Holds::Column(kind))
        }
        Place::Promoted(root) => {
            let holds = match column {
                ScanColumn::MapContains { .. } => Holds::Presence,
                ScanColumn::MapValue { .. } | ScanColumn::Stored(_) => Holds::Values,
            };
            (places.shape.name(root), holds)
        }
        Place::WholeMap(_) | Place::InMap(_) | Place::Absent => return None,
    };
    let group = parquet.row_groups().get(row_group)?;
    let leaf = group
        .columns()
        .iter()
        .position(|chunk| chunk.column_path().parts() == [name.to_owned()])?;
    let index = parquet.column_index()?.get(row_group)?.get(leaf)?;
    let pages = parquet
        .offset_index()?
        .get(row_group)?
        .get(leaf)?
        .page_locations();
    let rows = usize::try_from(group.num_rows()).ok()?;
    let starts = pages
        .iter()
        .map(|page| usize::try_from(page.first_row_index).ok());
    let mut starts = starts.collect::<Option<Vec<_>>>()?;
    starts.push(rows);
    let mut kept = BooleanBufferBuilder::new(rows);
    let mut excluded = false;
    for (page, edges) in starts.windows(2).enumerate() {
        let [start, end] = edges else { continue };
        let keep = judge(conjunct, &PageBounds::of(index, page, holds)) != Verdict::Nothing;
        excluded |= !keep;
        kept.append_n(end.checked_sub(*start)?, keep);
    }
    let kept = kept.finish();
    (excluded && kept.len() == rows).then_some(kept)
}

/// What a condition asks of a root column.
#[derive(Debug, Clone, Copy)]
enum Holds {
    /// Values of a column of the table.
    Column(ColumnKind),
    /// Values of a key; NULL is `''`.
    Values,
    /// Whether a key is there.
    Presence,
}

/// The one column that a condition is about.
fn only_column(condition: &Condition) -> Option<&ScanColumn> {
    let mut columns = BTreeSet::new();
    condition.for_each_column(&mut |column| {
        columns.insert(column);
    });
    let column = columns.pop_first()?;
    columns.is_empty().then_some(column)
}

/// What the column index says of one page.
enum PageBounds {
    Unknown,
    Times(i64, i64),
    Numbers(u64, u64),
    Texts(Vec<u8>, Option<Vec<u8>>),
    Blank,
}

impl PageBounds {
    fn of(index: &ColumnIndexMetaData, page: usize, holds: Holds) -> Self {
        let kind = match (holds, index) {
            (Holds::Column(kind), _) => kind,
            (Holds::Values, ColumnIndexMetaData::BYTE_ARRAY(index)) => {
                return Self::of_key(index, page).unwrap_or(Self::Unknown);
            }
            (Holds::Presence, ColumnIndexMetaData::BYTE_ARRAY(index)) => {
                return Self::of_presence(index, page);
            }
            (Holds::Values | Holds::Presence, _) => return Self::Unknown,
        };
        let bounds = match (index, kind) {
            (ColumnIndexMetaData::INT64(index), ColumnKind::Timestamp | ColumnKind::Seconds) => {
                index
                    .min_value(page)
                    .zip(index.max_value(page))
                    .map(|(min, max)| Self::Times(*min, *max))
            }
            (ColumnIndexMetaData::INT64(index), ColumnKind::UInt64) => index
                .min_value(page)
                .zip(index.max_value(page))
                .map(|(min, max)| Self::Numbers(min.cast_unsigned(), max.cast_unsigned())),
            (ColumnIndexMetaData::INT32(index), ColumnKind::UInt8) => index
                .min_value(page)
                .zip(index.max_value(page))
                .and_then(|(min, max)| {
                    let (min, max) = (u64::try_from(*min).ok()?, u64::try_from(*max).ok()?);
                    Some(Self::Numbers(min, max))
                }),
            (ColumnIndexMetaData::BYTE_ARRAY(index), ColumnKind::Label) => index
                .min_value(page)
                .map(|min| Self::Texts(min.to_vec(), index.max_value(page).map(<[u8]>::to_vec))),
            (
                ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index),
                ColumnKind::TraceId | ColumnKind::SpanId,
            ) => Self::of_ids(index, page),
            _ => None,
        };
        bounds.unwrap_or(Self::Unknown)
    }

    fn of_key(index: &ByteArrayColumnIndex, page: usize) -> Option<Self> {
        if index.is_null_page(page) {
            return Some(Self::Blank);
        }
        let min = match index.null_count(page) {
            Some(0) => index.min_value(page)?.to_vec(),
            _ => Vec::new(),
        };
        Some(Self::Texts(min, index.max_value(page).map(<[u8]>::to_vec)))
    }

    fn of_presence(index: &ByteArrayColumnIndex, page: usize) -> Self {
        match index.null_count(page) {
            _ if index.is_null_page(page) => Self::Numbers(0, 0),
            Some(0) => Self::Numbers(1, 1),
            _ => Self::Numbers(0, 1),
        }
    }

    fn of_ids(index: &ByteArrayColumnIndex, page: usize) -> Option<Self> {
        if index.is_null_page(page) {
            return Some(Self::Blank);
        }
        let (mut low, mut high) = (String::new(), String::new());
        if index.null_count(page) == Some(0) {
            hex_text(index.min_value(page)?, &mut low);
        }
        hex_text(index.max_value(page)?, &mut high);
        Some(Self::Texts(low.into_bytes(), Some(high.into_bytes())))
    }
}

impl Knowledge for PageBounds {
    fn about(&self, _column: &ScanColumn) -> Known<'_> {
        match self {
            Self::Unknown => Known::Unknown,
            Self::Times(min, max) => Known::Times(*min, *max),
            Self::Numbers(min, max) => Known::Numbers(*min, *max),
            Self::Texts(min, max) => Known::Texts(min, max.as_deref()),
            Self::Blank => Known::Blank,
        }
    }
}
