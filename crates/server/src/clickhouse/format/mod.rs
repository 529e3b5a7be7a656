//! Output formats: ClickHouse's text and binary forms of an answer. Bytes only: no HTTP, no query.

mod arrow_ipc;
mod binary;
mod column;
mod csv;
mod date_time;
mod error;
mod escape;
mod exchange;
mod exported_file;
mod json;
mod json_columns;
mod json_progress;
mod json_rows;
mod json_value;
mod markdown;
mod native;
mod null;
mod number;
mod pretty;
mod row_binary;
mod schema;
mod settings;
mod sql_insert;
mod table;
mod tsv;
mod value;
mod values;
mod vertical;
mod writer;
mod xml;

#[cfg(test)]
mod golden;

pub(crate) use error::FormatError;
use schema::{Header, Schema, is_right_aligned};
pub(crate) use settings::{FormatSettings, Switch};
pub(crate) use table::{Format, PLAIN, format_facts};
pub(crate) use writer::{FormatWriter, Totals};
