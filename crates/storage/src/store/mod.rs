//! The store: wires the parts together and holds no algorithm.
//!
//! ```text
//! append:  governor ── WAL (group commit, fdatasync) ── live memtables ── ack
//! behind:  sealed memtable ── flush ── manifest edit ── live segments ── WAL files released
//!          live segments ── merge ── manifest edit ── fewer live segments ── files removed
//! ```

mod open;
mod stats;
mod sweep;
#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;

use crate::budget::{DiskBudget, Governor};
use crate::config::StorageConfig;
use crate::error::{Error, Result};
use crate::ids::{TableId, WalSeq};
use crate::io::{Disk, LocalDisk, LockGuard};
use crate::limits;
use crate::live::Live;
use crate::maintain::{Compactor, MergeWish, Merger, Scheduler, Worker};
use crate::manifest::Manifest;
use crate::memtable::bytes_of;
use crate::record::{RawRecord, RecordDecoder, TableBatch};
use crate::scan::Snapshot;
use crate::schema::TableDef;
use crate::segment::SegmentAccess;
use crate::time::{Clock, SystemClock};
use crate::wal::{ReplayReport, Wal};

pub use stats::{SegmentStats, StoreStats};

/// The parts with behaviour that a store is given.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where now comes from.
    pub clock: Arc<dyn Clock>,
    /// Where files are.
    pub disk: Arc<dyn Disk>,
    /// Makes rows of WAL records at replay.
    pub decoder: Arc<dyn RecordDecoder>,
}

impl Parts {
    /// The real clock, the real disk, and `decoder`.
    #[must_use]
    pub fn real(decoder: Arc<dyn RecordDecoder>) -> Self {
        Self {
            clock: Arc::new(SystemClock),
            disk: Arc::new(LocalDisk),
            decoder,
        }
    }
}

/// An open data directory.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: first who uses, then what is used, the lock last.
    scheduler: Scheduler,
    compactor: Arc<Compactor>,
    merger: Arc<Merger>,
    wal: Arc<Wal>,
    worker: Arc<Worker>,
    live: Arc<Live>,
    manifest: Arc<Manifest>,
    access: Arc<SegmentAccess>,
    budget: Arc<DiskBudget>,
    governor: Arc<Governor>,
    config: StorageConfig,
    replay: ReplayReport,
    #[expect(dead_code, reason = "held, not used")]
    lock: Box<dyn LockGuard>,
}

impl Store {
    /// Opens a data directory: takes its lock, finds the newest state, replays the WAL, starts the threads. Blocks.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process has it; errors of the disk. Damaged data is reported, not an error.
    pub fn open(config: StorageConfig, parts: Parts) -> Result<Arc<Self>> {
        open::open(config, parts)
    }

    /// Makes a request durable and its rows visible, all or nothing. `batches` are what the decoder makes of
    /// `record`.
    ///
    /// # Errors
    /// Unless it is [`Error::Invalid`], the request may be sent again. After [`Error::Timeout`] it may be there.
    pub async fn append(&self, record: RawRecord, batches: Vec<TableBatch>) -> Result<WalSeq> {
        check_batches(&batches)?;
        if batches.iter().all(|batch| batch.rows.num_rows() == 0) {
            return Ok(self.live.applied_seq());
        }
        self.check_disk_budget()?;
        self.wait_for_compaction().await?;
        let row_bytes: u64 = batches.iter().map(|batch| bytes_of(&batch.rows)).sum();
        let deadline = Duration::from_millis(self.config.ack_deadline_ms);
        let started = tokio::time::Instant::now();
        let permit = tokio::time::timeout(deadline, self.governor.take(row_bytes))
            .await
            .map_err(|_| self.governor.refusal())?;
        let acked = self.wal.submit(record, batches, permit)?;
        match tokio::time::timeout_at(started + deadline, acked).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_)) => Err(Error::Unavailable("the WAL thread is gone".to_owned())),
            Err(_) => Err(Error::Timeout {
                deadline_ms: self.config.ack_deadline_ms,
            }),
        }
    }

    fn check_disk_budget(&self) -> Result<()> {
        let refusal = self.budget.refusal(self.disk_bytes());
        refusal.map_or(Ok(()), |what| Err(Error::DiskFull { what }))
    }

    /// Slows writes down when segments come faster than they are merged, and refuses them when that does not help.
    async fn wait_for_compaction(&self) -> Result<()> {
        let segment_count = self.live.level0_count();
        let surplus = segment_count.saturating_sub(limits::SLOW_LEVEL0_COUNT);
        if surplus == 0 || !self.config.compaction.enabled {
            return Ok(());
        }
        if segment_count >= limits::MAX_LEVEL0_COUNT {
            return Err(Error::Backlog {
                segment_count,
                limit_count: limits::MAX_LEVEL0_COUNT,
            });
        }
        let wait = Duration::from_millis(surplus.saturating_mul(limits::SLOW_STEP_MS));
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        self.wal
            .bytes()
            .saturating_add(self.live.segment_bytes())
            .saturating_add(self.access.doomed_bytes())
            .saturating_add(self.manifest.bytes())
            .saturating_add(self.budget.usage().other_bytes)
    }

    /// Everything that is acknowledged now, for one reader. Cheap.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let view = self.live.view();
        Snapshot::new(view.segments, view.memtables)
    }

    /// Writes everything that is visible now to segments.
    ///
    /// # Errors
    /// Of the disk; the rows stay in memory and in the WAL, and the flush is repeated in the background.
    pub async fn flush(&self) -> Result<()> {
        self.scheduler.flush().await
    }

    /// Merges segments that are due to be merged, or with `everything` all that can be. Returns the number of merges.
    ///
    /// # Errors
    /// Of the disk; what was not merged stays as it is.
    pub async fn compact(&self, everything: bool) -> Result<u64> {
        let wish = if everything {
            MergeWish::Everything
        } else {
            MergeWish::Due
        };
        self.compactor.merge(wish).await
    }

    /// Stops: no more appends, a last flush as far as time allows, threads ended. What was not flushed stays in the
    /// WAL.
    ///
    /// # Errors
    /// Of the last flush. The store is stopped all the same.
    pub async fn shutdown(self: &Arc<Self>) -> Result<()> {
        self.compactor.cancel();
        self.stop_part(|store| store.wal.stop()).await;
        let time = Duration::from_millis(limits::SHUTDOWN_FLUSH_MS);
        let flushed = tokio::time::timeout(time, self.flush()).await;
        self.stop_part(|store| {
            store.merger.stop();
            store.compactor.stop();
            store.scheduler.stop();
        })
        .await;
        flushed.unwrap_or_else(|_| {
            tracing::warn!("the last flush takes too long; the rest stays in the WAL");
            Ok(())
        })
    }

    /// Runs `stop`, which waits for a thread, for a bounded time.
    async fn stop_part(self: &Arc<Self>, stop: fn(&Self)) {
        let store = Arc::clone(self);
        let stopping = tokio::task::spawn_blocking(move || stop(&store));
        let time = Duration::from_millis(limits::SHUTDOWN_THREAD_MS);
        if tokio::time::timeout(time, stopping).await.is_err() {
            tracing::warn!("a background thread does not end, going on without it");
        }
    }
}

/// Refuses batches that no memtable could take.
fn check_batches(batches: &[TableBatch]) -> Result<()> {
    static SCHEMAS: LazyLock<[(TableId, SchemaRef); TableId::ALL.len()]> =
        LazyLock::new(|| TableId::ALL.map(|table| (table, TableDef::of(table).write_schema())));
    for batch in batches {
        let schema = batch.rows.schema();
        let known =
            |(table, expected): &(TableId, SchemaRef)| *table == batch.table && *expected == schema;
        if !SCHEMAS.iter().any(known) {
            return Err(Error::Invalid(format!(
                "a batch does not have the columns of table `{}`",
                batch.table
            )));
        }
    }
    Ok(())
}
