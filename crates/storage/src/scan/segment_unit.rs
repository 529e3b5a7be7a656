//! Scanning one row group of a segment: conditions on cheap columns first, each on what the ones before it left; what is
//! returned is decoded only for the rows that remain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::TimestampNanosecondType;

use super::condition::Condition;
use super::evaluate::evaluate;
use super::job::{Cost, NamedBatch, ScanJob, cost};
use super::kernel_error;
use super::pages::prune_pages;
use crate::error::{Error, Result};
use crate::predicate::ScanColumn;
use crate::segment::{LiveSegment, PAGE_ROWS, ReadForm, RowsRead, RowsWanted};

/// Bytes of columns that were read for a condition and are kept because they are also returned. Beyond it they are
/// decoded a second time, which costs less than the memory.
const KEPT_BYTES: usize = 16 << 20;

/// A row group and the conditions that its rows still have to meet.
#[derive(Debug, Clone)]
pub(super) struct SegmentUnit {
    pub(super) job: Arc<ScanJob>,
    pub(super) segment: Arc<LiveSegment>,
    pub(super) row_group: usize,
    /// Positions in the job's conjuncts.
    pub(super) left: Vec<usize>,
}

/// Rows of a row group that met all conditions.
#[derive(Debug)]
pub(super) struct Selected {
    /// One bit per row of the row group; none = all of them.
    mask: Option<BooleanBuffer>,
    rows: usize,
    /// Columns that are already decoded, by position in the table, for exactly these rows.
    kept: BTreeMap<usize, ArrayRef>,
}

impl Selected {
    fn all(rows: usize) -> Self {
        Self {
            mask: None,
            rows,
            kept: BTreeMap::new(),
        }
    }

    fn only(mask: BooleanBuffer) -> Self {
        Self {
            rows: mask.count_set_bits(),
            mask: Some(mask),
            kept: BTreeMap::new(),
        }
    }

    /// Keeps those of the selected rows whose bit is set in `found`.
    fn refine(&mut self, found: &BooleanBuffer) -> Result<()> {
        let rows = found.count_set_bits();
        if rows == self.rows {
            return Ok(());
        }
        let flags = BooleanArray::new(found.clone(), None);
        for array in self.kept.values_mut() {
            *array = arrow::compute::filter(array, &flags)
                .map_err(|source| kernel_error("selecting rows", source))?;
        }
        self.mask = Some(match self.mask.take() {
            None => found.clone(),
            Some(mask) => {
                let mut refined = BooleanBufferBuilder::new(mask.len());
                refined.append_n(mask.len(), false);
                for (row, bit) in mask.set_indices().zip(found.iter()) {
                    refined.set_bit(row, bit);
                }
                refined.finish()
            }
        });
        self.rows = rows;
        Ok(())
    }
}

/// Columns that are read for a condition and returned as well.
#[derive(Debug)]
struct Kept {
    columns: Vec<(usize, &'static str)>,
    pieces: BTreeMap<usize, Vec<ArrayRef>>,
    bytes: usize,
}

impl Kept {
    fn new(columns: Vec<(usize, &'static str)>) -> Self {
        Self {
            columns,
            pieces: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, batch: &RecordBatch, mask: BooleanBuffer) -> Result<()> {
        if self.bytes > KEPT_BYTES || mask.count_set_bits() == 0 {
            return Ok(());
        }
        let flags = BooleanArray::new(mask, None);
        for (index, name) in &self.columns {
            let Some(array) = batch.column_by_name(name) else {
                continue;
            };
            let piece = arrow::compute::filter(array, &flags)
                .map_err(|source| kernel_error("selecting rows", source))?;
            self.bytes = self.bytes.saturating_add(piece.get_array_memory_size());
            self.pieces.entry(*index).or_default().push(piece);
        }
        Ok(())
    }

    fn finish(self, selected: &mut Selected) -> Result<()> {
        if self.bytes > KEPT_BYTES {
            return Ok(());
        }
        for (index, pieces) in self.pieces {
            let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
            let whole = arrow::compute::concat(&pieces)
                .map_err(|source| kernel_error("joining rows", source))?;
            selected.kept.insert(index, whole);
        }
        Ok(())
    }
}

impl SegmentUnit {
    /// The rows that meet all conditions, and `also` when there is one more.
    pub(super) fn select(&self, also: Option<&Condition>) -> Result<Selected> {
        let rows = self.rows_total();
        let conjuncts = self
            .left
            .iter()
            .filter_map(|number| self.job.conjuncts.get(*number));
        let mut conjuncts: Vec<&Condition> = also.into_iter().chain(conjuncts).collect();
        if conjuncts.is_empty() {
            return Ok(Selected::all(rows));
        }
        let footer = self.segment.footer()?;
        let pages = prune_pages(
            self.job.table,
            footer.parquet(),
            self.row_group,
            conjuncts.iter().copied(),
        );
        let mut selected = pages.map_or_else(|| Selected::all(rows), Selected::only);
        while let Some(first) = conjuncts.first() {
            if selected.rows == 0 {
                break;
            }
            let stage = cost(self.job.table, first);
            let costs_more = |conjunct: &&Condition| cost(self.job.table, conjunct) > stage;
            let later = conjuncts.iter().copied().filter(costs_more).collect();
            conjuncts.retain(|conjunct| !costs_more(conjunct));
            self.run_stage(&conjuncts, stage, &mut selected)?;
            conjuncts = later;
        }
        Ok(selected)
    }

    /// Evaluates conditions of one cost on the rows that are still selected.
    fn run_stage(
        &self,
        conjuncts: &[&Condition],
        stage: Cost,
        selected: &mut Selected,
    ) -> Result<()> {
        let mut columns = BTreeSet::new();
        let mut failed = None;
        for conjunct in conjuncts {
            conjunct.for_each_column(&mut |column| match self.job.source(column) {
                Ok(index) => drop(columns.insert(index)),
                Err(error) => failed = Some(error),
            });
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let mut kept = Kept::new(self.returned_as_stored(&columns));
        let mut found = BooleanBufferBuilder::new(selected.rows);
        for batch in self.reader(&columns, ReadForm::LookUp, selected)? {
            let batch = batch?;
            let mut mask = BooleanBuffer::new_set(batch.num_rows());
            for conjunct in conjuncts {
                mask = &mask & &evaluate(conjunct, &NamedBatch(&batch))?;
            }
            found.append_buffer(&mask);
            kept.add(&batch, mask)?;
        }
        let found = found.finish();
        if found.len() != selected.rows {
            return Err(self.segment.mark_damaged(format!(
                "row group {} has {} rows where {} were expected ({stage:?})",
                self.row_group,
                found.len(),
                selected.rows
            )));
        }
        selected.refine(&found)?;
        kept.finish(selected)
    }

    /// Those of `columns` that the scan returns in the form in which a condition reads them.
    fn returned_as_stored(&self, columns: &BTreeSet<usize>) -> Vec<(usize, &'static str)> {
        let all = self.job.table.columns.iter().enumerate();
        all.filter(|(index, column)| {
            let wanted = ScanColumn::stored(column.name);
            columns.contains(index)
                && !column.kind.is_map()
                && (*index == 0 || self.job.projection.contains(&wanted))
        })
        .map(|(index, column)| (index, column.name))
        .collect()
    }

    fn reader(
        &self,
        columns: &BTreeSet<usize>,
        form: ReadForm,
        selected: &Selected,
    ) -> Result<RowsRead> {
        self.segment.footer()?.rows(RowsWanted {
            columns,
            form,
            row_group: self.row_group,
            mask: selected.mask.as_ref(),
        })
    }

    /// Starts returning the selected rows.
    pub(super) fn rows_of(&self, selected: Selected) -> Result<SegmentRows> {
        let mut missing = BTreeSet::new();
        let (mut whole_map, mut looked_up) = (false, false);
        for column in &self.job.projection {
            let index = self.job.source(column)?;
            let stored = matches!(column, ScanColumn::Stored(_));
            let is_map = self
                .job
                .table
                .columns
                .get(index)
                .is_some_and(|c| c.kind.is_map());
            whole_map |= is_map && stored;
            looked_up |= !stored;
            if !selected.kept.contains_key(&index) {
                missing.insert(index);
            }
        }
        let form = if looked_up && !whole_map {
            ReadForm::LookUp
        } else {
            ReadForm::Whole
        };
        let rest = if missing.is_empty() || selected.rows == 0 {
            None
        } else {
            Some(self.reader(&missing, form, &selected)?)
        };
        Ok(SegmentRows {
            unit: self.clone(),
            rest,
            selected,
            returned: 0,
        })
    }

    /// Position and time of every matching row.
    pub(super) fn times(&self, also: Option<&Condition>) -> Result<Vec<(usize, i64)>> {
        let mut selected = self.select(also)?;
        if selected.rows == 0 {
            return Ok(Vec::new());
        }
        let times = match selected.kept.remove(&0) {
            Some(times) => vec![times],
            None => self
                .reader(&BTreeSet::from([0]), ReadForm::LookUp, &selected)?
                .map(|batch| {
                    let batch = batch?;
                    let times = batch.columns().first().map(Arc::clone);
                    times.ok_or_else(|| self.segment.mark_damaged("it has no times".to_owned()))
                })
                .collect::<Result<Vec<_>>>()?,
        };
        let mut values = Vec::with_capacity(selected.rows);
        for array in &times {
            let times = array.as_primitive_opt::<TimestampNanosecondType>();
            values.extend_from_slice(times.map(|t| t.values().as_ref()).unwrap_or_default());
        }
        Ok(match &selected.mask {
            None => values.into_iter().enumerate().collect(),
            Some(mask) => mask.set_indices().zip(values).collect(),
        })
    }

    /// Rows by position, ascending.
    pub(super) fn fetch(&self, rows: &[usize]) -> Result<SegmentRows> {
        let mut mask = BooleanBufferBuilder::new(self.rows_total());
        mask.append_n(self.rows_total(), false);
        for row in rows {
            mask.set_bit(*row, true);
        }
        self.rows_of(Selected::only(mask.finish()))
    }

    pub(super) fn rows_total(&self) -> usize {
        let group = self.segment.meta().row_groups.get(self.row_group);
        group
            .and_then(|group| usize::try_from(group.rows).ok())
            .unwrap_or_default()
    }
}

/// The selected rows on their way out.
#[derive(Debug)]
pub(super) struct SegmentRows {
    unit: SegmentUnit,
    rest: Option<RowsRead>,
    selected: Selected,
    returned: usize,
}

impl SegmentRows {
    /// The next batch, none at the end.
    pub(super) fn read(&mut self) -> Result<Option<RecordBatch>> {
        let left = self.selected.rows.saturating_sub(self.returned);
        if left == 0 {
            return Ok(None);
        }
        let batch = match self.rest.as_mut().map(Iterator::next) {
            None => None,
            Some(Some(batch)) => Some(batch?),
            Some(None) => {
                let what = format!("row group {} ends early", self.unit.row_group);
                return Err(self.unit.segment.mark_damaged(what));
            }
        };
        let kept_rows = PAGE_ROWS.min(left);
        let rows = batch.as_ref().map_or(kept_rows, RecordBatch::num_rows);
        let job = Arc::clone(&self.unit.job);
        let assembled = job.assemble(rows, |column| {
            match (self.selected.kept.get(&job.source(column)?), &batch) {
                (Some(kept), _) => Ok(kept.slice(self.returned, rows.min(left))),
                (None, Some(batch)) => NamedBatch(batch).array(column).cloned(),
                (None, None) => Err(Error::Internal {
                    what: format!("column `{column}` was not read"),
                }),
            }
        })?;
        self.returned = self.returned.saturating_add(rows);
        Ok(Some(assembled))
    }
}
