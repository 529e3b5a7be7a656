//! The maintenance thread: one loop over a closed set of events. Asleep unless woken or a tick is due.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::compactor::Compactor;
use super::worker::{Worker, is_fenced};
use crate::error::{Error, ErrorKind, Result};
use crate::flush::{FlushLimits, plan_seals};
use crate::ids::TableId;
use crate::limits;
use crate::live::Live;
use crate::time::{Clock, Nanos};
use crate::wal::Wal;

/// Wakes the maintenance thread.
#[derive(Debug, Clone)]
pub(crate) struct Waker(SyncSender<Event>);

/// Where the maintenance thread will listen.
#[derive(Debug)]
pub(crate) struct Inbox(Receiver<Event>);

/// The two ends, before there is a thread: whoever wakes it exists earlier than it.
pub(crate) fn inbox() -> (Waker, Inbox) {
    let (events, inbox) = sync_channel(limits::MAX_EVENT_COUNT);
    (Waker(events), Inbox(inbox))
}

impl Waker {
    /// Lets the thread look for work. Never waits: when its inbox is full it is awake anyway.
    pub(crate) fn wake(&self) {
        self.0.try_send(Event::Wake).ok();
    }
}

/// What the maintenance thread works with.
#[derive(Debug)]
pub(crate) struct SchedulerParts {
    pub(crate) worker: Arc<Worker>,
    pub(crate) live: Arc<Live>,
    pub(crate) wal: Arc<Wal>,
    pub(crate) compactor: Arc<Compactor>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: FlushLimits,
}

/// The maintenance thread and the way to reach it.
#[derive(Debug)]
pub(crate) struct Scheduler {
    events: SyncSender<Event>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Everything that the thread reacts to.
#[derive(Debug)]
enum Event {
    /// Something may be due: look.
    Wake,
    /// Flush everything and say how it went.
    Flush(oneshot::Sender<Result<()>>),
    /// End.
    Stop,
}

struct Loop {
    parts: SchedulerParts,
    /// After a failure: not before this time, and how long to wait after the next one.
    retry_at: Option<Nanos>,
    retry_ns: i64,
}

impl Scheduler {
    pub(crate) fn start(parts: SchedulerParts, waker: &Waker, inbox: Inbox) -> Result<Self> {
        let mut state = Loop {
            parts,
            retry_at: None,
            retry_ns: limits::MIN_RETRY_NS,
        };
        let thread = std::thread::Builder::new()
            .name("cairn-maintain".to_owned())
            .spawn(move || {
                if catch_unwind(AssertUnwindSafe(|| state.run(&inbox.0))).is_err() {
                    state
                        .parts
                        .wal
                        .close("the maintenance thread died; restart the process");
                }
            })
            .map_err(|source| Error::Io {
                op: "start",
                path: "the maintenance thread".into(),
                source,
            })?;
        Ok(Self {
            events: waker.0.clone(),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Flushes everything that is visible now.
    pub(crate) async fn flush(&self) -> Result<()> {
        let gone = || Error::Unavailable("it is stopping, or its maintenance died".to_owned());
        let (reply, answer) = oneshot::channel();
        self.events
            .try_send(Event::Flush(reply))
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Ends the thread after the job it is at.
    pub(crate) fn stop(&self) {
        let Some(thread) = self.thread.lock().take() else {
            return;
        };
        // Waits for room in the inbox; fails only when the thread has gone.
        self.events.send(Event::Stop).ok();
        if thread.join().is_err() {
            tracing::error!("the maintenance thread died");
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Loop {
    fn run(&mut self, inbox: &Receiver<Event>) {
        let tick = Duration::from_millis(limits::TICK_MS);
        loop {
            match inbox.recv_timeout(tick) {
                Ok(Event::Wake) | Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(Event::Flush(reply)) => {
                    for table in TableId::ALL {
                        self.parts.live.seal(table);
                    }
                    let drained = self.drain();
                    // Nobody waiting any more is fine.
                    reply.send(drained).ok();
                }
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn look(&mut self) {
        let now = self.parts.clock.now();
        for table in plan_seals(&self.parts.live.memtables(), self.parts.limits, now) {
            self.parts.live.seal(table);
        }
        if self.retry_at.is_none_or(|at| now >= at)
            && let Err(error) = self.drain()
        {
            tracing::error!(%error, "a flush failed, the rows stay in memory and in the WAL");
        }
    }

    fn drain(&mut self) -> Result<()> {
        let drained = self.parts.worker.drain(Some(&self.parts.wal));
        match &drained {
            Ok(()) => {
                self.parts.compactor.wake();
                self.retry_at = None;
                self.retry_ns = limits::MIN_RETRY_NS;
            }
            Err(error) => {
                if is_fenced(error) {
                    self.parts.wal.close(&error.to_string());
                }
                if error.kind() == ErrorKind::DiskFull {
                    // Somebody may make space at any moment, and trying costs little.
                    self.retry_ns = self.retry_ns.min(limits::MAX_FULL_RETRY_NS);
                }
                let at = self.parts.clock.now().0.saturating_add(self.retry_ns);
                self.retry_at = Some(Nanos(at));
                self.retry_ns = self.retry_ns.saturating_mul(2).min(limits::MAX_RETRY_NS);
            }
        }
        drained
    }
}
