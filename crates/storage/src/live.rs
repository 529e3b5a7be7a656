//! What readers see right now: live segments and memtables behind one lock, so that every change is all or nothing.
//!
//! Holds no algorithm and does no I/O: rows come from the WAL, segments from what the manifest has published.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::record_batch::RecordBatch;
use parking_lot::Mutex;

use crate::error::Result;
use crate::ids::{SegmentId, TableId, WalSeq};
use crate::memtable::{ActiveMemtable, MergeTask, SealedMemtable, bytes_of};
use crate::segment::LiveSegment;
use crate::time::Nanos;
use crate::wal::Committed;

/// The visible state of the store.
#[derive(Debug)]
pub(crate) struct Live {
    inner: Mutex<Inner>,
    segment_bytes: AtomicU64,
    level0_count: AtomicU64,
}

#[derive(Debug)]
struct Inner {
    applied_seq: WalSeq,
    tables: Vec<TableRows>,
    segments: Arc<[Arc<LiveSegment>]>,
}

#[derive(Debug)]
struct TableRows {
    table: TableId,
    active: ActiveMemtable,
    /// Oldest first.
    sealed: VecDeque<Arc<SealedMemtable>>,
}

/// Everything visible at one moment.
#[derive(Debug)]
pub(crate) struct View {
    pub(crate) segments: Arc<[Arc<LiveSegment>]>,
    pub(crate) memtables: Vec<(TableId, Vec<RecordBatch>)>,
}

/// What is known of a table's memtables without looking at rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemtableStats {
    /// Whose.
    pub table: TableId,
    /// Rows that are in no segment yet.
    pub row_count: u64,
    /// Memory that the rows take.
    pub bytes: u64,
    /// Memory of the part that still takes rows.
    pub active_bytes: u64,
    /// Batches of that part.
    pub active_chunk_count: u64,
    /// Memtables that wait for their flush.
    pub sealed_count: u64,
    /// When the first row of the active part came.
    pub opened_at: Option<Nanos>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            inner: Mutex::new(Inner {
                applied_seq: WalSeq(0),
                tables: TableId::ALL.map(TableRows::new).into(),
                segments: Arc::from([]),
            }),
            segment_bytes: AtomicU64::new(0),
            level0_count: AtomicU64::new(0),
        }
    }

    fn set_segments(&self, inner: &mut Inner, segments: Vec<Arc<LiveSegment>>) {
        let bytes = segments
            .iter()
            .map(|segment| segment.meta().file_bytes)
            .sum();
        self.segment_bytes.store(bytes, Ordering::Relaxed);
        let mut piles: BTreeMap<(TableId, i64), u64> = BTreeMap::new();
        for meta in segments.iter().map(|segment| segment.meta()) {
            if meta.level == 0 {
                *piles.entry((meta.table, meta.day)).or_default() += 1;
            }
        }
        let highest = piles.into_values().max().unwrap_or_default();
        self.level0_count.store(highest, Ordering::Relaxed);
        inner.segments = segments.into();
    }

    /// Bytes of all live segment files.
    pub(crate) fn segment_bytes(&self) -> u64 {
        self.segment_bytes.load(Ordering::Relaxed)
    }

    /// Segments of one table and day that were never merged: the highest such pile.
    pub(crate) fn level0_count(&self) -> u64 {
        self.level0_count.load(Ordering::Relaxed)
    }

    /// Every live segment.
    pub(crate) fn segments(&self) -> Arc<[Arc<LiveSegment>]> {
        Arc::clone(&self.inner.lock().segments)
    }

    /// Shows the rows of durable records. All rows of a record appear at once.
    pub(crate) fn apply(&self, committed: Vec<Committed>, now: Nanos) -> Result<()> {
        let mut inner = self.inner.lock();
        for record in committed {
            let mut permit = record.permit;
            inner.applied_seq = inner.applied_seq.max(record.seq);
            let seq = record.seq;
            for batch in record.batches {
                if batch.rows.num_rows() == 0 {
                    continue;
                }
                let share = permit.split(bytes_of(&batch.rows))?;
                if let Some(rows) = inner.rows_of(batch.table) {
                    rows.active.push(batch.rows, seq, share, now);
                }
            }
        }
        Ok(())
    }

    /// Last WAL record whose rows are visible.
    pub(crate) fn applied_seq(&self) -> WalSeq {
        self.inner.lock().applied_seq
    }

    /// Seals the active memtable of `table`, when it has rows.
    pub(crate) fn seal(&self, table: TableId) {
        let mut inner = self.inner.lock();
        if let Some(rows) = inner.rows_of(table)
            && let Some(sealed) = rows.active.seal()
        {
            rows.sealed.push_back(Arc::new(sealed));
        }
    }

    /// The memtable that has waited longest for its flush.
    pub(crate) fn next_to_flush(&self) -> Option<Arc<SealedMemtable>> {
        let inner = self.inner.lock();
        let waiting = inner.tables.iter().filter_map(|rows| rows.sealed.front());
        waiting.min_by_key(|sealed| sealed.seqs().0).cloned()
    }

    /// Shows segments that were published earlier.
    pub(crate) fn add(&self, adds: Vec<Arc<LiveSegment>>) {
        let mut inner = self.inner.lock();
        let mut segments = inner.segments.to_vec();
        segments.extend(adds);
        self.set_segments(&mut inner, segments);
    }

    /// Puts segments in the place of the memtable that they were written from.
    pub(crate) fn replace(&self, flushed: &Arc<SealedMemtable>, adds: Vec<Arc<LiveSegment>>) {
        let mut inner = self.inner.lock();
        let mut segments = inner.segments.to_vec();
        segments.extend(adds);
        self.set_segments(&mut inner, segments);
        if let Some(rows) = inner.rows_of(flushed.table()) {
            rows.sealed.retain(|sealed| !Arc::ptr_eq(sealed, flushed));
        }
    }

    /// Lets segments vanish, and others appear in the same moment; readers that hold the former go on. Returns them.
    pub(crate) fn swap(
        &self,
        ids: &[SegmentId],
        adds: Vec<Arc<LiveSegment>>,
    ) -> Vec<Arc<LiveSegment>> {
        let mut inner = self.inner.lock();
        let (gone, mut kept): (Vec<_>, Vec<_>) = inner
            .segments
            .iter()
            .cloned()
            .partition(|segment| ids.contains(&segment.meta().id));
        kept.extend(adds);
        self.set_segments(&mut inner, kept);
        gone
    }

    /// The live segment called `id`.
    pub(crate) fn segment(&self, id: SegmentId) -> Option<Arc<LiveSegment>> {
        let inner = self.inner.lock();
        inner.segments.iter().find(|s| s.meta().id == id).cloned()
    }

    /// Per table: every row of WAL records up to here is in segments, once those of `flushed` are.
    pub(crate) fn flushed_through(
        &self,
        flushed: Option<&Arc<SealedMemtable>>,
    ) -> Vec<(TableId, WalSeq)> {
        let inner = self.inner.lock();
        let through = |rows: &TableRows| {
            let is_flushed = |sealed: &&Arc<SealedMemtable>| {
                flushed.is_some_and(|flushed| Arc::ptr_eq(flushed, sealed))
            };
            let sealed = rows.sealed.iter().find(|sealed| !is_flushed(sealed));
            let first = match sealed {
                Some(sealed) => Some(sealed.seqs().0),
                None => rows.active.first_seq(),
            };
            // Nothing of this table waits: nothing of it is only in the WAL.
            first.map_or(inner.applied_seq, |seq| WalSeq(seq.0.saturating_sub(1)))
        };
        let tables = inner.tables.iter();
        tables.map(|rows| (rows.table, through(rows))).collect()
    }

    /// Records up to `seq` have been seen, whether or not they had rows.
    pub(crate) fn advance(&self, seq: WalSeq) {
        let mut inner = self.inner.lock();
        inner.applied_seq = inner.applied_seq.max(seq);
    }

    /// Everything that is visible now.
    pub(crate) fn view(&self) -> View {
        let inner = self.inner.lock();
        let batches = |rows: &TableRows| {
            let sealed = rows.sealed.iter().flat_map(|sealed| sealed.batches());
            (
                rows.table,
                sealed.chain(rows.active.batches()).cloned().collect(),
            )
        };
        View {
            segments: Arc::clone(&inner.segments),
            memtables: inner.tables.iter().map(batches).collect(),
        }
    }

    /// The figures of every table's memtables.
    pub(crate) fn memtables(&self) -> Vec<MemtableStats> {
        self.inner
            .lock()
            .tables
            .iter()
            .map(TableRows::stats)
            .collect()
    }

    /// Chunks of `table` worth merging.
    pub(crate) fn merge_task(&self, table: TableId) -> Option<MergeTask> {
        self.inner.lock().rows_of(table)?.active.merge_task()
    }

    /// Merges chunks of `table`; the lock is held only to take and to put.
    pub(crate) fn merge(&self, table: TableId, task: MergeTask) -> Result<()> {
        let merged = task.run()?;
        if let Some(rows) = self.inner.lock().rows_of(table) {
            rows.active.replace(merged);
        }
        Ok(())
    }
}

impl Inner {
    fn rows_of(&mut self, table: TableId) -> Option<&mut TableRows> {
        self.tables.iter_mut().find(|rows| rows.table == table)
    }
}

impl TableRows {
    fn new(table: TableId) -> Self {
        Self {
            table,
            active: ActiveMemtable::new(table),
            sealed: VecDeque::new(),
        }
    }

    fn stats(&self) -> MemtableStats {
        let sealed_rows: u64 = self.sealed.iter().map(|sealed| sealed.rows()).sum();
        let sealed_bytes: u64 = self.sealed.iter().map(|sealed| sealed.bytes()).sum();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        MemtableStats {
            table: self.table,
            row_count: sealed_rows.saturating_add(self.active.rows()),
            bytes: sealed_bytes.saturating_add(self.active.bytes()),
            active_bytes: self.active.bytes(),
            active_chunk_count: count(self.active.chunk_count()),
            sealed_count: count(self.sealed.len()),
            opened_at: self.active.opened_at(),
        }
    }
}
