//! Columns of a scan: what storage returns, what SQL computes with, and the conversion from one to the other.

use std::sync::Arc;

use cairn_storage::{ColumnKind, NANOS_PER_SECOND, ScanColumn, TableDef, TableId};
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, RecordBatch, RecordBatchOptions, UInt32Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampNanosecondType};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;

use crate::catalog::number_type;
use crate::types::Type;

/// Every column a scan of `table` can have: the stored ones, then those of `looked_up` that are looked up in maps.
pub(super) fn scan_columns(table: TableId, looked_up: &[ScanColumn]) -> Vec<ScanColumn> {
    let stored = TableDef::of(table).columns.iter();
    let mut columns: Vec<_> = stored
        .map(|column| ScanColumn::stored(column.name))
        .collect();
    for column in looked_up {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns
}

/// The schema that plans see.
pub(super) fn plan_schema(table: TableId, columns: &[ScanColumn]) -> SchemaRef {
    let table = TableDef::of(table);
    let fields: Vec<_> = columns
        .iter()
        .map(|column| Field::new(column.to_string(), plan_type(table, column), false))
        .collect();
    Arc::new(Schema::new(fields))
}

fn plan_type(table: &TableDef, column: &ScanColumn) -> DataType {
    let stored = table.column(column.source()).map(|column| column.kind);
    match (column, stored) {
        (ScanColumn::Stored(_), Some(kind)) => sql_type(kind).arrow(),
        (ScanColumn::MapContains { .. }, _) => DataType::Boolean,
        (ScanColumn::MapValue { .. } | ScanColumn::Stored(_), _) => Type::String.arrow(),
    }
}

fn sql_type(kind: ColumnKind) -> Type {
    let text = || Box::new(Type::String);
    let map = || Type::Map(text(), text());
    match kind {
        ColumnKind::Timestamp => Type::DateTime64(9, None),
        ColumnKind::Seconds => Type::DateTime(None),
        ColumnKind::TraceId | ColumnKind::SpanId | ColumnKind::Label | ColumnKind::Text => {
            Type::String
        }
        ColumnKind::UInt8 => Type::UInt8,
        ColumnKind::UInt64 => Type::UInt64,
        ColumnKind::Number(number) => number_type(number),
        ColumnKind::SharedAttributes | ColumnKind::Attributes => map(),
        ColumnKind::TimestampList => Type::Array(Box::new(Type::DateTime64(9, None))),
        ColumnKind::SecondsList => Type::Array(Box::new(Type::DateTime(None))),
        ColumnKind::NumberList(number) => Type::Array(Box::new(number_type(number))),
        ColumnKind::LabelList | ColumnKind::TextList => Type::Array(text()),
        ColumnKind::AttributesList => Type::Array(Box::new(map())),
    }
}

/// A batch of storage with the physical types of `schema`.
pub(super) fn to_plan_types(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| to_type(column, field.data_type()))
        .collect::<Result<Vec<_>>>()?;
    let rows = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    Ok(RecordBatch::try_new_with_options(
        Arc::clone(schema),
        columns,
        &rows,
    )?)
}

fn to_type(column: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if column.data_type() == to {
        return Ok(Arc::clone(column));
    }
    match (column.data_type(), to) {
        (DataType::Timestamp(..), DataType::UInt32) => seconds(column),
        (DataType::List(_), DataType::List(item)) => {
            let lists = column.as_list::<i32>();
            let items = to_type(lists.values(), item.data_type())?;
            let lists = ListArray::try_new(
                Arc::clone(item),
                lists.offsets().clone(),
                items,
                lists.nulls().cloned(),
            )?;
            Ok(Arc::new(lists))
        }
        _ => Ok(cast(column, to)?),
    }
}

/// Times as `DateTime`. Storage keeps only whole seconds that it can hold in columns that become one.
fn seconds(column: &ArrayRef) -> Result<ArrayRef> {
    let nanos = column
        .as_primitive_opt::<TimestampNanosecondType>()
        .ok_or_else(|| internal_datafusion_err!("a time is not in nanoseconds"))?;
    let seconds: UInt32Array =
        nanos.unary(|nanos| u32::try_from(nanos / NANOS_PER_SECOND).unwrap_or(u32::MAX));
    Ok(Arc::new(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_column_can_be_cast_to_its_plan_type() {
        for table in TableId::ALL {
            let columns = scan_columns(table, &[]);
            let schema = plan_schema(table, &columns);
            let empty = RecordBatch::new_empty(TableDef::of(table).read_schema());
            let batch = to_plan_types(&empty, &schema).unwrap();
            assert_eq!(batch.schema(), schema);
        }
    }
}
