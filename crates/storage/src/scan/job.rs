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
        conjuncts.sort_by_key(|conjunct| cost(conjunct, &|column| column_cost(table, column)));
        Ok(Self {
            table,
            projection: request.projection.clone(),
            schema: request.schema()?,
            conjuncts,
        })
    }

    /// A result batch from the values of the projected columns.
    pub(super) fn assemble(
        &self,
        rows: usize,
        values_of: impl Fn(&ScanColumn) -> Result<ArrayRef>,
    ) -> Result<RecordBatch> {
        let arrays = self
            .projection
            .iter()
            .map(values_of)
            .collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
            .map_err(|source| kernel_error("assembling a batch", source))
    }
}

/// What a condition costs: as much as its dearest column.
pub(super) fn cost(condition: &Condition, column_cost: &dyn Fn(&ScanColumn) -> Cost) -> Cost {
    let mut highest = Cost::Small;
    condition.for_each_column(&mut |column| highest = highest.max(column_cost(column)));
    highest
}

/// What it costs to read a column that is stored as it is.
pub(super) fn column_cost(table: &TableDef, column: &ScanColumn) -> Cost {
    match table.column(column.source()).map(|column| column.kind) {
        Some(
            ColumnKind::Timestamp
            | ColumnKind::Seconds
            | ColumnKind::Label
            | ColumnKind::UInt8
            | ColumnKind::UInt64
            | ColumnKind::Number(_),
        ) => Cost::Small,
        Some(ColumnKind::TraceId | ColumnKind::SpanId) => Cost::Id,
        Some(
            ColumnKind::Text
            | ColumnKind::SharedAttributes
            | ColumnKind::Attributes
            | ColumnKind::TimestampList
            | ColumnKind::SecondsList
            | ColumnKind::NumberList(_)
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList,
        )
        | None => Cost::Large,
    }
}

/// A batch in the write form of the table.
#[derive(Debug)]
pub(super) struct NamedBatch<'a>(pub(super) &'a RecordBatch);

impl NamedBatch<'_> {
    /// The values of `column` as a scan returns them, after `select` has chosen among the rows.
    pub(super) fn read(
        &self,
        column: &ScanColumn,
        select: impl FnOnce(&ArrayRef) -> Result<ArrayRef>,
    ) -> Result<ArrayRef> {
        into_read_form(column, &select(self.array(column)?)?)
    }

    fn array(&self, column: &ScanColumn) -> Result<&ArrayRef> {
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
