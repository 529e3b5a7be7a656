//! Scanning one row group of a segment: conditions on cheap columns first, each on what the ones before it left; what is
//! returned is decoded only for the rows that remain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::TimestampNanosecondType;

use super::condition::Condition;
use super::evaluate::evaluate;
use super::ids::wanted_ids;
use super::job::{Cost, ScanJob};
use super::kernel_error;
use super::pages::prune_pages;
use super::places::{FileRows, Place, Places};
use crate::error::{Error, Result};
use crate::predicate::ScanColumn;
use crate::segment::{Footer, LiveSegment, PAGE_ROWS, ReadForm, RowsRead, RowsWanted, Shape};

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
    /// Root columns that are already decoded, for exactly these rows.
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

    /// Whether no row is left.
    pub(super) fn is_empty(&self) -> bool {
        self.rows == 0
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
    columns: Vec<usize>,
    pieces: BTreeMap<usize, Vec<ArrayRef>>,
    bytes: usize,
}

impl Kept {
    fn new(columns: Vec<usize>) -> Self {
        Self {
            columns,
            pieces: BTreeMap::new(),
            bytes: 0,
        }
    }

    fn add(&mut self, shape: &Shape, batch: &RecordBatch, mask: BooleanBuffer) -> Result<()> {
        if self.bytes > KEPT_BYTES || mask.count_set_bits() == 0 {
            return Ok(());
        }
        let flags = BooleanArray::new(mask, None);
        for index in &self.columns {
            let Some(array) = batch.column_by_name(shape.name(*index)) else {
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
        let places = self.places(&footer);
        let parquet = footer.parquet();
        let pages = prune_pages(&places, parquet, self.row_group, conjuncts.iter().copied());
        conjuncts.sort_by_key(|conjunct| places.cost(conjunct));
        let mut selected = pages.map_or_else(|| Selected::all(rows), Selected::only);
        for conjunct in &conjuncts {
            if let Some((root, ids)) = wanted_ids(self.job.table, conjunct)
                && selected.rows > 0
                && !footer.may_have(self.row_group, root, &ids)?
            {
                return Ok(Selected::only(BooleanBuffer::new_unset(rows)));
            }
        }
        while let Some(first) = conjuncts.first() {
            if selected.rows == 0 {
                break;
            }
            let stage = places.cost(first);
            let costs_more = |conjunct: &&Condition| places.cost(conjunct) > stage;
            let later = conjuncts.iter().copied().filter(costs_more).collect();
            conjuncts.retain(|conjunct| !costs_more(conjunct));
            self.run_stage(&footer, (&conjuncts, stage), &mut selected)?;
            conjuncts = later;
        }
        Ok(selected)
    }

    /// Evaluates conditions of one cost on the rows that are still selected.
    fn run_stage(
        &self,
        footer: &Footer,
        (conjuncts, stage): (&[&Condition], Cost),
        selected: &mut Selected,
    ) -> Result<()> {
        let places = self.places(footer);
        let mut columns = BTreeSet::new();
        let mut all = Ok(());
        for conjunct in conjuncts {
            conjunct.for_each_column(&mut |column| {
                if let Err(error) = places.add_roots(column, &mut columns) {
                    all = Err(error);
                }
            });
        }
        all?;
        let mut kept = Kept::new(self.returned_as_read(&places, &columns)?);
        let mut found = BooleanBufferBuilder::new(selected.rows);
        for batch in self.reader(footer, &columns, ReadForm::LookUp, selected)? {
            let batch = batch?;
            let rows = FileRows {
                places,
                rows: batch.num_rows(),
                batch: Some(&batch),
                kept: None,
            };
            let mut mask = BooleanBuffer::new_set(batch.num_rows());
            for conjunct in conjuncts {
                mask = &mask & &evaluate(conjunct, &rows)?;
            }
            found.append_buffer(&mask);
            kept.add(places.shape, &batch, mask)?;
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

    /// Where columns lie in the row group.
    fn places<'a>(&'a self, footer: &'a Footer) -> Places<'a> {
        Places {
            table: self.job.table,
            shape: footer.shape(),
            group: self.segment.meta().row_groups.get(self.row_group),
        }
    }

    /// Root columns of everything that the scan returns.
    fn returned(&self, places: &Places<'_>) -> Result<BTreeSet<usize>> {
        let mut roots = BTreeSet::new();
        for column in &self.job.projection {
            places.add_roots(column, &mut roots)?;
        }
        Ok(roots)
    }

    /// Those of `columns` that the scan returns in the form in which a condition reads them. Times are always kept.
    fn returned_as_read(
        &self,
        places: &Places<'_>,
        columns: &BTreeSet<usize>,
    ) -> Result<Vec<usize>> {
        let mut returned = self.returned(places)?;
        returned.insert(0);
        let both = columns.intersection(&returned).copied();
        Ok(both
            .filter(|root| places.shape.has_one_form(*root))
            .collect())
    }

    /// Starts decoding root columns of the selected rows.
    pub(super) fn reader(
        &self,
        footer: &Footer,
        columns: &BTreeSet<usize>,
        form: ReadForm,
        selected: &Selected,
    ) -> Result<RowsRead> {
        footer.rows(RowsWanted {
            columns,
            form,
            row_group: self.row_group,
            mask: selected.mask.as_ref(),
            batch_rows: PAGE_ROWS,
        })
    }

    /// Starts returning the selected rows.
    pub(super) fn rows_of(&self, selected: Selected) -> Result<SegmentRows> {
        if self.job.projection.is_empty() {
            // Only how many rows there are: no file is opened for that.
            return Ok(SegmentRows {
                unit: self.clone(),
                footer: None,
                rest: None,
                selected,
                returned: 0,
            });
        }
        let footer = self.segment.footer()?;
        let places = self.places(&footer);
        let mut missing = self.returned(&places)?;
        missing.retain(|root| !selected.kept.contains_key(root));
        let (mut whole_map, mut looked_up) = (false, false);
        for column in &self.job.projection {
            match places.of(column)? {
                Place::WholeMap(root) => whole_map |= !places.shape.has_one_form(root),
                Place::InMap(_) => looked_up = true,
                Place::Stored(_) | Place::Promoted(_) | Place::Absent => {}
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
            Some(self.reader(&footer, &missing, form, &selected)?)
        };
        Ok(SegmentRows {
            unit: self.clone(),
            footer: Some(footer),
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
                .reader(
                    &*self.segment.footer()?,
                    &BTreeSet::from([0]),
                    ReadForm::LookUp,
                    &selected,
                )?
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
    /// None when no column is returned.
    footer: Option<Arc<Footer>>,
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
        let rows = match &batch {
            Some(batch) => batch.num_rows().min(left),
            None => PAGE_ROWS.min(left),
        };
        let read = |column: &ScanColumn| match &self.footer {
            Some(footer) => FileRows {
                places: self.unit.places(footer),
                rows,
                batch: batch.as_ref(),
                kept: Some((&self.selected.kept, self.returned)),
            }
            .read(column),
            None => Err(Error::Internal {
                what: format!("column `{column}` was not read"),
            }),
        };
        let assembled = self.unit.job.assemble(rows, read)?;
        self.returned = self.returned.saturating_add(rows);
        Ok(Some(assembled))
    }
}
