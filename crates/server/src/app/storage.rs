//! The store's settings from ours: sizes that follow from how much disk there is.

use std::path::Path;
use std::time::Duration;

use cairn_storage::{
    CompactionConfig, Disk, LocalDisk, RetentionConfig, StorageConfig, TableId, TableRetention,
};

use crate::config::{Config, Keep};

/// Free bytes that are kept on a volume of ordinary size.
const LEAST_FREE_BYTES: u64 = 256 << 20;
/// On a huge volume more would be wasted.
const MOST_FREE_BYTES: u64 = 2 << 30;
/// Largest ballast: the manifest needs much less.
const BALLAST_BYTES: u64 = 16 << 20;

/// The store's settings.
pub(super) fn storage_config(config: &Config) -> StorageConfig {
    let volume_bytes = volume_bytes(&config.data_dir);
    let sizes = Sizes::of(config, volume_bytes);
    StorageConfig {
        data_dir: config.data_dir.clone(),
        memtable_bytes: sizes.memtable_bytes,
        memtable_age_ns: nanos(config.memtable_age),
        max_memtable_total_bytes: sizes.memtables_bytes,
        wal_file_bytes: sizes.wal_file_bytes,
        max_disk_bytes: config.max_disk_bytes,
        ack_deadline_ms: u64::try_from(config.ack_deadline.as_millis()).unwrap_or(u64::MAX),
        compaction: CompactionConfig {
            level0_count: config.merge_after,
            level1_count: config.merge_after.saturating_add(2),
            sealed_bytes: sizes.sealed_bytes,
            ..CompactionConfig::default()
        },
        retention: RetentionConfig {
            tables: TableId::ALL
                .map(|table| (table, limits_of(config, table)))
                .into(),
            min_free_bytes: config
                .min_free_bytes
                .unwrap_or_else(|| min_free_bytes(volume_bytes)),
            ballast_bytes: sizes.ballast_bytes,
            counted_dirs: vec![config.data_dir.join("spill")],
        },
        ..StorageConfig::default()
    }
}

/// Bytes of spilled query results at most.
pub(super) fn spill_bytes(config: &Config, most: u64) -> u64 {
    config
        .max_disk_bytes
        .map_or(most, |disk| most.min(disk / 8))
}

/// Sizes of what is on disk. On a small disk everything has to be small: whole segments are dropped, and rows stay in the
/// WAL until their memtable is flushed.
struct Sizes {
    memtable_bytes: u64,
    memtables_bytes: u64,
    wal_file_bytes: u64,
    sealed_bytes: u64,
    ballast_bytes: u64,
}

impl Sizes {
    fn of(config: &Config, volume_bytes: u64) -> Self {
        let disk = config.max_disk_bytes.unwrap_or(u64::MAX).min(volume_bytes);
        let part = |parts: u64, most: u64| (disk / parts).clamp(1 << 20, most);
        Self {
            memtable_bytes: config.memory.memtable_bytes.min(part(32, u64::MAX)),
            memtables_bytes: config.memory.memtables_bytes.min(part(8, u64::MAX)),
            wal_file_bytes: part(32, StorageConfig::default().wal_file_bytes),
            sealed_bytes: part(16, CompactionConfig::default().sealed_bytes),
            ballast_bytes: part(32, BALLAST_BYTES),
        }
    }
}

fn limits_of(config: &Config, table: TableId) -> TableRetention {
    let keep: Keep = match table {
        TableId::Logs => config.retention.logs,
        TableId::Traces => config.retention.traces,
        TableId::MetricsGauge
        | TableId::MetricsSum
        | TableId::MetricsHistogram
        | TableId::MetricsExponentialHistogram
        | TableId::MetricsSummary => config.retention.metrics,
    };
    TableRetention {
        max_age_ns: keep.age.map(nanos),
        max_bytes: keep.bytes,
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// Five percent of the volume, within bounds.
fn min_free_bytes(volume_bytes: u64) -> u64 {
    (volume_bytes / 20)
        .clamp(LEAST_FREE_BYTES, MOST_FREE_BYTES)
        .min(volume_bytes / 4)
}

/// Size of the volume that the data directory is or will be on.
fn volume_bytes(data_dir: &Path) -> u64 {
    let here = Path::new(".");
    let mut folders = data_dir.ancestors().chain([here]);
    folders
        .find_map(|folder| LocalDisk.space(folder).ok())
        .map_or(u64::MAX, |space| space.total_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_volume_stays_free() {
        const GIB: u64 = 1 << 30;
        for (volume, free) in [
            (64 << 20, 16 << 20),
            (GIB, 256 << 20),
            (20 * GIB, GIB),
            (4_000 * GIB, 2 * GIB),
        ] {
            assert_eq!(min_free_bytes(volume), free);
        }
    }

    #[test]
    fn the_volume_of_a_directory_that_does_not_exist_yet_is_known() {
        let bytes = volume_bytes(Path::new("does/not/exist/yet"));
        assert!(bytes > 0 && bytes < u64::MAX);
    }
}
