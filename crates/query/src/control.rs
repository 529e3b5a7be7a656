//! What a running query shares with whoever started it: the stop signal and the counters. No policy here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::error::{ErrorCode, QueryError};

const RUNNING: u8 = 0;
const CANCELLED: u8 = 1;
const TIMED_OUT: u8 = 2;

/// A stop signal. Clones share it; once stopped it stays stopped, and the first reason counts.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<Signal>);

#[derive(Debug, Default)]
struct Signal {
    state: AtomicU8,
    wake: Notify,
}

impl Cancel {
    /// A signal that has not fired.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Stops the query: the client is gone, or somebody killed it.
    pub fn cancel(&self) {
        self.stop(CANCELLED);
    }

    /// Stops the query because its time is over.
    pub(crate) fn time_out(&self) {
        self.stop(TIMED_OUT);
    }

    fn stop(&self, reason: u8) {
        let first =
            self.0
                .state
                .compare_exchange(RUNNING, reason, Ordering::AcqRel, Ordering::Acquire);
        if first.is_ok() {
            self.0.wake.notify_waiters();
        }
    }

    /// Whether it was stopped.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.state.load(Ordering::Acquire) != RUNNING
    }

    /// The error to answer once stopped.
    ///
    /// # Errors
    /// When the query was stopped, with the reason.
    pub(crate) fn check(&self) -> Result<(), QueryError> {
        match self.0.state.load(Ordering::Acquire) {
            RUNNING => Ok(()),
            TIMED_OUT => Err(QueryError::new(
                ErrorCode::TimeoutExceeded,
                "Timeout exceeded: the query ran longer than its maximum execution time",
            )),
            _ => Err(QueryError::new(
                ErrorCode::QueryWasCancelled,
                "Query was cancelled",
            )),
        }
    }

    /// Waits until stopped.
    pub async fn cancelled(&self) {
        loop {
            let woken = self.0.wake.notified();
            if self.is_cancelled() {
                return;
            }
            woken.await;
        }
    }
}

/// Counters of one query, readable while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    read_rows: AtomicU64,
    read_bytes: AtomicU64,
    total_rows_to_read: AtomicU64,
    result_rows: AtomicU64,
    result_bytes: AtomicU64,
    memory_bytes: AtomicU64,
    written_rows: AtomicU64,
    written_bytes: AtomicU64,
}

impl Progress {
    /// Rows that the statement wrote.
    #[must_use]
    pub fn written_rows(&self) -> u64 {
        self.written_rows.load(Ordering::Relaxed)
    }

    /// Bytes of those rows as they came.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.written_bytes.load(Ordering::Relaxed)
    }

    /// Counts rows that were written.
    pub fn add_written(&self, rows: u64, bytes: u64) {
        self.written_rows.fetch_add(rows, Ordering::Relaxed);
        self.written_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Rows that scans have returned so far.
    #[must_use]
    pub fn read_rows(&self) -> u64 {
        self.read_rows.load(Ordering::Relaxed)
    }

    /// Bytes of those rows in memory.
    #[must_use]
    pub fn read_bytes(&self) -> u64 {
        self.read_bytes.load(Ordering::Relaxed)
    }

    /// Rows that the scans of the query may read, known when it starts.
    #[must_use]
    pub fn total_rows_to_read(&self) -> u64 {
        self.total_rows_to_read.load(Ordering::Relaxed)
    }

    /// Rows of the answer so far.
    #[must_use]
    pub fn result_rows(&self) -> u64 {
        self.result_rows.load(Ordering::Relaxed)
    }

    /// Bytes of the answer so far.
    #[must_use]
    pub fn result_bytes(&self) -> u64 {
        self.result_bytes.load(Ordering::Relaxed)
    }

    /// Rows that existed before the outer LIMIT, at least.
    #[must_use]
    pub fn rows_before_limit_at_least(&self) -> u64 {
        self.result_rows()
    }

    /// Most memory the query's operators held.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_read(&self, rows: u64, bytes: u64) {
        self.read_rows.fetch_add(rows, Ordering::Relaxed);
        self.read_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn add_total_rows(&self, rows: u64) {
        self.total_rows_to_read.fetch_add(rows, Ordering::Relaxed);
    }

    pub(crate) fn add_result(&self, rows: u64, bytes: u64) {
        self.result_rows.fetch_add(rows, Ordering::Relaxed);
        self.result_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn note_memory(&self, bytes: u64) {
        self.memory_bytes.fetch_max(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_to_stop_counts() {
        let cancel = Cancel::new();
        assert!(cancel.check().is_ok());
        cancel.time_out();
        cancel.cancel();
        assert_eq!(cancel.check().unwrap_err().code, ErrorCode::TimeoutExceeded);
    }

    #[tokio::test]
    async fn waiting_ends_when_stopped_before_or_during_the_wait() {
        let cancel = Cancel::new();
        let waiter = tokio::spawn({
            let cancel = cancel.clone();
            async move { cancel.cancelled().await }
        });
        cancel.cancel();
        waiter.await.unwrap();
        cancel.cancelled().await;
    }
}
