//! The rows of a running query: stops at the deadline, at a cancel and at the bounds of the result, and counts.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt, stream};
use tokio::time::Instant;

use super::admission::Turn;
use super::counters::Running;
use super::memory::QueryMemory;
use super::settings::ResultLimits;
use crate::control::{Cancel, Progress};
use crate::error::{ErrorCode, QueryError, Result};

/// A running query. Dropping it stops the query: its operators, its scans and its turn go with it.
pub(super) struct AnswerRows {
    pub(super) batches: SendableRecordBatchStream,
    pub(super) cancel: Cancel,
    pub(super) deadline: Instant,
    pub(super) progress: Arc<Progress>,
    pub(super) running: Running,
    pub(super) memory: Arc<QueryMemory>,
    pub(super) limits: ResultLimits,
    pub(super) turn: Option<Turn>,
}

impl AnswerRows {
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<RecordBatch>> {
        let guard = StopScans(self.cancel.clone());
        stream::unfold(Some((self, guard)), |state| async move {
            let (mut rows, guard) = state?;
            match rows.next().await {
                Ok(Some(batch)) => Some((Ok(batch), Some((rows, guard)))),
                Ok(None) => {
                    rows.end();
                    rows.running.finish();
                    None
                }
                Err(error) => {
                    rows.end();
                    rows.running.fail(error.code);
                    Some((Err(error), None))
                }
            }
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        loop {
            let Some(batch) = self.next_batch().await? else {
                return Ok(None);
            };
            if batch.num_rows() == 0 {
                continue;
            }
            let rows = u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
            let bytes = u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX);
            self.progress.add_result(rows, bytes);
            self.progress.note_memory(self.memory.used_bytes());
            if !self.too_much() {
                return Ok(Some(batch));
            }
            if self.limits.stop_quietly {
                return Ok(None);
            }
            return Err(QueryError::new(
                ErrorCode::TooManyRowsOrBytes,
                format!(
                    "Limit for result exceeded, max rows: {}, max bytes: {}",
                    self.limits.rows, self.limits.bytes
                ),
            ));
        }
    }

    /// The next batch, unless time is over or somebody stopped the query. A panic of an operator is its error.
    async fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        self.cancel.check()?;
        let next = AssertUnwindSafe(self.batches.next()).catch_unwind();
        let outcome = tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            () = tokio::time::sleep_until(self.deadline) => None,
            next = next => Some(next),
        };
        let Some(next) = outcome else {
            // The first reason counts: a cancel stays a cancel.
            self.cancel.time_out();
            return match self.cancel.check() {
                Err(error)
                    if error.code == ErrorCode::TimeoutExceeded && self.limits.time_out_quietly =>
                {
                    Ok(None)
                }
                outcome => outcome.map(|()| None),
            };
        };
        match next {
            Ok(None) => Ok(None),
            Ok(Some(Ok(batch))) => Ok(Some(batch)),
            Ok(Some(Err(error))) => Err(error.into()),
            Err(_) => Err(QueryError::new(
                ErrorCode::LogicalError,
                "an operator panicked; the query was stopped, nothing else is affected",
            )),
        }
    }

    fn too_much(&self) -> bool {
        let over = |limit: u64, used: u64| limit > 0 && used > limit;
        over(self.limits.rows, self.progress.result_rows())
            || over(self.limits.bytes, self.progress.result_bytes())
    }

    /// Gives the turn back before the last rows have reached a slow client.
    fn end(&mut self) {
        self.running.note_reads(&self.progress);
        self.turn = None;
    }
}

/// Scans on other threads look at the signal before every batch; a dropped answer must reach them too.
struct StopScans(Cancel);

impl Drop for StopScans {
    fn drop(&mut self) {
        self.0.cancel();
    }
}
