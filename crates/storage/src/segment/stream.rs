//! All rows of a segment in the order of its file, in the form that the writer takes: what a merge reads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{Field, Schema};

use super::footer::{RowsRead, RowsWanted};
use super::live::LiveSegment;
use super::rebuild::rebuild;
use super::shape::{ReadForm, Shape};
use crate::error::{Error, Result};
use crate::schema::TableDef;

/// Rows of a batch at most: a merge holds one batch of every input.
const BATCH_ROWS: usize = 2_048;

/// A batch is at most this part of a row group, whose bytes are bounded: rows with huge texts come a few at a time.
const GROUP_PARTS: usize = 16;

/// Reads a segment from its first to its last row.
#[derive(Debug)]
pub(crate) struct RowStream {
    segment: Arc<LiveSegment>,
    next_group: usize,
    rows: Option<RowsRead>,
    left: u64,
}

impl RowStream {
    pub(crate) fn new(segment: Arc<LiveSegment>) -> Self {
        let meta = segment.meta();
        Self {
            next_group: 0,
            rows: None,
            left: meta.rows,
            segment,
        }
    }

    /// Rows that are still to come.
    pub(crate) fn rows_left(&self) -> u64 {
        self.left
    }

    /// The next rows, none at the end. Damage is an error, also when rows are missing.
    pub(crate) fn read(&mut self) -> Result<Option<RecordBatch>> {
        // Parquet decoders may panic on bytes that no writer makes.
        let read = catch_unwind(AssertUnwindSafe(|| self.decode()));
        let read = read.unwrap_or_else(|_| Err(self.damaged("decoding it panicked")))?;
        let rows = read.as_ref().map_or(0, RecordBatch::num_rows);
        let left = u64::try_from(rows)
            .ok()
            .and_then(|rows| self.left.checked_sub(rows));
        match (left, &read) {
            (None, _) => Err(self.damaged("it has more rows than were written")),
            (Some(left), None) if left > 0 => Err(self.damaged("rows are missing")),
            (Some(left), _) => {
                self.left = left;
                Ok(read)
            }
        }
    }

    fn decode(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            if let Some(batch) = self.rows.as_mut().and_then(Iterator::next) {
                let footer = self.segment.footer()?;
                return self.whole_rows(footer.shape(), &batch?).map(Some);
            }
            let Some(group) = self.segment.meta().row_groups.get(self.next_group) else {
                return Ok(None);
            };
            let footer = self.segment.footer()?;
            let rows = usize::try_from(group.rows).unwrap_or(usize::MAX);
            let wanted = RowsWanted {
                columns: &(0..footer.shape().root_count()).collect(),
                form: ReadForm::Rewrite,
                row_group: self.next_group,
                mask: None,
                batch_rows: (rows / GROUP_PARTS).clamp(1, BATCH_ROWS),
            };
            self.rows = Some(footer.rows(wanted)?);
            self.next_group += 1;
        }
    }

    /// The columns of the table, maps put together again.
    fn whole_rows(&self, shape: &Shape, batch: &RecordBatch) -> Result<RecordBatch> {
        let table = TableDef::of(self.segment.meta().table);
        let lost = || self.damaged("a column does not have the type that it was written with");
        let mut columns = Vec::with_capacity(table.columns.len());
        for (index, _) in table.columns.iter().enumerate() {
            let root = batch.columns().get(index).ok_or_else(lost)?;
            let promoted = shape
                .promoted(index)
                .map(|(key, at)| {
                    let values = batch.columns().get(at)?;
                    Some((key, values.as_string_view_opt()?))
                })
                .collect::<Option<Vec<_>>>()
                .ok_or_else(lost)?;
            columns.push(match (promoted.is_empty(), root.as_map_opt()) {
                (true, _) => Arc::clone(root),
                (false, Some(rest)) => Arc::new(rebuild(rest, &promoted)?) as ArrayRef,
                (false, None) => return Err(lost()),
            });
        }
        let fields = table.columns.iter().zip(&columns).map(|(column, array)| {
            Field::new(column.name, array.data_type().clone(), column.kind.is_id())
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns).map_err(|source| Error::Arrow {
            what: "putting the rows of a segment together",
            source,
        })
    }

    fn damaged(&self, what: &str) -> Error {
        self.segment.mark_damaged(what.to_owned())
    }
}
