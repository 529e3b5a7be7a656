//! The thread that merges segments: one job at a time, at low priority, never in the way of a flush.
//!
//! It reads and writes beside everything else; only the short publish at the end waits its turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::oneshot;

use super::stats::{CompactionCounters, CompactionStats};
use super::worker::{MergeOutcome, Worker};
use crate::budget::DiskBudget;
use crate::compaction::{self, MergeJob, MergePlan, MergePolicy};
use crate::config::CompactionConfig;
use crate::error::{Error, Result};
use crate::io::Disk;
use crate::limits;
use crate::live::Live;
use crate::names::DataDir;
use crate::segment::{Effort, LiveSegment, SegmentMeta};
use crate::time::{Clock, Nanos, Stopwatch};

/// How nice the thread is: about a fifteenth of ingest's share of a contended core.
const NICENESS: i32 = 12;

/// What the thread works with.
#[derive(Debug)]
pub(crate) struct CompactorParts {
    pub(crate) worker: Arc<Worker>,
    pub(crate) live: Arc<Live>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: DataDir,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) budget: Arc<DiskBudget>,
    pub(crate) config: CompactionConfig,
}

/// Which merges somebody asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeWish {
    /// Those that are due.
    Due,
    /// All that make fewer segments.
    Everything,
}

/// The merging thread and the way to reach it.
#[derive(Debug)]
pub(crate) struct Compactor {
    shared: Arc<Shared>,
    counters: Arc<CompactionCounters>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    wishes: Mutex<Wishes>,
    changed: Condvar,
    /// Ends the thread, and the job it is at.
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct Wishes {
    look: bool,
    asked: VecDeque<Asked>,
}

/// A wish and who waits for its outcome.
type Asked = (MergeWish, oneshot::Sender<Result<u64>>);

struct Loop {
    parts: CompactorParts,
    shared: Arc<Shared>,
    counters: Arc<CompactionCounters>,
    /// After a failure: not before this time.
    retry_at: Option<Nanos>,
}

impl Compactor {
    pub(crate) fn start(parts: CompactorParts) -> Result<Self> {
        let shared = Arc::new(Shared::default());
        // What the last run left undone.
        shared.wishes.lock().look = true;
        let counters = Arc::new(CompactionCounters::default());
        let mut state = Loop {
            parts,
            shared: Arc::clone(&shared),
            counters: Arc::clone(&counters),
            retry_at: None,
        };
        let thread = std::thread::Builder::new()
            .name("cairn-compact".to_owned())
            .spawn(move || {
                if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
                    tracing::debug!(%error, "the compaction thread keeps its priority");
                }
                // Without it everything still works, only slower, until ingest is refused for too many segments.
                if catch_unwind(AssertUnwindSafe(|| state.run())).is_err() {
                    tracing::error!("the compaction thread died; segments are not merged any more");
                }
            })
            .map_err(|source| Error::Io {
                op: "start",
                path: "the compaction thread".into(),
                source,
            })?;
        Ok(Self {
            shared,
            counters,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Lets the thread look for due merges.
    pub(crate) fn wake(&self) {
        self.shared.wishes.lock().look = true;
        self.shared.changed.notify_one();
    }

    /// Merges what `wish` says and returns how many merges that took.
    pub(crate) async fn merge(&self, wish: MergeWish) -> Result<u64> {
        let gone = || Error::Unavailable("it is stopping, or its compaction died".to_owned());
        let (reply, answer) = oneshot::channel();
        {
            let mut wishes = self.shared.wishes.lock();
            if self.shared.stop.load(Ordering::Relaxed)
                || wishes.asked.len() >= limits::MAX_EVENT_COUNT
            {
                return Err(gone());
            }
            wishes.asked.push_back((wish, reply));
        }
        self.shared.changed.notify_one();
        answer.await.map_err(|_| gone())?
    }

    pub(crate) fn stats(&self) -> CompactionStats {
        self.counters.snapshot()
    }

    /// Makes the thread give up what it is at and end. Does not wait.
    pub(crate) fn cancel(&self) {
        let mut wishes = self.shared.wishes.lock();
        self.shared.stop.store(true, Ordering::Relaxed);
        wishes.asked.clear();
        drop(wishes);
        self.shared.changed.notify_one();
    }

    /// Ends the thread and waits for it.
    pub(crate) fn stop(&self) {
        self.cancel();
        let thread = self.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the compaction thread died");
        }
    }
}

impl Drop for Compactor {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Loop {
    fn run(&mut self) {
        while let Some(asked) = self.next() {
            match asked {
                Some((wish, reply)) => {
                    let done = self.merge_all(wish);
                    // Nobody waiting any more is fine.
                    reply.send(done).ok();
                }
                None => self.look(),
            }
        }
    }

    /// What to do next: something asked for, or a look at what is due. None = end.
    fn next(&self) -> Option<Option<Asked>> {
        let tick = Duration::from_millis(limits::TICK_MS);
        let mut wishes = self.shared.wishes.lock();
        loop {
            if self.stopped() {
                return None;
            }
            if let Some(asked) = wishes.asked.pop_front() {
                return Some(Some(asked));
            }
            if std::mem::take(&mut wishes.look) {
                return Some(None);
            }
            let timeout = self.shared.changed.wait_for(&mut wishes, tick);
            if timeout.timed_out() && self.parts.config.enabled {
                return Some(None);
            }
        }
    }

    fn stopped(&self) -> bool {
        self.shared.stop.load(Ordering::Relaxed)
    }

    /// Does the most urgent merge that is due.
    fn look(&mut self) {
        let now = self.parts.clock.now();
        if !self.parts.config.enabled || self.retry_at.is_some_and(|at| now < at) {
            return;
        }
        match self.merge_next(MergeWish::Due) {
            Ok(merged) => {
                self.retry_at = None;
                // There may be more; what is asked for and the end come first.
                self.shared.wishes.lock().look |= merged;
            }
            Err(error) => {
                self.retry_at = Some(Nanos(now.0.saturating_add(limits::MAX_RETRY_NS)));
                tracing::error!(%error, "a merge of segments failed; they stay as they are");
            }
        }
    }

    fn merge_all(&self, wish: MergeWish) -> Result<u64> {
        let mut merges = 0;
        while !self.stopped() && self.merge_next(wish)? {
            merges += 1;
        }
        self.parts.worker.settle()?;
        Ok(merges)
    }

    /// Does one merge, when there is one to do.
    fn merge_next(&self, wish: MergeWish) -> Result<bool> {
        self.parts.worker.measure();
        let segments = self.parts.live.segments();
        let healthy = segments.iter().filter(|segment| segment.damage().is_none());
        let metas = healthy.clone().map(|segment| segment.meta());
        let plans = compaction::plan(metas, &self.policy(wish), self.parts.clock.now());
        self.counters.pending(plans.len());
        let Some(plan) = plans.first() else {
            return Ok(false);
        };
        let mut inputs: Vec<Arc<LiveSegment>> = Vec::with_capacity(plan.inputs.len());
        inputs.extend(
            healthy
                .filter(|segment| plan.inputs.contains(&segment.meta().id))
                .cloned(),
        );
        // From here on only the inputs are pinned.
        drop(segments);
        let running = self.counters.start();
        let merged = self.merge(plan, &inputs);
        drop(running);
        if merged.is_err() {
            self.counters.failed();
        }
        merged
    }

    fn merge(&self, plan: &MergePlan, inputs: &[Arc<LiveSegment>]) -> Result<bool> {
        let watch = Stopwatch::start();
        let job = MergeJob {
            inputs,
            level: plan.level,
            effort: if plan.level > 1 {
                Effort::Thorough
            } else {
                Effort::Quick
            },
            created_at: self.parts.clock.now(),
        };
        let (disk, dirs) = (&self.parts.disk, &self.parts.dirs);
        let Some(merged) = compaction::run(&job, disk, dirs, &self.shared.stop)? else {
            return Ok(false);
        };
        let rows = inputs.iter().map(|input| input.meta().rows).sum();
        let output_bytes = merged
            .meta()
            .map_or(0, |meta: &SegmentMeta| meta.file_bytes);
        if self.parts.worker.publish_merge(inputs, merged)? == MergeOutcome::Stale {
            tracing::info!(table = %plan.table, "a merge came too late: an input has gone");
            return Ok(true);
        }
        let bytes = (plan.input_bytes, output_bytes);
        self.counters.merged(rows, bytes, watch.elapsed_ns());
        tracing::info!(
            table = %plan.table,
            segments = inputs.len(),
            rows,
            bytes = plan.input_bytes,
            into = output_bytes,
            level = plan.level,
            "merged segments"
        );
        Ok(true)
    }

    fn policy(&self, wish: MergeWish) -> MergePolicy {
        let config = &self.parts.config;
        MergePolicy {
            level0_count: config.level0_count,
            level1_count: config.level1_count,
            max_inputs: limits::MAX_MERGE_INPUTS,
            sealed_bytes: config.sealed_bytes,
            room_bytes: self.parts.budget.room_bytes(),
            quiet_ns: config.quiet_ns,
            everything: wish == MergeWish::Everything,
        }
    }
}
