//! A table: its columns, the order its segments are sorted by, and its Arrow schemas.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use super::column::Column;
use crate::ids::TableId;

/// Definition of a stored table.
#[derive(Debug, Clone, Copy)]
pub struct TableDef {
    /// Which table.
    pub id: TableId,
    /// Stored columns. The first is always the time that rows are ordered by; the others have the order of `SELECT *`.
    pub columns: &'static [Column],
    /// Position of the time in `SELECT *`.
    pub time_position: usize,
    /// Column that comes between the 5-minute bucket and the time in the sort order of segments.
    pub cluster_column: &'static str,
    /// One sentence for people.
    pub doc: &'static str,
}

impl TableDef {
    /// Name of the column that rows are ordered by and pruned by.
    #[must_use]
    pub fn time_column(&self) -> &'static str {
        self.columns.first().map_or("", |column| column.name)
    }

    /// The column called `name`, case-sensitive.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&'static Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Position of the column called `name`.
    #[must_use]
    pub fn index_of(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Schema of the batches that ingest hands over.
    #[must_use]
    pub fn write_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(
            self.columns
                .iter()
                .map(Column::write_field)
                .collect::<Vec<_>>(),
        ))
    }

    /// Schema of a scan of all columns.
    #[must_use]
    pub fn read_schema(&self) -> SchemaRef {
        Arc::new(Schema::new(
            self.columns
                .iter()
                .map(Column::read_field)
                .collect::<Vec<_>>(),
        ))
    }
}
