//! Every bound of the engine: one constant each, with the reason and the unit in the name.

/// Longest payload of a WAL record. Requests are refused above 64 MiB before they come here; the rest is slack.
pub(crate) const MAX_RECORD_BYTES: u64 = 65 << 20;

/// Most payload bytes that one group commit writes: keeps one fsync from waiting behind a huge write.
pub(crate) const MAX_GROUP_BYTES: u64 = 8 << 20;

/// Payload bytes that may wait for the WAL thread before requests are refused.
pub(crate) const MAX_WAL_QUEUE_BYTES: u64 = 96 << 20;

/// Payloads up to this size are gathered into one write; larger ones are written as they are, without a copy.
pub(crate) const GATHER_BYTES: usize = 64 << 10;

/// What the WAL reader holds while it streams through a file (a record may be larger and then has its own buffer).
pub(crate) const WAL_WINDOW_BYTES: u64 = 1 << 20;

/// How long the WAL stays closed after a failed write before the next attempt.
pub(crate) const PROBE_INTERVAL_NS: i64 = 2_000_000_000;

/// How often background threads look at the clock when nothing wakes them.
pub(crate) const TICK_MS: u64 = 1_000;

/// Delay before a failed flush is tried again; doubles up to [`MAX_RETRY_NS`].
pub(crate) const MIN_RETRY_NS: i64 = 500_000_000;

/// Longest delay between two attempts of a failed flush.
pub(crate) const MAX_RETRY_NS: i64 = 30_000_000_000;

/// Longest delay between two attempts while the disk is full.
pub(crate) const MAX_FULL_RETRY_NS: i64 = 2_000_000_000;

/// How long `open` waits for another process to let go of the data directory (a dying pod on a shared volume).
pub(crate) const LOCK_WAIT_MS: u64 = 10_000;

/// Pause between two attempts to take the lock.
pub(crate) const LOCK_RETRY_MS: u64 = 250;

/// Free bytes on the volume below which no WAL file is started: the manifest must still be able to shrink the store. On a
/// volume of less than [`RESERVE_PARTS`] times as much, that part of it.
pub(crate) const RESERVE_BYTES: u64 = 64 << 20;

/// See [`RESERVE_BYTES`].
pub(crate) const RESERVE_PARTS: u64 = 16;

/// Keys of an attribute column that get columns of their own in a segment at most, unless configured otherwise. Each
/// costs 150 to 300 bytes of footer and up to 320 KiB of memory in every row group that is being written.
pub(crate) const KEY_COLUMNS: usize = 128;

/// Manifest versions between two checkpoints; few in tests, so that short histories meet checkpoints too.
pub(crate) const CHECKPOINT_VERSIONS: u64 = if cfg!(test) { 3 } else { 64 };

/// Largest manifest file that is read: 10 000 segments with 20 KiB of metadata each.
pub(crate) const MAX_MANIFEST_FILE_BYTES: u64 = 256 << 20;

/// Quarantined segments that the manifest remembers; the oldest are forgotten first.
pub(crate) const MAX_QUARANTINED_COUNT: usize = 1_000;

/// Chunks with fewer rows are merged with their neighbours, so that a scan does not meet thousands of tiny batches.
pub(crate) const SMALL_CHUNK_ROWS: usize = 512;

/// How many adjacent small chunks of the same age class make a merge worth its copy.
pub(crate) const MERGE_CHUNK_COUNT: usize = 32;

/// Rows of a merged chunk at most; scans hand out batches of this size.
pub(crate) const CHUNK_ROWS: usize = 8_192;

/// Bytes of a merged chunk at most: text offsets are 32-bit.
pub(crate) const CHUNK_BYTES: u64 = 16 << 20;

/// Requests for work that wait for the maintenance thread at most; a wake-up more adds nothing.
pub(crate) const MAX_EVENT_COUNT: usize = 64;

/// Time that a clean stop gives the last flush; what it does not reach stays in the WAL.
pub(crate) const SHUTDOWN_FLUSH_MS: u64 = 6_000;

/// Time that a clean stop gives each thread to end; a hung disk must not hold the process.
pub(crate) const SHUTDOWN_THREAD_MS: u64 = 1_500;

/// Segments that one merge reads at most: each holds a batch and pages in memory.
pub(crate) const MAX_MERGE_INPUTS: usize = 16;

/// How long files of replaced segments stay when no other manifest version makes the replacement doubly sure.
pub(crate) const SETTLE_NS: i64 = 30_000_000_000;

/// Segments of one table and day that were never merged, from which each more makes a write wait [`SLOW_STEP_MS`]
/// longer: compaction gets time to catch up.
pub(crate) const SLOW_LEVEL0_COUNT: u64 = 64;

/// Part of that wait that each such segment adds.
pub(crate) const SLOW_STEP_MS: u64 = 2;

/// Segments of one table and day that were never merged, from which writes are refused.
pub(crate) const MAX_LEVEL0_COUNT: u64 = 256;
