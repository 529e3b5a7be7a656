//! What a scan has to read: units that can be read independently, chosen from metadata in memory.

use std::cmp::Reverse;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;

use super::condition::Condition;
use super::job::ScanJob;
use super::memtable_unit::{Chunk, MemtableUnit};
use super::prune::{Statistics, simplify};
use super::request::{ScanRequest, Top};
use super::segment_unit::{SegmentRows, SegmentUnit};
use crate::error::{Error, Result};
use crate::segment::LiveSegment;
use crate::time::TimeRange;

/// Largest `top` for which [`ScanPlan::read_top`] is worth its bookkeeping; a larger one is scanned like any other.
pub const MAX_TOP_ROWS: usize = 65_536;

/// The units of a scan, newest first (oldest first when the oldest rows are asked for).
#[derive(Debug, Clone)]
pub struct ScanPlan {
    /// Schema of every batch.
    pub schema: SchemaRef,
    /// What to read. Each row of the result is in exactly one of them.
    pub units: Vec<ScanUnit>,
    /// Upper bounds of what reading them costs.
    pub estimate: ScanEstimate,
    top: Option<Top>,
}

/// How much a scan reads at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanEstimate {
    /// Rows of all units.
    pub rows: u64,
    /// Bytes of all units, as stored.
    pub bytes: u64,
}

/// A part of a scan: a row group of a segment or a chunk of a memtable.
#[derive(Debug, Clone)]
pub struct ScanUnit {
    source: Source,
    rows: u64,
    time: TimeRange,
    exact: bool,
}

#[derive(Debug, Clone)]
pub(super) enum Source {
    Segment(SegmentUnit),
    Memtable(MemtableUnit),
}

impl ScanPlan {
    pub(super) fn new<'a>(
        request: &ScanRequest,
        segments: impl Iterator<Item = &'a Arc<LiveSegment>>,
        chunks: &[Chunk],
    ) -> Result<Self> {
        let job = Arc::new(ScanJob::new(request)?);
        let mut estimate = ScanEstimate::default();
        let mut units = Vec::new();
        for segment in segments {
            plan_segment(&job, segment, &mut units, &mut estimate);
        }
        for chunk in chunks {
            let Some(left) = simplify(&job.conjuncts, chunk) else {
                continue;
            };
            let unit = MemtableUnit {
                job: Arc::clone(&job),
                chunk: chunk.clone(),
                left,
            };
            estimate.bytes = estimate.bytes.saturating_add(unit.bytes());
            units.push(ScanUnit {
                rows: chunk.rows(),
                time: chunk.time(),
                exact: unit.left.is_empty(),
                source: Source::Memtable(unit),
            });
        }
        estimate.rows = units.iter().map(|unit| unit.rows).sum();
        let top = request.top.filter(|top| top.count <= MAX_TOP_ROWS);
        if request.top.is_some_and(|top| !top.newest) {
            units.sort_by_key(|unit| unit.time.min);
        } else {
            units.sort_by_key(|unit| Reverse(unit.time.max));
        }
        Ok(Self {
            schema: Arc::clone(&job.schema),
            units,
            estimate,
            top,
        })
    }

    /// How many rows the scan returns, when the metadata alone tells.
    #[must_use]
    pub fn exact_rows(&self) -> Option<u64> {
        self.units
            .iter()
            .map(|unit| unit.exact.then_some(unit.rows))
            .sum()
    }

    /// The bound on rows that [`Self::read_top`] applies; none when it would return everything.
    #[must_use]
    pub fn top(&self) -> Option<Top> {
        self.top
    }
}

fn plan_segment(
    job: &Arc<ScanJob>,
    segment: &Arc<LiveSegment>,
    units: &mut Vec<ScanUnit>,
    estimate: &mut ScanEstimate,
) {
    let meta = segment.meta();
    if simplify(&job.conjuncts, &Statistics::of_segment(job.table, meta)).is_none() {
        return;
    }
    for (row_group, group) in meta.row_groups.iter().enumerate() {
        let Some(left) = simplify(&job.conjuncts, &Statistics::of_row_group(job.table, group))
        else {
            continue;
        };
        let share = u128::from(meta.file_bytes) * u128::from(group.rows);
        let share = share.checked_div(u128::from(meta.rows)).unwrap_or_default();
        estimate.bytes = estimate
            .bytes
            .saturating_add(u64::try_from(share).unwrap_or(u64::MAX));
        units.push(ScanUnit {
            rows: group.rows,
            time: group.time,
            exact: left.is_empty(),
            source: Source::Segment(SegmentUnit {
                job: Arc::clone(job),
                segment: Arc::clone(segment),
                row_group,
                left,
            }),
        });
    }
}

impl ScanUnit {
    /// Rows that it returns at most.
    #[must_use]
    pub fn rows_at_most(&self) -> u64 {
        self.rows
    }

    /// Time of its first and last row, before any condition on other columns.
    #[must_use]
    pub fn time_range(&self) -> TimeRange {
        self.time
    }

    /// Whether every row of it is known to match, so that [`Self::rows_at_most`] is exact.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.exact
    }

    /// Starts reading. All work, blocking I/O included, happens in the reader's `next`.
    ///
    /// # Errors
    /// None so far; kept for readers that have to open something first.
    pub fn open(&self) -> Result<UnitReader> {
        Ok(UnitReader {
            unit: self.clone(),
            state: State::Start,
        })
    }

    /// Name of the column that says when a row happened.
    pub(super) fn time_column(&self) -> &'static str {
        let job = match &self.source {
            Source::Segment(unit) => &unit.job,
            Source::Memtable(unit) => &unit.job,
        };
        job.table.time_column()
    }

    /// Where the rows are.
    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Position and time of every matching row.
    pub(super) fn times(&self, also: Option<&Condition>) -> Result<Vec<(usize, i64)>> {
        match &self.source {
            Source::Segment(unit) => guarded(unit, || unit.times(also)),
            Source::Memtable(unit) => unit.times(also),
        }
    }

    /// Rows by position, ascending.
    pub(super) fn fetch(&self, rows: &[usize]) -> Result<Vec<RecordBatch>> {
        match &self.source {
            Source::Segment(unit) => guarded(unit, || {
                let mut reader = unit.fetch(rows)?;
                std::iter::from_fn(|| reader.read().transpose()).collect()
            }),
            Source::Memtable(unit) => Ok(vec![unit.fetch(rows)?]),
        }
    }
}

/// The rows of a unit, in batches of at most 8 192.
#[derive(Debug)]
pub struct UnitReader {
    unit: ScanUnit,
    state: State,
}

#[derive(Debug)]
enum State {
    Start,
    Segment(Box<SegmentRows>),
    Memtable(usize),
    Done,
}

impl UnitReader {
    fn read(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            match (&self.unit.source, &mut self.state) {
                (_, State::Done) => return Ok(None),
                (Source::Segment(unit), State::Segment(rows)) => {
                    return guarded(unit, || rows.read());
                }
                (Source::Segment(unit), _) => {
                    let rows = guarded(unit, || unit.rows_of(unit.select(None)?))?;
                    self.state = State::Segment(Box::new(rows));
                }
                (Source::Memtable(unit), State::Memtable(from)) => {
                    let batch = unit.read(*from)?;
                    *from = from.saturating_add(crate::segment::PAGE_ROWS);
                    if batch.as_ref().is_none_or(|batch| batch.num_rows() > 0) {
                        return Ok(batch);
                    }
                }
                (Source::Memtable(_), _) => self.state = State::Memtable(0),
            }
        }
    }
}

impl Iterator for UnitReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let next = self.read().transpose();
        if !matches!(next, Some(Ok(_))) {
            self.state = State::Done;
        }
        next
    }
}

/// Parquet decoders may panic on bytes that no writer makes: then the segment is damaged, not the process.
pub(super) fn guarded<T>(unit: &SegmentUnit, work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err::<T, Error>(
            unit.segment
                .mark_damaged(format!("decoding it panicked: {text}")),
        )
    })
}
