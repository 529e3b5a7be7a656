//! Opening: lock, newest manifest state, sweep, replay into memtables (flushing on the way), threads.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::sweep::sweep;
use super::{Parts, Store, check_batches};
use crate::budget::{DiskBudget, DiskLimits, Governor};
use crate::config::StorageConfig;
use crate::error::{Error, Result};
use crate::flush::{FlushLimits, plan_seals};
use crate::ids::{SegmentId, TableId, WalSeq};
use crate::io::{Disk, LockGuard, acquire_lock, atomic};
use crate::live::Live;
use crate::maintain::{
    Compactor, CompactorParts, Evictor, EvictorParts, Merger, Scheduler, SchedulerParts, Waker,
    Worker, WorkerParts, inbox,
};
use crate::manifest::{Manifest, ManifestParts, Recovery};
use crate::memtable::bytes_of;
use crate::names::DataDir;
use crate::record::{RawRecord, TableBatch};
use crate::segment::{PromoteLimits, SegmentAccess};
use crate::time::Clock;
use crate::wal::{self, Committed, ReplayReport, Wal, WalParts};

pub(super) fn open(config: StorageConfig, parts: Parts) -> Result<Arc<Store>> {
    let dirs = DataDir::new(&config.data_dir);
    let lock = prepare(parts.disk.as_ref(), &dirs, &config)?;
    let Recovered {
        manifest,
        access,
        live,
        worker,
        budget,
    } = recover(&parts, &dirs, &config)?;
    let governor = Governor::new(config.max_memtable_total_bytes);
    let replaying = Replaying {
        parts: &parts,
        dirs: &dirs,
        config: &config,
        worker: &worker,
        live: &live,
        manifest: &manifest,
        governor: &governor,
    };
    let (recovered, replay) = replaying.run()?;
    let (waker, inbox) = inbox();
    let merger = Arc::new(Merger::start(Arc::clone(&live))?);
    let compactor_parts = CompactorParts {
        worker: Arc::clone(&worker),
        live: Arc::clone(&live),
        disk: Arc::clone(&parts.disk),
        dirs: dirs.clone(),
        clock: Arc::clone(&parts.clock),
        budget: Arc::clone(&budget),
        config: config.compaction.clone(),
    };
    let compactor = Arc::new(Compactor::start(compactor_parts)?);
    let wal_parts = WalParts {
        disk: parts.disk,
        clock: Arc::clone(&parts.clock),
        dirs,
        file_bytes: config.wal_file_bytes,
    };
    let sink = sink(&config, &parts.clock, &live, &merger, waker.clone());
    let wal = Arc::new(Wal::start(wal_parts, recovered, sink)?);
    let scheduler_parts = SchedulerParts {
        worker: Arc::clone(&worker),
        live: Arc::clone(&live),
        wal: Arc::clone(&wal),
        compactor: Arc::clone(&compactor),
        clock: parts.clock,
        limits: flush_limits(&config),
    };
    Ok(Arc::new(Store {
        scheduler: Scheduler::start(scheduler_parts, &waker, inbox)?,
        compactor,
        merger,
        wal,
        worker,
        live,
        manifest,
        access,
        budget,
        governor,
        config,
        replay,
        lock,
    }))
}

/// What a start has before it reads the WAL.
struct Recovered {
    manifest: Arc<Manifest>,
    access: Arc<SegmentAccess>,
    live: Arc<Live>,
    worker: Arc<Worker>,
    budget: Arc<DiskBudget>,
}

/// Finds the newest state, clears up behind the last run, and shows the segments.
fn recover(parts: &Parts, dirs: &DataDir, config: &StorageConfig) -> Result<Recovered> {
    let (manifest, recovery) = Manifest::open(ManifestParts {
        disk: Arc::clone(&parts.disk),
        dirs: dirs.clone(),
    })?;
    let manifest = Arc::new(manifest);
    let access = SegmentAccess::new(Arc::clone(&parts.disk));
    let live = Arc::new(Live::new());
    let budget = Arc::new(DiskBudget::new(DiskLimits {
        max_bytes: config.max_disk_bytes,
        min_free_bytes: config.retention.min_free_bytes,
    }));
    let evictor = Arc::new(Evictor::new(EvictorParts {
        disk: Arc::clone(&parts.disk),
        clock: Arc::clone(&parts.clock),
        dirs: dirs.clone(),
        live: Arc::clone(&live),
        manifest: Arc::clone(&manifest),
        access: Arc::clone(&access),
        budget: Arc::clone(&budget),
        config: config.retention.clone(),
    }));
    let worker = Arc::new(Worker::new(WorkerParts {
        disk: Arc::clone(&parts.disk),
        clock: Arc::clone(&parts.clock),
        dirs: dirs.clone(),
        live: Arc::clone(&live),
        manifest: Arc::clone(&manifest),
        access: Arc::clone(&access),
        evictor,
        promote: PromoteLimits {
            max_keys: config.max_key_columns,
            ..PromoteLimits::default()
        },
    }));
    let kept = settle(&worker, &recovery)?;
    let incomplete = sweep(parts.disk.as_ref(), dirs, &recovery, &kept)?;
    worker.show_recovered(&recovery.state, &incomplete);
    Ok(Recovered {
        manifest,
        access,
        live,
        worker,
        budget,
    })
}

/// Makes it doubly sure, with a version that repeats the newest one, that what the newest one removed is gone. Returns the
/// segments whose files have to stay because that did not work.
fn settle(worker: &Worker, recovery: &Recovery) -> Result<BTreeSet<SegmentId>> {
    let removed = recovery.newest_removes();
    if removed.is_empty() {
        return Ok(removed);
    }
    match worker.repeat_newest() {
        Ok(()) => Ok(BTreeSet::new()),
        Err(error @ Error::Locked { .. }) => Err(error),
        Err(error) => {
            tracing::warn!(%error, "cannot remove replaced segments now, will try at the next start");
            Ok(removed)
        }
    }
}

/// Makes the directories and takes the lock.
fn prepare(disk: &dyn Disk, dirs: &DataDir, config: &StorageConfig) -> Result<Box<dyn LockGuard>> {
    atomic::make_root(disk, dirs.root())?;
    let lock = acquire_lock(disk, &dirs.lock_file(), dirs.root(), config.lock_wait_ms)?;
    for dir in [
        dirs.tmp_dir(),
        dirs.quarantine_dir(),
        dirs.wal_dir(),
        dirs.manifest_dir(),
        dirs.segments_dir(),
    ] {
        atomic::make_dirs(disk, dirs.root(), &dir)?;
    }
    Ok(lock)
}

fn flush_limits(config: &StorageConfig) -> FlushLimits {
    FlushLimits {
        memtable_bytes: config.memtable_bytes,
        memtable_age_ns: config.memtable_age_ns,
    }
}

/// What becomes of durable records: they are shown, full memtables are sealed, background threads hear of it.
fn sink(
    config: &StorageConfig,
    clock: &Arc<dyn Clock>,
    live: &Arc<Live>,
    merger: &Arc<Merger>,
    waker: Waker,
) -> wal::Sink {
    let limits = flush_limits(config);
    let (clock, live, merger) = (Arc::clone(clock), Arc::clone(live), Arc::clone(merger));
    Box::new(move |committed: Vec<Committed>| {
        let now = clock.now();
        live.apply(committed, now)?;
        let due = plan_seals(&live.memtables(), limits, now);
        for table in &due {
            live.seal(*table);
        }
        if !due.is_empty() {
            waker.wake();
        }
        merger.wake();
        Ok(())
    })
}

/// Rebuilds the memtables, within the memory that they are allowed.
struct Replaying<'a> {
    parts: &'a Parts,
    dirs: &'a DataDir,
    config: &'a StorageConfig,
    worker: &'a Worker,
    live: &'a Live,
    manifest: &'a Manifest,
    governor: &'a Arc<Governor>,
}

impl Replaying<'_> {
    fn run(&self) -> Result<(wal::Recovered, ReplayReport)> {
        // First whatever the last run has left half done, such as taking incomplete segments out.
        self.drain()?;
        let disk = self.parts.disk.as_ref();
        let (mut recovered, report) = wal::replay(
            disk,
            self.dirs,
            &mut |seq, record, report: &mut ReplayReport| self.record(seq, record, report),
        )?;
        // Numbers go on after everything that was ever flushed, even when the WAL itself is gone.
        let flushed = self.manifest.state().highest_watermark();
        recovered.last_seq = recovered.last_seq.max(flushed);
        self.live.advance(recovered.last_seq);
        Ok((recovered, report))
    }

    fn record(&self, seq: WalSeq, record: RawRecord, report: &mut ReplayReport) -> Result<()> {
        let state = self.manifest.state();
        if TableId::ALL
            .iter()
            .all(|table| seq <= state.watermark(*table))
        {
            report.skipped_record_count += 1;
            self.live.advance(seq);
            return Ok(());
        }
        let mut batches = match self.decode(&record) {
            Ok(batches) => batches,
            Err(error) => {
                report.undecodable_count += 1;
                self.live.advance(seq);
                tracing::error!(%seq, %error, "cannot decode a WAL record, kept it in quarantine");
                let name = format!("record-{:020}", seq.0);
                wal::keep_bytes(
                    self.parts.disk.as_ref(),
                    self.dirs,
                    &name,
                    Ok(record.payload),
                );
                return Ok(());
            }
        };
        batches.retain(|batch| seq > state.watermark(batch.table));
        report.record_count += 1;
        let rows: usize = batches.iter().map(|batch| batch.rows.num_rows()).sum();
        report.row_count += u64::try_from(rows).unwrap_or(u64::MAX);
        let bytes = batches.iter().map(|batch| bytes_of(&batch.rows)).sum();
        let committed = Committed {
            seq,
            batches,
            permit: self.governor.take_anyway(bytes),
        };
        self.live.apply(vec![committed], self.parts.clock.now())?;
        self.merge()?;
        self.flush_full()
    }

    /// A decoder that panics on a record must not keep the store from opening.
    fn decode(&self, record: &RawRecord) -> Result<Vec<TableBatch>> {
        let batches = catch_unwind(AssertUnwindSafe(|| self.parts.decoder.decode(record)))
            .unwrap_or_else(|_| Err(Error::Invalid("the decoder panicked".to_owned())))?;
        check_batches(&batches)?;
        Ok(batches)
    }

    fn merge(&self) -> Result<()> {
        for table in TableId::ALL {
            while let Some(task) = self.live.merge_task(table) {
                self.live.merge(table, task)?;
            }
        }
        Ok(())
    }

    fn flush_full(&self) -> Result<()> {
        let now = self.parts.clock.now();
        let limits = FlushLimits {
            // By size only: replayed rows are as old as they are.
            memtable_age_ns: i64::MAX,
            ..flush_limits(self.config)
        };
        let due = plan_seals(&self.live.memtables(), limits, now);
        for table in &due {
            self.live.seal(*table);
        }
        if due.is_empty() {
            return Ok(());
        }
        self.drain()
    }

    /// Flushes what is sealed. A failing disk is an error only when there is no memory left to wait for it.
    fn drain(&self) -> Result<()> {
        let Err(error) = self.worker.drain(None) else {
            return Ok(());
        };
        if self.governor.used_bytes() >= self.config.max_memtable_total_bytes
            || matches!(error, Error::Locked { .. })
        {
            return Err(error);
        }
        tracing::error!(%error, "a flush failed while replaying the WAL, going on in memory");
        Ok(())
    }
}
