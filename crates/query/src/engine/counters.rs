//! What the engine counts. One [`Running`] per query makes sure that each ends exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::answer::EngineStats;
use crate::control::Progress;
use crate::error::ErrorCode;

/// Counters since the engine was made.
#[derive(Debug, Default)]
pub(super) struct Counters {
    started: AtomicU64,
    finished: AtomicU64,
    failed: AtomicU64,
    cancelled: AtomicU64,
    timed_out: AtomicU64,
    refused: AtomicU64,
    running: AtomicU64,
    read_rows: AtomicU64,
    read_bytes: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self, queued: u64, memory_bytes: u64, lost_planners: u64) -> EngineStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EngineStats {
            started: read(&self.started),
            finished: read(&self.finished),
            failed: read(&self.failed),
            cancelled: read(&self.cancelled),
            timed_out: read(&self.timed_out),
            refused: read(&self.refused),
            running: read(&self.running),
            queued,
            read_rows: read(&self.read_rows),
            read_bytes: read(&self.read_bytes),
            memory_bytes,
            lost_planners,
        }
    }
}

/// A query that began. The last clone that goes counts it as cancelled unless it ended otherwise before.
#[derive(Debug, Clone)]
pub(super) struct Running(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    counters: Arc<Counters>,
    ended: AtomicBool,
}

impl Running {
    pub(super) fn start(counters: Arc<Counters>) -> Self {
        counters.started.fetch_add(1, Ordering::Relaxed);
        counters.running.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner {
            counters,
            ended: AtomicBool::new(false),
        }))
    }

    /// All rows were handed out.
    pub(super) fn finish(&self) {
        if self.0.end() {
            self.0.counters.finished.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// It ended with an error.
    pub(super) fn fail(&self, code: ErrorCode) {
        if self.0.end() {
            self.0.fail(code);
        }
    }

    /// Adds what its scans read.
    pub(super) fn note_reads(&self, progress: &Progress) {
        let counters = &self.0.counters;
        counters
            .read_rows
            .fetch_add(progress.read_rows(), Ordering::Relaxed);
        counters
            .read_bytes
            .fetch_add(progress.read_bytes(), Ordering::Relaxed);
    }
}

impl Inner {
    fn end(&self) -> bool {
        let first = !self.ended.swap(true, Ordering::AcqRel);
        if first {
            self.counters.running.fetch_sub(1, Ordering::Relaxed);
        }
        first
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "other codes have no counter of their own"
    )]
    fn fail(&self, code: ErrorCode) {
        self.counters.failed.fetch_add(1, Ordering::Relaxed);
        let also = match code {
            ErrorCode::QueryWasCancelled => &self.counters.cancelled,
            ErrorCode::TimeoutExceeded => &self.counters.timed_out,
            ErrorCode::TooManySimultaneousQueries => &self.counters.refused,
            _ => return,
        };
        also.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if self.end() {
            self.fail(ErrorCode::QueryWasCancelled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_query_ends_once() {
        let counters = Arc::<Counters>::default();
        let query = Running::start(Arc::clone(&counters));
        let clone = query.clone();
        query.finish();
        clone.fail(ErrorCode::TimeoutExceeded);
        drop((query, clone));
        drop(Running::start(Arc::clone(&counters)));
        let stats = counters.stats(0, 0, 0);
        assert_eq!((stats.started, stats.running), (2, 0));
        assert_eq!((stats.finished, stats.failed, stats.cancelled), (1, 1, 1));
        assert_eq!(stats.timed_out, 0);
    }
}
