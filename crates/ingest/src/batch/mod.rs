//! Column builders: raw bytes in, Arrow arrays of the tables' write types out.
//!
//! Text is copied unchecked and its UTF-8 is verified once per column at the end; only a column
//! that holds an invalid string is gone through value by value and repaired. Nothing here knows
//! OTLP.

mod attributes;
mod id;
mod label;
mod list;
mod text;

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampNanosecondArray};
use arrow::datatypes::{DataType, Field};

pub(crate) use attributes::{AttributesColumn, SharedAttributesColumn};
pub(crate) use id::IdColumn;
pub(crate) use label::LabelColumn;
pub(crate) use list::{ListOffsets, list_array};
pub(crate) use text::TextColumn;

use crate::error::Result;
use cairn_storage::{TableBatch, TableDef, TableId};

/// Timestamps in nanoseconds, UTC.
pub(crate) fn timestamps(nanos: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(nanos).with_timezone("UTC"))
}

/// The batch of `table` made of `columns`, which stand in the table's order.
pub(crate) fn table_batch(table: TableId, columns: Vec<ArrayRef>) -> Result<TableBatch> {
    let schema = TableDef::of(table).write_schema();
    Ok(TableBatch {
        table,
        rows: RecordBatch::try_new(schema, columns)?,
    })
}

/// The item field of a list column of `kind`'s write type.
pub(crate) fn list_item(list_type: &DataType) -> Option<Arc<Field>> {
    if let DataType::List(item) = list_type {
        Some(Arc::clone(item))
    } else {
        None
    }
}
