//! Group commit: requests queue up while the thread syncs, and the next sync is for all of them.
//!
//! Also the WAL's moods: writing, waiting for a failed disk to come back, closed for good.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::replay::{ClosedFile, Recovered};
use super::stats::{WalCounters, WalStats};
use super::writer::{WalParts, WalWriter, record_bytes};
use crate::budget::Permit;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::WalSeq;
use crate::limits;
use crate::record::{RawRecord, TableBatch};
use crate::time::Nanos;

/// Why writes are refused after an orderly stop: nothing an operator has to hear of.
const STOPPING: &str = "it is stopping";

/// A durable record on its way to the memtables.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) seq: WalSeq,
    pub(crate) batches: Vec<TableBatch>,
    /// The memory that the batches take.
    pub(crate) permit: Permit,
}

/// Takes durable records in order, before their senders hear of it.
pub(crate) type Sink = Box<dyn FnMut(Vec<Committed>) -> Result<()> + Send>;

/// The running WAL.
#[derive(Debug)]
pub(crate) struct Wal {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    closed_files: Arc<Mutex<Vec<ClosedFile>>>,
    counters: Arc<WalCounters>,
    parts: WalParts,
}

#[derive(Debug, Default)]
struct Queue {
    pending: VecDeque<Pending>,
    bytes: u64,
    stopping: bool,
    mood: Mood,
}

#[derive(Debug, Default)]
enum Mood {
    #[default]
    Writing,
    /// The disk failed; the next attempt is due at the time.
    Waiting(Failure, Nanos),
    /// Never again in this process.
    Closed(String),
}

/// Why nothing was written: every waiting request gets its own copy.
#[derive(Debug, Clone)]
struct Failure {
    disk_full: bool,
    reason: String,
}

#[derive(Debug)]
struct Pending {
    record: RawRecord,
    batches: Vec<TableBatch>,
    permit: Permit,
    ack: oneshot::Sender<Result<WalSeq>>,
}

impl Pending {
    /// Gives its memory back, then tells the sender: a sender that heard of it finds room for the next attempt.
    fn refuse(self, error: Error) {
        drop((self.record, self.batches, self.permit));
        // Nobody listening is fine.
        self.ack.send(Err(error)).ok();
    }
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            disk_full: error.kind() == ErrorKind::DiskFull,
            reason: error.to_string(),
        }
    }

    fn to_error(&self) -> Error {
        if self.disk_full {
            Error::DiskFull {
                what: self.reason.clone(),
            }
        } else {
            Error::ReadOnly {
                reason: self.reason.clone(),
            }
        }
    }
}

impl Wal {
    /// Starts the thread. Nothing is written before the first record.
    pub(crate) fn start(parts: WalParts, recovered: Recovered, sink: Sink) -> Result<Self> {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue::default()),
            wake: Condvar::new(),
            closed_files: Arc::default(),
            counters: Arc::default(),
            parts: parts.clone(),
        });
        let writer = WalWriter::new(
            parts,
            recovered,
            Arc::clone(&shared.closed_files),
            Arc::clone(&shared.counters),
        );
        let for_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("cairn-wal".to_owned())
            .spawn(move || run(&for_thread, writer, sink))
            .map_err(|source| Error::Io {
                op: "start the WAL thread of",
                path: shared.parts.dirs.root().to_owned(),
                source,
            })?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Queues a record. The receiver resolves when it is durable and handed to the sink, or when it failed. Dropping
    /// the receiver before the record is written takes it back.
    pub(crate) fn submit(
        &self,
        record: RawRecord,
        batches: Vec<TableBatch>,
        permit: Permit,
    ) -> Result<oneshot::Receiver<Result<WalSeq>>> {
        let bytes = record_bytes(&record);
        if bytes > limits::MAX_RECORD_BYTES {
            return Err(Error::Invalid(format!(
                "a request of {bytes} bytes is larger than the {} that can be stored at once",
                limits::MAX_RECORD_BYTES
            )));
        }
        let mut queue = self.shared.queue.lock();
        queue.admit(self.shared.parts.clock.now())?;
        let after = queue.bytes.saturating_add(bytes);
        if after > limits::MAX_WAL_QUEUE_BYTES {
            return Err(Error::Overloaded {
                what: "the WAL queue",
                used_bytes: queue.bytes,
                limit_bytes: limits::MAX_WAL_QUEUE_BYTES,
            });
        }
        queue.bytes = after;
        let (ack, acked) = oneshot::channel();
        queue.pending.push_back(Pending {
            record,
            batches,
            permit,
            ack,
        });
        drop(queue);
        self.shared.wake.notify_one();
        Ok(acked)
    }

    /// Deletes closed files whose every record is at or below `through`, oldest first.
    pub(crate) fn release(&self, through: WalSeq) -> Result<()> {
        loop {
            let Some(file) = self
                .shared
                .closed_files
                .lock()
                .first()
                .filter(|file| file.last_seq <= through)
                .copied()
            else {
                return Ok(());
            };
            let path = self.shared.parts.dirs.wal_file(file.name);
            // Stops at the first failure, so that what remains is always the end of the log.
            self.shared.parts.disk.remove(&path)?;
            self.shared
                .closed_files
                .lock()
                .retain(|kept| kept.name != file.name);
        }
    }

    /// Refuses every further write in this process.
    pub(crate) fn close(&self, reason: &str) {
        self.shared.close(reason);
    }

    /// Why writes are refused; `None` when they are not.
    pub(crate) fn refusal(&self) -> Option<String> {
        match &self.shared.queue.lock().mood {
            Mood::Writing => None,
            Mood::Waiting(failure, _) => Some(failure.reason.clone()),
            Mood::Closed(reason) => Some(reason.clone()),
        }
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        let closed: u64 = self
            .shared
            .closed_files
            .lock()
            .iter()
            .map(|f| f.bytes)
            .sum();
        closed.saturating_add(self.shared.counters.open_file_bytes())
    }

    pub(crate) fn stats(&self) -> WalStats {
        let open = self.shared.counters.open_file_bytes();
        let closed_count = u64::try_from(self.shared.closed_files.lock().len()).unwrap_or(u64::MAX);
        WalStats {
            file_count: closed_count + u64::from(open > 0),
            bytes: self.bytes(),
            queued_bytes: self.shared.queue.lock().bytes,
            ..self.shared.counters.snapshot()
        }
    }

    /// Writes what is queued, then ends the thread.
    pub(crate) fn stop(&self) {
        self.shared.queue.lock().stopping = true;
        self.shared.wake.notify_one();
        // Taken before it is waited for: should the disk hang, nobody else waits for it again.
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the WAL thread died");
        }
    }
}

impl Drop for Wal {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Queue {
    /// Whether a record may join. While the disk is failing, one comes through when the next attempt is due.
    fn admit(&self, now: Nanos) -> Result<()> {
        if self.stopping {
            return Err(Error::Unavailable(STOPPING.to_owned()));
        }
        match &self.mood {
            Mood::Closed(reason) => Err(Error::Unavailable(reason.clone())),
            Mood::Waiting(failure, retry_at) if now < *retry_at => Err(failure.to_error()),
            Mood::Writing | Mood::Waiting(..) => Ok(()),
        }
    }

    /// The next group: whatever waits, up to a size. Whoever stopped waiting is left out.
    fn take_group(&mut self) -> Vec<Pending> {
        let mut group = Vec::new();
        let mut group_bytes = 0_u64;
        while let Some(next) = self.pending.front() {
            let bytes = record_bytes(&next.record);
            group_bytes = group_bytes.saturating_add(bytes);
            if !group.is_empty() && group_bytes > limits::MAX_GROUP_BYTES {
                break;
            }
            self.bytes = self.bytes.saturating_sub(bytes);
            if let Some(pending) = self.pending.pop_front()
                && !pending.ack.is_closed()
            {
                group.push(pending);
            }
        }
        group
    }
}

impl Shared {
    fn close(&self, reason: &str) {
        let mut queue = self.queue.lock();
        if !matches!(queue.mood, Mood::Closed(_)) {
            if reason == STOPPING {
                tracing::debug!("no more writes: the store stops");
            } else {
                tracing::error!(reason, "writes are refused from now on");
            }
            queue.mood = Mood::Closed(reason.to_owned());
        }
        let waiting = std::mem::take(&mut queue.pending);
        queue.bytes = 0;
        drop(queue);
        for pending in waiting {
            pending.refuse(Error::Unavailable(reason.to_owned()));
        }
    }

    fn set_mood(&self, outcome: Result<(), Failure>) {
        let mut queue = self.queue.lock();
        match (&queue.mood, outcome) {
            (Mood::Closed(_), _) | (Mood::Writing, Ok(())) => {}
            (Mood::Waiting(..), Ok(())) => {
                tracing::info!("the disk takes writes again");
                queue.mood = Mood::Writing;
            }
            (Mood::Writing | Mood::Waiting(..), Err(failure)) => {
                tracing::error!(
                    reason = failure.reason,
                    "writes are refused, the disk failed"
                );
                let retry_at = self
                    .parts
                    .clock
                    .now()
                    .0
                    .saturating_add(limits::PROBE_INTERVAL_NS);
                queue.mood = Mood::Waiting(failure, Nanos(retry_at));
            }
        }
    }
}

enum Work {
    Group(Vec<Pending>),
    Probe,
    Stop,
}

fn run(shared: &Shared, mut writer: WalWriter, mut sink: Sink) {
    let worked = catch_unwind(AssertUnwindSafe(|| {
        loop {
            match next_work(shared) {
                Work::Group(group) => commit(shared, &mut writer, &mut sink, group),
                Work::Probe => shared.set_mood(writer.probe().map_err(|e| Failure::of(&e))),
                Work::Stop => return,
            }
        }
    }));
    shared.close(if worked.is_ok() {
        STOPPING
    } else {
        "the WAL thread died; restart the process"
    });
}

fn next_work(shared: &Shared) -> Work {
    let mut queue = shared.queue.lock();
    loop {
        let group = queue.take_group();
        if !group.is_empty() {
            return Work::Group(group);
        }
        if queue.stopping {
            return Work::Stop;
        }
        if let Mood::Waiting(_, retry_at) = &queue.mood {
            if shared.parts.clock.now() >= *retry_at {
                return Work::Probe;
            }
            let tick = Duration::from_millis(limits::TICK_MS);
            shared.wake.wait_for(&mut queue, tick);
        } else {
            shared.wake.wait(&mut queue);
        }
    }
}

fn commit(shared: &Shared, writer: &mut WalWriter, sink: &mut Sink, group: Vec<Pending>) {
    let records: Vec<&RawRecord> = group.iter().map(|pending| &pending.record).collect();
    let payload_bytes = records
        .iter()
        .map(|record| u64::try_from(record.payload.len()).unwrap_or(u64::MAX))
        .sum();
    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let first = match writer.commit(&records) {
        Ok(first) => first,
        Err(error) => {
            let failure = Failure::of(&error);
            shared.set_mood(Err(failure.clone()));
            for pending in group {
                pending.refuse(failure.to_error());
            }
            return;
        }
    };
    shared.set_mood(Ok(()));
    shared.counters.appended(count, payload_bytes);
    let mut seq = first;
    let mut committed = Vec::with_capacity(group.len());
    let mut acks = Vec::with_capacity(group.len());
    for pending in group {
        committed.push(Committed {
            seq,
            batches: pending.batches,
            permit: pending.permit,
        });
        acks.push((pending.ack, seq));
        seq = seq.next();
    }
    if let Err(error) = sink(committed) {
        // Durable but not visible: whoever waits must not hear of success, and a restart shows the rows.
        shared.close(&error.to_string());
        return;
    }
    for (ack, seq) in acks {
        ack.send(Ok(seq)).ok();
    }
}
