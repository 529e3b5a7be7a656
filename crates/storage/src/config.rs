//! Settings of a store: values only, each with its default. Parts with behaviour are injected beside them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::ids::TableId;

/// Values that an operator may change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageConfig {
    /// Where everything is kept.
    pub data_dir: PathBuf,
    /// Size from which a memtable is sealed and flushed.
    pub memtable_bytes: u64,
    /// Age from which a memtable is sealed and flushed, in nanoseconds.
    pub memtable_age_ns: i64,
    /// Size from which a WAL file is closed and the next one begins.
    pub wal_file_bytes: u64,
    /// Memory of all rows that are not in segments yet; beyond it writes wait, then are refused.
    pub max_memtable_total_bytes: u64,
    /// Bytes of everything in the data directory together; near it the oldest segments go, at it writes are refused.
    pub max_disk_bytes: Option<u64>,
    /// Keys of one attribute column that get a column of their own in a segment at most; 0 keeps all attributes in maps.
    pub max_key_columns: usize,
    /// Longest time until a write is acknowledged or refused.
    pub ack_deadline_ms: u64,
    /// Longest time that opening waits for another process to let go of the data directory.
    pub lock_wait_ms: u64,
    /// When segments are merged.
    pub compaction: CompactionConfig,
    /// When segments are dropped.
    pub retention: RetentionConfig,
}

/// When segments are dropped, besides [`StorageConfig::max_disk_bytes`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RetentionConfig {
    /// Limits by table; a table that is not there keeps everything.
    pub tables: BTreeMap<TableId, TableRetention>,
    /// Bytes that stay free on the volume: below it the oldest segments go.
    pub min_free_bytes: u64,
    /// Size of a file that is given up when not even the manifest can be written any more; 0 = none.
    pub ballast_bytes: u64,
    /// Folders outside the engine whose files count as used.
    pub counted_dirs: Vec<PathBuf>,
}

/// How long a table's rows stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TableRetention {
    /// Rows that are older go.
    pub max_age_ns: Option<i64>,
    /// When the segments have more bytes, the oldest go.
    pub max_bytes: Option<u64>,
}

impl RetentionConfig {
    /// The limits of `table`.
    #[must_use]
    pub fn of(&self, table: TableId) -> TableRetention {
        self.tables.get(&table).copied().unwrap_or_default()
    }
}

/// When segments are merged, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompactionConfig {
    /// Whether it happens by itself. It can be asked for in any case.
    pub enabled: bool,
    /// Flushed segments of a table and day that make a merge worth its work; at least 2.
    pub level0_count: usize,
    /// Segments of the first merge that make the second and last one worth its work; at least 2.
    pub level1_count: usize,
    /// Size that sealed segments should have.
    pub sealed_bytes: u64,
    /// A day that is over and has been quiet for so long is merged to the end.
    pub quiet_ns: i64,
}

impl Default for CompactionConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            level0_count: 8,
            level1_count: 10,
            sealed_bytes: 768 << 20,
            quiet_ns: 3_600 * crate::time::NANOS_PER_SECOND,
        }
    }
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./cairn-data"),
            memtable_bytes: 64 << 20,
            memtable_age_ns: crate::time::NANOS_PER_BUCKET,
            wal_file_bytes: 64 << 20,
            max_memtable_total_bytes: 256 << 20,
            max_disk_bytes: None,
            max_key_columns: crate::limits::KEY_COLUMNS,
            ack_deadline_ms: 5_000,
            lock_wait_ms: crate::limits::LOCK_WAIT_MS,
            compaction: CompactionConfig::default(),
            retention: RetentionConfig::default(),
        }
    }
}
