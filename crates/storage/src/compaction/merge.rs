//! Rows of several sorted inputs, in one order, a piece at a time.
//!
//! Each piece is everything up to the smallest of the inputs' last loaded keys: nothing that is loaded later can come
//! before it. The writer sorts inside the piece, so keys are compared a handful of times a piece, not once a row.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::error::Result;
use crate::schema::TableDef;
use crate::segment::{LiveSegment, RowKey, RowKeys, RowStream};

/// Rows that come next. Among themselves they are in no order.
#[derive(Debug, Default)]
pub(super) struct Piece {
    pub(super) batches: Vec<RecordBatch>,
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Piece {
    fn take(&mut self, input: &mut Input, rows: usize) {
        if rows == 0 {
            return;
        }
        let Some(batch) = input.loaded.take() else {
            return;
        };
        self.batches.push(batch.slice(0, rows));
        self.rows += rows;
        self.bytes += rows.saturating_mul(input.row_bytes);
        let left = batch.num_rows().saturating_sub(rows);
        if left > 0 {
            input.loaded = Some(batch.slice(rows, left));
        }
    }

    /// Memory of a row, on average.
    pub(super) fn row_bytes(&self) -> usize {
        self.bytes.checked_div(self.rows).unwrap_or_default()
    }
}

#[derive(Debug)]
struct Input {
    stream: RowStream,
    /// Loaded and not yet taken.
    loaded: Option<RecordBatch>,
    /// Memory of a loaded row.
    row_bytes: usize,
}

/// The inputs of a merge.
#[derive(Debug)]
pub(super) struct Inputs {
    table: &'static TableDef,
    inputs: Vec<Input>,
}

impl Inputs {
    pub(super) fn new(table: &'static TableDef, segments: &[Arc<LiveSegment>]) -> Self {
        let inputs = segments.iter().map(|segment| Input {
            stream: RowStream::new(Arc::clone(segment)),
            loaded: None,
            row_bytes: 0,
        });
        Self {
            table,
            inputs: inputs.collect(),
        }
    }

    /// Adds the next rows to `piece`; false at the end.
    pub(super) fn read(&mut self, piece: &mut Piece) -> Result<bool> {
        for input in self
            .inputs
            .iter_mut()
            .filter(|input| input.loaded.is_none())
        {
            input.loaded = input.stream.read()?;
            if let Some(batch) = &input.loaded {
                let rows = batch.num_rows().max(1);
                input.row_bytes = batch.get_array_memory_size() / rows;
            }
        }
        let taken = self.rows_through_bound()?;
        let before = piece.rows;
        for (input, rows) in self.inputs.iter_mut().zip(taken) {
            piece.take(input, rows);
        }
        Ok(piece.rows > before)
    }

    /// Of each input, how many loaded rows cannot be preceded by any that is not loaded yet.
    fn rows_through_bound(&self) -> Result<Vec<usize>> {
        let mut keys = Vec::with_capacity(self.inputs.len());
        let mut bound: Option<RowKey<'_>> = None;
        for input in &self.inputs {
            let Some(batch) = &input.loaded else {
                keys.push(None);
                continue;
            };
            let of_batch = RowKeys::new(self.table, batch)?;
            if input.stream.rows_left() > 0 {
                let last = of_batch.get(batch.num_rows().saturating_sub(1));
                bound = match (bound, last) {
                    (Some(bound), Some(last)) => Some(bound.min(last)),
                    (bound, last) => bound.or(last),
                };
            }
            keys.push(Some((of_batch, batch.num_rows())));
        }
        let through = |keys: Option<(RowKeys<'_>, usize)>| match (keys, &bound) {
            (None, _) => 0,
            (Some((keys, _)), Some(bound)) => keys.rows_through(bound),
            (Some((_, rows)), None) => rows,
        };
        Ok(keys.into_iter().map(through).collect())
    }
}
