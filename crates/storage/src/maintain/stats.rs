//! What background work counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use crate::retention::Reason;

/// Figures of flushes since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlushStats {
    /// Memtables flushed.
    pub flush_count: u64,
    /// Attempts that failed and were or will be repeated.
    pub failure_count: u64,
    /// Rows written.
    pub row_count: u64,
    /// Bytes of the segment files.
    pub bytes: u64,
    /// Time spent writing.
    pub duration_ns: u64,
}

#[derive(Debug, Default)]
pub(crate) struct FlushCounters {
    flush_count: AtomicU64,
    failure_count: AtomicU64,
    row_count: AtomicU64,
    bytes: AtomicU64,
    duration_ns: AtomicU64,
}

impl FlushCounters {
    pub(super) fn wrote(&self, rows: u64, bytes: u64, duration_ns: u64) {
        self.flush_count.fetch_add(1, Ordering::Relaxed);
        self.row_count.fetch_add(rows, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.duration_ns.fetch_add(duration_ns, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failure_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> FlushStats {
        FlushStats {
            flush_count: self.flush_count.load(Ordering::Relaxed),
            failure_count: self.failure_count.load(Ordering::Relaxed),
            row_count: self.row_count.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            duration_ns: self.duration_ns.load(Ordering::Relaxed),
        }
    }
}

/// Figures of merges of segments since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompactionStats {
    /// Merges that are due, the running one included.
    pub pending_count: u64,
    /// Merges that run now.
    pub running_count: u64,
    /// Merges that were published.
    pub merge_count: u64,
    /// Merges that failed; their segments stay as they are.
    pub failure_count: u64,
    /// Rows written.
    pub row_count: u64,
    /// Bytes of the segments that were merged.
    pub input_bytes: u64,
    /// Bytes of the segments that came out.
    pub output_bytes: u64,
    /// Time spent merging.
    pub duration_ns: u64,
}

#[derive(Debug, Default)]
pub(crate) struct CompactionCounters {
    pending_count: AtomicU64,
    running_count: AtomicU64,
    merge_count: AtomicU64,
    failure_count: AtomicU64,
    row_count: AtomicU64,
    input_bytes: AtomicU64,
    output_bytes: AtomicU64,
    duration_ns: AtomicU64,
}

/// A merge that runs, as long as it is held.
#[derive(Debug)]
pub(super) struct Running<'a>(&'a CompactionCounters);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running_count.fetch_sub(1, Ordering::Relaxed);
    }
}

impl CompactionCounters {
    pub(super) fn pending(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.pending_count.store(count, Ordering::Relaxed);
    }

    pub(super) fn start(&self) -> Running<'_> {
        self.running_count.fetch_add(1, Ordering::Relaxed);
        Running(self)
    }

    pub(super) fn merged(&self, rows: u64, (input, output): (u64, u64), duration_ns: u64) {
        self.merge_count.fetch_add(1, Ordering::Relaxed);
        self.row_count.fetch_add(rows, Ordering::Relaxed);
        self.input_bytes.fetch_add(input, Ordering::Relaxed);
        self.output_bytes.fetch_add(output, Ordering::Relaxed);
        self.duration_ns.fetch_add(duration_ns, Ordering::Relaxed);
    }

    pub(super) fn failed(&self) {
        self.failure_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> CompactionStats {
        CompactionStats {
            pending_count: self.pending_count.load(Ordering::Relaxed),
            running_count: self.running_count.load(Ordering::Relaxed),
            merge_count: self.merge_count.load(Ordering::Relaxed),
            failure_count: self.failure_count.load(Ordering::Relaxed),
            row_count: self.row_count.load(Ordering::Relaxed),
            input_bytes: self.input_bytes.load(Ordering::Relaxed),
            output_bytes: self.output_bytes.load(Ordering::Relaxed),
            duration_ns: self.duration_ns.load(Ordering::Relaxed),
        }
    }
}

/// Figures of dropped segments since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionStats {
    /// Dropped because all their rows were too old.
    pub by_age: DroppedStats,
    /// Dropped because their table had more bytes than it may have.
    pub by_table_bytes: DroppedStats,
    /// Dropped because space was short.
    pub by_space: DroppedStats,
    /// Whether the clock is so far ahead that it is not believed: nothing is dropped for its age by it.
    pub clock_doubted: bool,
}

/// Segments that were dropped for one reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DroppedStats {
    /// How many.
    pub segment_count: u64,
    /// Their rows.
    pub row_count: u64,
    /// Their files.
    pub bytes: u64,
}

#[derive(Debug, Default)]
pub(crate) struct RetentionCounters(Mutex<RetentionStats>);

impl RetentionCounters {
    pub(super) fn planned(&self, reason: Reason, rows: u64, bytes: u64) {
        let mut stats = self.0.lock();
        let dropped = match reason {
            Reason::Age => &mut stats.by_age,
            Reason::TableBytes => &mut stats.by_table_bytes,
            Reason::Space => &mut stats.by_space,
        };
        dropped.segment_count += 1;
        dropped.row_count = dropped.row_count.saturating_add(rows);
        dropped.bytes = dropped.bytes.saturating_add(bytes);
    }

    pub(super) fn snapshot(&self, clock_doubted: bool) -> RetentionStats {
        RetentionStats {
            clock_doubted,
            ..self.0.lock().clone()
        }
    }
}
