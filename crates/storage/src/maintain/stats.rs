//! What background work counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

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
