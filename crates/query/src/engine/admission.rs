//! Whose turn it is: as many queries as threads run, a bounded number waits for a bounded time, the rest is refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::control::Cancel;
use crate::error::{ErrorCode, QueryError, Result};

/// Held while a query runs.
pub(super) type Turn = OwnedSemaphorePermit;

/// The queue in front of the engine.
#[derive(Debug)]
pub(super) struct Admission {
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    max_waiting: usize,
    max_wait: Duration,
}

impl Admission {
    pub(super) fn new(running: usize, max_waiting: usize, max_wait: Duration) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(running)),
            waiting: AtomicUsize::new(0),
            max_waiting,
            max_wait,
        }
    }

    /// Waits for a turn, first come, first served.
    pub(super) async fn wait(&self, cancel: &Cancel, deadline: Instant) -> Result<Turn> {
        if let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(turn);
        }
        let place = Place::take(&self.waiting);
        if place.number > self.max_waiting {
            return Err(self.refusal());
        }
        let until = deadline.min(Instant::now() + self.max_wait);
        tokio::select! {
            turn = Arc::clone(&self.turns).acquire_owned() => turn.map_err(|_| self.refusal()),
            () = cancel.cancelled() => {
                cancel.check()?;
                Err(self.refusal())
            }
            () = tokio::time::sleep_until(until) => Err(self.refusal()),
        }
    }

    /// Queries that wait now.
    pub(super) fn waiting(&self) -> u64 {
        u64::try_from(self.waiting.load(Ordering::Acquire)).unwrap_or(u64::MAX)
    }

    fn refusal(&self) -> QueryError {
        QueryError::new(
            ErrorCode::TooManySimultaneousQueries,
            format!(
                "Too many simultaneous queries: {} wait already, or the wait was longer than {} s",
                self.max_waiting,
                self.max_wait.as_secs()
            ),
        )
    }
}

/// A place in the queue, given back when dropped (also when the client leaves).
struct Place<'a> {
    waiting: &'a AtomicUsize,
    number: usize,
}

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize) -> Self {
        let number = waiting.fetch_add(1, Ordering::AcqRel).saturating_add(1);
        Self { waiting, number }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_a_minute() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_a_free_turn_admits() {
        let admission = Admission::new(1, 0, Duration::from_secs(30));
        let cancel = Cancel::new();
        let turn = admission.wait(&cancel, in_a_minute()).await.unwrap();
        let refused = admission.wait(&cancel, in_a_minute()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::TooManySimultaneousQueries);
        drop(turn);
        drop(admission.wait(&cancel, in_a_minute()).await.unwrap());
    }

    #[tokio::test]
    async fn a_cancelled_query_leaves_the_queue() {
        let admission = Admission::new(1, 4, Duration::from_secs(30));
        let turn = admission.wait(&Cancel::new(), in_a_minute()).await.unwrap();
        let cancel = Cancel::new();
        cancel.cancel();
        let left = admission.wait(&cancel, in_a_minute()).await.unwrap_err();
        assert_eq!(left.code, ErrorCode::QueryWasCancelled);
        assert_eq!(admission.waiting(), 0);
        drop(turn);
    }
}
