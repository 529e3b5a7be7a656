//! What the WAL keeps of a request, and the door through which replay decodes it again.
//!
//! Storage knows neither OTLP nor JSON: whoever opens the store hands in the decoder.

use std::fmt::Debug;

use arrow::array::RecordBatch;
use bytes::Bytes;

use crate::error::Result;
use crate::ids::{Signal, TableId};
use crate::time::Nanos;

/// How the payload of a record is encoded. The number is on disk: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadEncoding {
    /// OTLP protobuf.
    Protobuf,
    /// OTLP JSON (proto3 JSON mapping).
    Json,
    /// Rows of one table as an Arrow stream.
    Rows,
}

/// How the payload of a record is compressed. The number is on disk: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PayloadCompression {
    /// Not compressed.
    None,
    /// gzip.
    Gzip,
    /// zstd.
    Zstd,
    /// HTTP's `deflate`, which is zlib.
    Deflate,
}

impl PayloadEncoding {
    /// Every encoding, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Protobuf, Self::Json, Self::Rows];

    /// The number that stands for this encoding in a WAL record.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Protobuf => 1,
            Self::Json => 2,
            Self::Rows => 3,
        }
    }

    /// The encoding of an on-disk number; `None` for a number this release does not know.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }
}

impl PayloadCompression {
    /// Every compression, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::None, Self::Gzip, Self::Zstd, Self::Deflate];

    /// The number that stands for this compression in a WAL record.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Gzip => 1,
            Self::Zstd => 2,
            Self::Deflate => 3,
        }
    }

    /// The compression of an on-disk number; `None` for a number this release does not know.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.number() == number)
    }
}

/// One request as it came, enough to decode it again at replay with the same result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawRecord {
    /// What kind of telemetry it carries.
    pub signal: Signal,
    /// How the (decompressed) payload is encoded.
    pub encoding: PayloadEncoding,
    /// How `payload` is compressed.
    pub compression: PayloadCompression,
    /// The decoder's own bits; storage keeps them and never looks inside.
    pub options: u8,
    /// When the request arrived; the time of records that carry none.
    pub received_at: Nanos,
    /// The request body as received.
    pub payload: Bytes,
}

/// Rows of one table on their way in, in the schema [`TableDef::write_schema`](crate::TableDef::write_schema).
#[derive(Debug, Clone)]
pub struct TableBatch {
    /// The table the rows belong to.
    pub table: TableId,
    /// The rows.
    pub rows: RecordBatch,
}

/// Turns a record into rows. Deterministic: the same record always gives the same rows in the same order, because
/// replay after a crash must rebuild what was acknowledged.
pub trait RecordDecoder: Send + Sync + Debug {
    /// The rows of `record`; an error when it cannot be decoded.
    fn decode(&self, record: &RawRecord) -> Result<Vec<TableBatch>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_on_disk_lead_back_to_what_they_stand_for() {
        for encoding in PayloadEncoding::ALL {
            assert_eq!(
                PayloadEncoding::from_number(encoding.number()),
                Some(encoding)
            );
        }
        for compression in PayloadCompression::ALL {
            assert_eq!(
                PayloadCompression::from_number(compression.number()),
                Some(compression)
            );
        }
        assert_eq!(PayloadEncoding::from_number(0), None);
        assert_eq!(PayloadCompression::from_number(99), None);
    }
}
