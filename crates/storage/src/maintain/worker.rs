//! Does one job after the other: write segments, publish, show, release the WAL. A job whose publish failed is
//! published again, unchanged, before anything else happens.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use super::evictor::Evictor;
use super::stats::{FlushCounters, FlushStats, RetentionStats};
use crate::compaction::Merged;
use crate::error::{Error, ErrorKind, Result};
use crate::flush;
use crate::ids::{SegmentId, TableId, WalSeq};
use crate::invariants;
use crate::io::{Disk, atomic};
use crate::limits;
use crate::live::Live;
use crate::manifest::{Edit, Manifest, QuarantinedSegment, State};
use crate::memtable::SealedMemtable;
use crate::names::DataDir;
use crate::segment::{LiveSegment, PromoteLimits, SegmentAccess, SegmentMeta};
use crate::time::{Clock, Nanos, Stopwatch};
use crate::wal::Wal;

/// What the worker works with.
#[derive(Debug, Clone)]
pub(crate) struct WorkerParts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dirs: DataDir,
    pub(crate) live: Arc<Live>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) access: Arc<SegmentAccess>,
    pub(crate) evictor: Arc<Evictor>,
    pub(crate) promote: PromoteLimits,
}

/// The one who publishes. Callers share it; jobs never run side by side.
#[derive(Debug)]
pub(crate) struct Worker {
    parts: WorkerParts,
    jobs: Mutex<Jobs>,
    counters: FlushCounters,
}

#[derive(Debug, Default)]
struct Jobs {
    /// Done but for its publish.
    unpublished: Option<Job>,
    /// Left the store with the newest version: their files stay until there is a newer one, because should the newest
    /// manifest file be damaged at the next start, they are part of the store again.
    retired: Vec<Arc<LiveSegment>>,
    /// When the first of them was put there.
    retired_at: Nanos,
    /// WAL records up to here were in segments as of the version before the newest one.
    releasable: WalSeq,
}

#[derive(Debug)]
enum Job {
    Flush {
        sealed: Arc<SealedMemtable>,
        edit: Edit,
    },
    Merge {
        edit: Edit,
    },
    Quarantine {
        edit: Edit,
    },
    /// Drops what is too old or too much.
    Evict {
        edit: Edit,
    },
    /// A version without a change, so that the files of retired segments can go.
    Settle {
        edit: Edit,
    },
}

/// What became of a merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MergeOutcome {
    /// Its output is live, its inputs are not.
    Published,
    /// An input has left the store meanwhile: the output is deleted.
    Stale,
}

impl Job {
    fn settle() -> Self {
        Self::Settle {
            edit: Edit::default(),
        }
    }
}

impl Worker {
    pub(crate) fn new(parts: WorkerParts) -> Self {
        Self {
            parts,
            jobs: Mutex::new(Jobs::default()),
            counters: FlushCounters::default(),
        }
    }

    pub(crate) fn stats(&self) -> FlushStats {
        self.counters.snapshot()
    }

    /// Measures the disk anew.
    pub(crate) fn measure(&self) {
        self.parts.evictor.measure();
    }

    pub(crate) fn retention_stats(&self) -> RetentionStats {
        self.parts.evictor.stats()
    }

    /// Works until nothing is left, then releases WAL files. `wal` is absent while it is being replayed.
    pub(crate) fn drain(&self, wal: Option<&Wal>) -> Result<()> {
        let mut jobs = self.jobs.lock();
        self.parts.access.remove_doomed();
        self.publish_rest(&mut jobs, wal)?;
        while let Some(job) = self.next_job(&jobs)? {
            self.finish(&mut jobs, job, wal)?;
        }
        self.parts.evictor.restore_ballast();
        Ok(())
    }

    /// Puts the outcome of a merge in the place of its inputs.
    pub(crate) fn publish_merge(
        &self,
        inputs: &[Arc<LiveSegment>],
        merged: Merged,
    ) -> Result<MergeOutcome> {
        let mut jobs = self.jobs.lock();
        self.publish_rest(&mut jobs, None)?;
        let removes: Vec<SegmentId> = inputs.iter().map(|input| input.meta().id).collect();
        let live = removes
            .iter()
            .all(|id| self.parts.live.segment(*id).is_some());
        let damaged = inputs.iter().any(|input| input.damage().is_some());
        if !live || damaged {
            return Ok(MergeOutcome::Stale);
        }
        let edit = Edit {
            adds: merged.keep().into_iter().map(Arc::new).collect(),
            removes,
            ..Edit::default()
        };
        self.finish(&mut jobs, Job::Merge { edit }, None)?;
        Ok(MergeOutcome::Published)
    }

    /// Lets the files of retired segments go now.
    pub(crate) fn settle(&self) -> Result<()> {
        let mut jobs = self.jobs.lock();
        self.publish_rest(&mut jobs, None)?;
        if !jobs.retired.is_empty() {
            self.finish(&mut jobs, Job::settle(), None)?;
        }
        self.parts.access.remove_doomed();
        Ok(())
    }

    /// Publishes a version that says nothing but what the newest one said.
    pub(crate) fn repeat_newest(&self) -> Result<()> {
        self.finish(&mut self.jobs.lock(), Job::settle(), None)
    }

    /// Publishes the job whose publish failed, when there is one.
    fn publish_rest(&self, jobs: &mut Jobs, wal: Option<&Wal>) -> Result<()> {
        match jobs.unpublished.take() {
            Some(job) => self.finish(jobs, job, wal),
            None => Ok(()),
        }
    }

    /// Publishes a job and shows what it changed. On failure it is kept, to be published again unchanged.
    fn finish(&self, jobs: &mut Jobs, job: Job, wal: Option<&Wal>) -> Result<()> {
        let mut published = self.publish(&job);
        if let Err(error) = &published
            && error.kind() == ErrorKind::DiskFull
            && self.parts.evictor.give_up_ballast()
        {
            published = self.publish(&job);
        }
        if let Err(error) = published {
            self.counters.failed();
            jobs.unpublished = Some(job);
            return Err(error);
        }
        jobs.retired.clear();
        jobs.retired = self.show(job);
        jobs.retired_at = self.parts.clock.now();
        self.release(jobs, wal)
    }

    fn next_job(&self, jobs: &Jobs) -> Result<Option<Job>> {
        if let Some(edit) = self.quarantine_edit() {
            return Ok(Some(Job::Quarantine { edit }));
        }
        // Before a flush: it may need the space.
        self.parts.evictor.measure();
        if let Some(edit) = self.parts.evictor.edit() {
            return Ok(Some(Job::Evict { edit }));
        }
        let now = self.parts.clock.now();
        let Some(sealed) = self.parts.live.next_to_flush() else {
            let due = now.since(jobs.retired_at) >= limits::SETTLE_NS;
            let settle = due && !jobs.retired.is_empty();
            return Ok(settle.then(Job::settle));
        };
        let watch = Stopwatch::start();
        let flushed = flush::run(
            &sealed,
            &self.parts.disk,
            &self.parts.dirs,
            (now, self.parts.promote),
        )
        .inspect_err(|_| self.counters.failed())?;
        let adds: Vec<Arc<SegmentMeta>> = flushed.keep().into_iter().map(Arc::new).collect();
        let bytes = adds.iter().map(|meta| meta.file_bytes).sum();
        self.counters
            .wrote(sealed.rows(), bytes, watch.elapsed_ns());
        tracing::info!(
            table = %sealed.table(),
            rows = sealed.rows(),
            segments = adds.len(),
            bytes,
            "flushed a memtable"
        );
        let edit = Edit {
            adds,
            watermarks: self.watermarks(Some(&sealed)),
            ..Edit::default()
        };
        Ok(Some(Job::Flush { sealed, edit }))
    }

    /// How far every table is flushed, once `flushed` is published. Never behind what is published already: at
    /// replay the memtables have not caught up with it yet.
    fn watermarks(&self, flushed: Option<&Arc<SealedMemtable>>) -> Vec<(TableId, WalSeq)> {
        let state = self.parts.manifest.state();
        let watermarks = self.parts.live.flushed_through(flushed).into_iter();
        watermarks
            .map(|(table, seq)| (table, seq.max(state.watermark(table))))
            .collect()
    }

    /// The edit that takes damaged segments out, when readers have met any.
    fn quarantine_edit(&self) -> Option<Edit> {
        let damaged = self.parts.access.take_damaged();
        let quarantined: Vec<QuarantinedSegment> = damaged
            .into_iter()
            .filter_map(|(id, why)| {
                let segment = self.parts.live.segment(id)?;
                let meta = segment.meta();
                Some(QuarantinedSegment {
                    id,
                    table: meta.table,
                    rows: meta.rows,
                    why,
                })
            })
            .collect();
        (!quarantined.is_empty()).then(|| Edit {
            quarantined,
            ..Edit::default()
        })
    }

    fn publish(&self, job: &Job) -> Result<()> {
        let (Job::Flush { edit, .. }
        | Job::Merge { edit }
        | Job::Quarantine { edit }
        | Job::Evict { edit }
        | Job::Settle { edit }) = job;
        self.parts.manifest.publish(edit).map(|_| ())
    }

    /// Makes a published job visible. Returns the segments whose files it made superfluous.
    fn show(&self, job: Job) -> Vec<Arc<LiveSegment>> {
        match job {
            Job::Flush { sealed, edit } => {
                let adds = edit.adds.iter().map(|meta| self.open(meta)).collect();
                self.parts.live.replace(&sealed, adds);
            }
            Job::Merge { edit } => {
                let adds = edit.adds.iter().map(|meta| self.open(meta)).collect();
                let retired = self.parts.live.swap(&edit.removes, adds);
                for segment in &retired {
                    segment.doom();
                }
                return retired;
            }
            Job::Evict { edit } => {
                for segment in self.parts.live.swap(&edit.removes, Vec::new()) {
                    segment.doom();
                }
                // Space cannot wait for another version of the manifest. Should this one be lost, the segments are
                // reported as missing: they were not wanted any more.
                self.parts.access.remove_doomed();
            }
            Job::Settle { .. } => {}
            Job::Quarantine { edit } => {
                let ids: Vec<SegmentId> = edit.quarantined.iter().map(|s| s.id).collect();
                for segment in &edit.quarantined {
                    tracing::error!(
                        segment = %segment.id,
                        table = %segment.table,
                        rows = segment.rows,
                        why = segment.why,
                        "a segment is damaged: its rows are missing from results from now on"
                    );
                }
                for segment in self.parts.live.swap(&ids, Vec::new()) {
                    move_to_quarantine(self.parts.disk.as_ref(), &self.parts.dirs, &segment);
                }
            }
        }
        Vec::new()
    }

    /// Shows what the manifest had at the start. Those in `incomplete` are damaged: the next job takes them out.
    pub(crate) fn show_recovered(&self, state: &State, incomplete: &BTreeMap<SegmentId, String>) {
        let segments: Vec<_> = state
            .segments
            .values()
            .map(|meta| self.open(meta))
            .collect();
        for segment in &segments {
            if let Some(why) = incomplete.get(&segment.meta().id) {
                let error = segment.mark_damaged(why.clone());
                tracing::error!(%error, "a segment is incomplete");
            }
        }
        self.parts.live.add(segments);
    }

    /// The segment of `meta`, ready to be read.
    fn open(&self, meta: &Arc<SegmentMeta>) -> Arc<LiveSegment> {
        let path = self.parts.dirs.segment_file(meta.table, meta.day, meta.id);
        LiveSegment::open(SegmentMeta::clone(meta), path, &self.parts.access)
    }

    /// Deletes WAL files, one version late: should the newest manifest file be damaged at the next start, the WAL
    /// still has what it added.
    fn release(&self, jobs: &mut Jobs, wal: Option<&Wal>) -> Result<()> {
        let watermarks = self.parts.live.flushed_through(None).into_iter();
        let flushed = watermarks.map(|(_, seq)| seq).min().unwrap_or_default();
        if let Some(wal) = wal {
            invariants::st9_release_is_flushed(jobs.releasable, flushed)?;
            if let Err(error) = wal.release(jobs.releasable) {
                tracing::warn!(%error, "cannot delete a flushed WAL file, will try again");
            }
        }
        jobs.releasable = flushed;
        Ok(())
    }
}

/// Moves the file of a segment that was unpublished. Readers that have it open go on.
fn move_to_quarantine(disk: &dyn Disk, dirs: &DataDir, segment: &LiveSegment) {
    let Some(name) = segment.path().file_name() else {
        return;
    };
    let target = dirs.quarantine_dir().join(name);
    if let Err(error) = atomic::move_file(disk, segment.path(), &target) {
        tracing::warn!(path = %segment.path().display(), %error, "cannot move a damaged segment");
    }
}

/// Whether the error means that another process has taken the store over.
pub(super) fn is_fenced(error: &Error) -> bool {
    matches!(error, Error::Locked { .. })
}
