//! Scanning a chunk of a memtable: rows in the order of their arrival, in the types that ingest made.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt64Array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::TimestampNanosecondType;

use super::condition::Condition;
use super::evaluate::evaluate;
use super::job::{NamedBatch, ScanJob};
use super::kernel_error;
use super::prune::{Knowledge, Known};
use crate::error::Result;
use crate::predicate::ScanColumn;
use crate::segment::PAGE_ROWS;
use crate::time::{Nanos, TimeRange};

/// Rows of a memtable.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    batch: RecordBatch,
    time: TimeRange,
}

impl Chunk {
    pub(super) fn new(batch: RecordBatch) -> Self {
        let times = batch
            .columns()
            .first()
            .and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>());
        let values = times.map(|times| times.values().iter());
        let bounds = values.and_then(|values| values.clone().min().zip(values.max()));
        let (min, max) = bounds.map_or((0, i64::MAX), |(min, max)| (*min, *max));
        Self {
            time: TimeRange {
                min: Nanos(min),
                max: Nanos(max),
            },
            batch,
        }
    }

    pub(super) fn rows(&self) -> u64 {
        u64::try_from(self.batch.num_rows()).unwrap_or(u64::MAX)
    }

    pub(super) fn time(&self) -> TimeRange {
        self.time
    }

    fn is_time(&self, column: &str) -> bool {
        let schema = self.batch.schema_ref();
        schema
            .fields()
            .first()
            .is_some_and(|time| time.name() == column)
    }
}

impl Knowledge for Chunk {
    fn about(&self, column: &ScanColumn) -> Known<'_> {
        match column {
            ScanColumn::Stored(name) if self.is_time(name) => {
                Known::Times(self.time.min.0, self.time.max.0)
            }
            ScanColumn::Stored(_)
            | ScanColumn::MapValue { .. }
            | ScanColumn::MapContains { .. } => Known::Unknown,
        }
    }
}

/// A chunk and the conditions that its rows still have to meet.
#[derive(Debug, Clone)]
pub(super) struct MemtableUnit {
    pub(super) job: Arc<ScanJob>,
    pub(super) chunk: Chunk,
    /// Positions in the job's conjuncts.
    pub(super) left: Vec<usize>,
}

impl MemtableUnit {
    /// The matching rows of one slice of the chunk; none when `from` is behind the end.
    pub(super) fn read(&self, from: usize) -> Result<Option<RecordBatch>> {
        let len = PAGE_ROWS.min(self.chunk.batch.num_rows().saturating_sub(from));
        if len == 0 {
            return Ok(None);
        }
        let slice = self.chunk.batch.slice(from, len);
        let mut mask = None;
        for number in &self.left {
            let Some(conjunct) = self.job.conjuncts.get(*number) else {
                continue;
            };
            let found = evaluate(conjunct, &NamedBatch(&slice))?;
            let both = mask.map_or_else(|| found.clone(), |mask: BooleanBuffer| &mask & &found);
            if both.count_set_bits() == 0 {
                mask = Some(both);
                break;
            }
            mask = Some(both);
        }
        self.project(&slice, mask).map(Some)
    }

    fn project(&self, slice: &RecordBatch, mask: Option<BooleanBuffer>) -> Result<RecordBatch> {
        let mask = mask.filter(|mask| mask.count_set_bits() < mask.len());
        let all = slice.num_rows();
        let rows = mask.as_ref().map_or(all, BooleanBuffer::count_set_bits);
        let mask = mask.map(|mask| arrow::array::BooleanArray::new(mask, None));
        self.job.assemble(rows, |column| {
            NamedBatch(slice).read(column, |array| match &mask {
                None => Ok(Arc::clone(array)),
                Some(mask) => arrow::compute::filter(array, mask)
                    .map_err(|source| kernel_error("selecting rows", source)),
            })
        })
    }

    /// One bit per row of the chunk, set when the row meets all conditions, and `also` when there is one more.
    pub(super) fn matching(&self, also: Option<&Condition>) -> Result<BooleanBuffer> {
        let batch = NamedBatch(&self.chunk.batch);
        let conjuncts = self
            .left
            .iter()
            .filter_map(|number| self.job.conjuncts.get(*number));
        let mut mask = BooleanBuffer::new_set(self.chunk.batch.num_rows());
        // The bound on time is the cheapest condition and, when there is one, the most selective.
        for conjunct in also.into_iter().chain(conjuncts) {
            if mask.count_set_bits() == 0 {
                break;
            }
            mask = &mask & &evaluate(conjunct, &batch)?;
        }
        Ok(mask)
    }

    /// A stored column of the chunk, in its write form.
    pub(super) fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.chunk.batch.column_by_name(name)
    }

    /// Position and time of every matching row.
    pub(super) fn times(&self, also: Option<&Condition>) -> Result<Vec<(usize, i64)>> {
        let mask = self.matching(also)?;
        let times = self.chunk.batch.columns().first();
        let times = times.and_then(|column| column.as_primitive_opt::<TimestampNanosecondType>());
        let values = times
            .map(|times| times.values().as_ref())
            .unwrap_or_default();
        Ok(mask
            .set_indices()
            .filter_map(|row| values.get(row).map(|time| (row, *time)))
            .collect())
    }

    /// Rows by position.
    pub(super) fn fetch(&self, rows: &[usize]) -> Result<RecordBatch> {
        let indices: UInt64Array = rows.iter().map(|row| u64::try_from(*row).ok()).collect();
        self.job.assemble(rows.len(), |column| {
            NamedBatch(&self.chunk.batch).read(column, |array| {
                arrow::compute::take(array, &indices, None)
                    .map_err(|source| kernel_error("fetching rows", source))
            })
        })
    }

    pub(super) fn bytes(&self) -> u64 {
        let columns = self.chunk.batch.columns().iter();
        let bytes: usize = columns
            .map(|column| column.to_data().get_slice_memory_size().unwrap_or(0))
            .sum();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}
