//! What a reader asks for: plain data, so that it can travel to another process one day.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use crate::error::{Error, Result};
use crate::ids::TableId;
use crate::predicate::{Predicate, ScanColumn};
use crate::schema::TableDef;

/// A scan of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanRequest {
    /// Which table.
    pub table: TableId,
    /// What to return, in this order. Empty = only row counts.
    pub projection: Vec<ScanColumn>,
    /// Which rows.
    pub predicate: Predicate,
    /// Only the newest or oldest rows.
    pub top: Option<Top>,
}

/// `ORDER BY Timestamp [DESC] LIMIT count`: the scan may leave out every row that cannot be among them. The rows come
/// back in no particular order, and ties at the edge are cut arbitrarily.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// How many rows.
    pub count: usize,
    /// Newest (true) or oldest first.
    pub newest: bool,
}

impl ScanRequest {
    /// Schema of the batches that the scan returns.
    ///
    /// # Errors
    /// [`Error::Invalid`] when a column does not exist or is not a map.
    pub fn schema(&self) -> Result<SchemaRef> {
        let table = TableDef::of(self.table);
        let fields = self
            .projection
            .iter()
            .map(|column| read_field(table, column))
            .collect::<Result<Vec<_>>>()?;
        Ok(Arc::new(Schema::new(fields)))
    }
}

/// Field that a scan returns for `column`.
///
/// # Errors
/// [`Error::Invalid`] when the column does not exist or is not a map.
pub fn read_field(table: &TableDef, column: &ScanColumn) -> Result<Field> {
    let stored = table.column(column.source()).ok_or_else(|| {
        Error::Invalid(format!(
            "table `{}` has no column `{}`",
            table.id,
            column.source()
        ))
    })?;
    let looked_up = match column {
        ScanColumn::Stored(_) => return Ok(stored.read_field()),
        ScanColumn::MapValue { .. } => DataType::Utf8View,
        ScanColumn::MapContains { .. } => DataType::Boolean,
    };
    if !stored.kind.is_map() {
        return Err(Error::Invalid(format!(
            "column `{}` is not a map",
            stored.name
        )));
    }
    Ok(Field::new(column.to_string(), looked_up, false))
}
