//! What all units of a scan share: the table, what to return, and the conditions, cheapest columns first.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;

use super::condition::Condition;
use super::evaluate::Columns;
use super::kernel_error;
use super::operand::{Operand, into_read_form, operand};
use super::request::ScanRequest;
use crate::error::{Error, Result};
use crate::predicate::ScanColumn;
use crate::schema::{ColumnKind, TableDef};

/// The shared part of a scan.
#[derive(Debug)]
pub(super) struct ScanJob {
    pub(super) table: &'static TableDef,
    pub(super) projection: Vec<ScanColumn>,
    pub(super) schema: SchemaRef,
    /// All of them have to hold; ordered by [`cost`].
    pub(super) conjuncts: Vec<Condition>,
}

/// What it costs to read the columns of a condition. Conditions of one cost are read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cost {
    /// A few bytes a row.
    Small,
    /// Ids: 8 or 16 bytes a row.
    Id,
    /// Texts and maps.
    Large,
}

impl ScanJob {
    pub(super) fn new(request: &ScanRequest) -> Result<Self> {
        let table = TableDef::of(request.table);
        let mut conjuncts = Condition::compile(table, &request.predicate)?.conjuncts();
        conjuncts.sort_by_key(|conjunct| cost(table, conjunct));
        Ok(Self {
            table,
            projection: request.projection.clone(),
            schema: request.schema()?,
            conjuncts,
        })
    }

    /// Position of the stored column behind `column`.
    pub(super) fn source(&self, column: &ScanColumn) -> Result<usize> {
        self.table
            .index_of(column.source())
            .ok_or_else(|| Error::Internal {
                what: format!("column `{column}` vanished from `{}`", self.table.id),
            })
    }

    /// A result batch from the arrays of the stored columns.
    pub(super) fn assemble(
        &self,
        rows: usize,
        array_of: impl Fn(&ScanColumn) -> Result<ArrayRef>,
    ) -> Result<RecordBatch> {
        let arrays = self
            .projection
            .iter()
            .map(|column| into_read_form(column, &array_of(column)?))
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| kernel_error("assembling a batch", source))
    }
}

pub(super) fn cost(table: &TableDef, condition: &Condition) -> Cost {
    let mut highest = Cost::Small;
    condition.for_each_column(&mut |column| {
        let kind = table.column(column.source()).map(|column| column.kind);
        highest = highest.max(match kind {
            Some(
                ColumnKind::Timestamp | ColumnKind::Label | ColumnKind::UInt8 | ColumnKind::UInt64,
            ) => Cost::Small,
            Some(ColumnKind::TraceId | ColumnKind::SpanId) => Cost::Id,
            Some(
                ColumnKind::Text
                | ColumnKind::SharedAttributes
                | ColumnKind::Attributes
                | ColumnKind::TimestampList
                | ColumnKind::LabelList
                | ColumnKind::TextList
                | ColumnKind::AttributesList,
            )
            | None => Cost::Large,
        });
    });
    highest
}

/// A batch whose columns have the names of the stored columns.
#[derive(Debug)]
pub(super) struct NamedBatch<'a>(pub(super) &'a RecordBatch);

impl NamedBatch<'_> {
    pub(super) fn array(&self, column: &ScanColumn) -> Result<&ArrayRef> {
        self.0
            .column_by_name(column.source())
            .ok_or_else(|| Error::Internal {
                what: format!("column `{column}` was not read"),
            })
    }
}

impl Columns for NamedBatch<'_> {
    fn rows(&self) -> usize {
        self.0.num_rows()
    }

    fn operand(&self, column: &ScanColumn) -> Result<Operand> {
        operand(column, self.array(column)?)
    }
}
