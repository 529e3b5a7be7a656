//! Cairn's storage engine: telemetry in, durable Parquet segments, pruned scans out.
#![deny(clippy::indexing_slicing)]

mod budget;
mod compaction;
mod config;
mod error;
mod export;
mod flush;
mod ids;
mod invariants;
mod io;
mod limits;
mod live;
mod maintain;
mod manifest;
mod memtable;
mod names;
mod offline;
mod predicate;
mod record;
mod retention;
mod scan;
mod schema;
mod segment;
mod store;
mod text_match;
mod time;
mod wal;

pub use budget::DiskUsage;
pub use config::{CompactionConfig, RetentionConfig, StorageConfig, TableRetention};
pub use error::{Error, ErrorKind, Result};
pub use export::{ExportError, ParquetExport};
pub use ids::{BadSegmentId, SegmentId, Signal, TableId, Version, WalSeq};
pub use io::{Disk, FileEntry, LocalDisk, LockGuard, ReadFile, Space, TryLock, WriteFile};
pub use live::MemtableStats;
pub use maintain::{CompactionStats, DroppedStats, FlushStats, RetentionStats};
pub use offline::{
    CheckReport, ColumnSize, CopyOptions, CopyReport, DamagedSegment, SegmentSizesReport, check,
    copy_store, inspect,
};
pub use predicate::{CompareOp, Predicate, Scalar, ScanColumn, TextMatch};
pub use record::{PayloadCompression, PayloadEncoding, RawRecord, RecordDecoder, TableBatch};
pub use scan::{
    KeyRows, MAX_TOP_ROWS, ScanEstimate, ScanPlan, ScanRequest, ScanUnit, Snapshot, Top,
    UnitReader, read_field,
};
pub use schema::{Column, ColumnKind, NumberType, TableDef, attributes_type, hex_text};
pub use segment::{ColumnStats, LiveSegment, RowGroupMeta, SegmentAccess, SegmentMeta};
pub use store::{Parts, SegmentStats, Store, StoreStats};
pub use text_match::{TextMatcher, compile_regex, has_token, translate_regex};
pub use time::{
    Clock, ManualClock, NANOS_PER_BUCKET, NANOS_PER_DAY, NANOS_PER_SECOND, Nanos, SystemClock,
    TimeRange,
};
pub use wal::{LATENCY_BOUNDS_NS, LatencyHistogram, ReplayReport, WalStats};
