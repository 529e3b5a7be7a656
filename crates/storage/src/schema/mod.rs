//! The contract that ingest fills and query reads: tables, columns, and the Arrow types of both sides.
//!
//! Ingest hands over *write* types (dictionaries for what repeats); scans return *read* types (text views, rendered
//! ids). The Parquet file has a third form, which only `segment` knows.

mod column;
mod table;
mod tables;

pub use column::{Column, ColumnKind, NumberType, attributes_type, hex_text};
pub use table::TableDef;
