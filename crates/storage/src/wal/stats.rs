//! What the WAL counts about itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// Upper bounds of the buckets of a latency histogram.
pub const LATENCY_BOUNDS_NS: [u64; 14] = [
    250_000,
    500_000,
    1_000_000,
    2_000_000,
    4_000_000,
    8_000_000,
    16_000_000,
    32_000_000,
    64_000_000,
    128_000_000,
    256_000_000,
    1_000_000_000,
    4_000_000_000,
    16_000_000_000,
];

/// A latency histogram: how many samples were at most as long as each bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LatencyHistogram {
    /// Samples per bucket (not cumulated); one more than [`LATENCY_BOUNDS_NS`], the last for everything longer.
    pub counts: Vec<u64>,
    /// Sum of all samples.
    pub sum_ns: u64,
}

impl LatencyHistogram {
    /// All samples.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// The WAL's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WalStats {
    /// Files on disk.
    pub file_count: u64,
    /// Their size.
    pub bytes: u64,
    /// Records acknowledged since the start.
    pub append_count: u64,
    /// Their payload bytes.
    pub append_bytes: u64,
    /// Group commits that were synced since the start.
    pub sync_count: u64,
    /// How long they took.
    pub sync_latency: LatencyHistogram,
    /// Files given up after a failed write or fsync.
    pub failed_file_count: u64,
    /// Payload bytes that wait for the WAL thread.
    pub queued_bytes: u64,
}

#[derive(Debug, Default)]
pub(super) struct WalCounters {
    append_count: AtomicU64,
    append_bytes: AtomicU64,
    sync_buckets: [AtomicU64; LATENCY_BOUNDS_NS.len() + 1],
    sync_ns: AtomicU64,
    failed_file_count: AtomicU64,
    open_file_bytes: AtomicU64,
}

impl WalCounters {
    pub(super) fn synced(&self, ns: u64) {
        let bucket = LATENCY_BOUNDS_NS.partition_point(|bound| *bound < ns);
        if let Some(count) = self.sync_buckets.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sync_ns.fetch_add(ns, Ordering::Relaxed);
    }

    pub(super) fn appended(&self, records: u64, bytes: u64) {
        self.append_count.fetch_add(records, Ordering::Relaxed);
        self.append_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn file_failed(&self) {
        self.failed_file_count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_open_file(&self, bytes: u64) {
        self.open_file_bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn open_file_bytes(&self) -> u64 {
        self.open_file_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn snapshot(&self) -> WalStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts: Vec<u64> = self.sync_buckets.iter().map(load).collect();
        WalStats {
            append_count: load(&self.append_count),
            append_bytes: load(&self.append_bytes),
            sync_count: counts.iter().sum(),
            sync_latency: LatencyHistogram {
                counts,
                sum_ns: load(&self.sync_ns),
            },
            failed_file_count: load(&self.failed_file_count),
            ..WalStats::default()
        }
    }
}
