//! Figures for metrics: everything the store knows about itself at one moment.

use super::Store;
use crate::ids::{TableId, Version, WalSeq};
use crate::live::MemtableStats;
use crate::maintain::{CompactionStats, FlushStats, RetentionStats};
use crate::wal::{ReplayReport, WalStats};

/// Everything that metrics show of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// The WAL.
    pub wal: WalStats,
    /// Memtables, one entry a table.
    pub memtables: Vec<MemtableStats>,
    /// Segments, one entry a table.
    pub segments: Vec<SegmentStats>,
    /// Flushes.
    pub flush: FlushStats,
    /// Merges of segments.
    pub compaction: CompactionStats,
    /// Segments of one table and day that were never merged: the highest such pile.
    pub level0_count: u64,
    /// Dropped segments.
    pub retention: RetentionStats,
    /// Bytes that may still be written to the volume; none when it is not known.
    pub available_bytes: Option<u64>,
    /// What the replay at the start found.
    pub replay: ReplayReport,
    /// Segments that left the store because their file is damaged or missing, ever.
    pub quarantined_count: u64,
    /// Why writes are refused; `None` when they are not.
    pub read_only: Option<String>,
    /// Newest manifest version.
    pub manifest_version: Version,
    /// Last WAL record whose rows are visible.
    pub applied_seq: WalSeq,
    /// Memory of rows that are in no segment yet, requests on their way included.
    pub row_memory_bytes: u64,
    /// Memory of cached segment footers.
    pub footer_cache_bytes: u64,
    /// Bytes of everything in the data directory.
    pub disk_bytes: u64,
}

/// Figures of a table's segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentStats {
    /// Whose.
    pub table: TableId,
    /// How many.
    pub count: u64,
    /// Their rows.
    pub row_count: u64,
    /// Their files.
    pub bytes: u64,
}

impl Store {
    /// Figures for metrics.
    #[must_use]
    pub fn stats(&self) -> StoreStats {
        let state = self.manifest.state();
        let segments = TableId::ALL.map(|table| {
            let mut stats = SegmentStats {
                table,
                count: 0,
                row_count: 0,
                bytes: 0,
            };
            for meta in state.segments.values().filter(|meta| meta.table == table) {
                stats.count += 1;
                stats.row_count = stats.row_count.saturating_add(meta.rows);
                stats.bytes = stats.bytes.saturating_add(meta.file_bytes);
            }
            stats
        });
        StoreStats {
            wal: self.wal.stats(),
            memtables: self.live.memtables(),
            segments: segments.into(),
            flush: self.worker.stats(),
            compaction: self.compactor.stats(),
            level0_count: self.live.level0_count(),
            retention: self.worker.retention_stats(),
            available_bytes: self.budget.usage().available_bytes,
            replay: self.replay.clone(),
            quarantined_count: u64::try_from(state.quarantined.len()).unwrap_or(u64::MAX),
            read_only: self.wal.refusal(),
            manifest_version: state.version,
            applied_seq: self.live.applied_seq(),
            row_memory_bytes: self.governor.used_bytes(),
            footer_cache_bytes: self.access.footer_bytes(),
            disk_bytes: self.disk_bytes(),
        }
    }
}
