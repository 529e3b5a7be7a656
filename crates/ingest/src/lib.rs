//! OTLP in, columns out.
//!
//! A [`Decoder`] turns one OTLP request, protobuf or JSON, compressed or not, into record batches
//! of the tables in `cairn_storage`. It walks the encoded bytes straight into column builders: no
//! message objects, no copy of a string other than the one into its column. [`Admission`] bounds
//! the bytes in flight.
//!
//! ```text
//! payload ─ encoding ─▶ bytes ─ otlp ─▶ fields ─ logs, traces, metrics ─▶ batch ─▶ Arrow columns
//!           gzip, zstd,        JSON becomes        the mapping                 builders
//!           deflate            protobuf first
//! ```
//!
//! Decoding is deterministic: the write-ahead log keeps requests as they came and replays them
//! through the same decoder.
#![deny(clippy::indexing_slicing)]

mod admit;
mod attributes;
mod batch;
mod decoder;
mod encoding;
mod error;
mod ids;
mod limits;
mod logs;
mod metrics;
mod notes;
mod otlp;
mod rows;
#[cfg(test)]
mod test_rows;
mod time;
mod traces;

pub use admit::{Admission, Permit, admission_bytes};
pub use decoder::{Decoded, Decoder, DecoderConfig};
pub use encoding::{compression_of_content_encoding, encoding_of_content_type};
pub use error::IngestError;
pub use limits::{MAX_DECODED_BYTES, MAX_RECORDS_PER_REQUEST, MAX_REQUEST_BYTES};
pub use notes::Notes;
pub use rows::rows_record;
