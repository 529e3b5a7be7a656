//! The store's figures as metrics: WAL, memtables, segments, flushes, what replay found.

use cairn_storage::{LATENCY_BOUNDS_NS, LatencyHistogram, StoreStats, WalStats};

use super::exposition::Exposition;

pub(super) fn render(page: &mut Exposition, stats: &StoreStats) {
    of_wal(page, &stats.wal);
    of_tables(page, stats);
    of_flushes(page, stats);
    of_merges(page, stats);
    of_retention(page, stats);
    of_replay(page, stats);
    page.plain_gauge(
        "cairn_store_read_only",
        "1 while writes are refused after a disk error, else 0.",
        u8::from(stats.read_only.is_some()),
    );
    page.plain_gauge(
        "cairn_store_disk_bytes",
        "Bytes of everything in the data directory together.",
        stats.disk_bytes,
    );
    if let Some(bytes) = stats.available_bytes {
        page.plain_gauge(
            "cairn_volume_available_bytes",
            "Bytes that may still be written to the volume.",
            bytes,
        );
    }
    page.plain_gauge(
        "cairn_store_row_memory_bytes",
        "Memory of rows that are in no segment yet, requests on their way included.",
        stats.row_memory_bytes,
    );
    page.plain_gauge(
        "cairn_store_footer_cache_bytes",
        "Memory of cached segment footers.",
        stats.footer_cache_bytes,
    );
    page.plain_gauge(
        "cairn_manifest_version",
        "Newest manifest version.",
        stats.manifest_version,
    );
    page.plain_gauge(
        "cairn_segments_quarantined",
        "Segments that left the store because their file is damaged or missing.",
        stats.quarantined_count,
    );
}

fn of_wal(page: &mut Exposition, wal: &WalStats) {
    page.plain_gauge("cairn_wal_files", "WAL files on disk.", wal.file_count);
    page.plain_gauge("cairn_wal_bytes", "Bytes of the WAL files.", wal.bytes);
    page.plain_gauge(
        "cairn_wal_queued_bytes",
        "Payload bytes that wait to be written.",
        wal.queued_bytes,
    );
    page.plain_counter(
        "cairn_wal_appends_total",
        "Requests acknowledged as durable.",
        wal.append_count,
    );
    page.plain_counter(
        "cairn_wal_append_bytes_total",
        "Payload bytes of those requests.",
        wal.append_bytes,
    );
    page.plain_counter(
        "cairn_wal_failed_files_total",
        "WAL files given up after a failed write or fsync.",
        wal.failed_file_count,
    );
    let (buckets, count, sum_seconds) = read_latency(&wal.sync_latency);
    page.histogram(
        "cairn_wal_sync_seconds",
        "Duration of a group commit's fsync.",
        buckets,
        count,
        sum_seconds,
    );
}

fn read_latency(latency: &LatencyHistogram) -> (Vec<(f64, u64)>, u64, f64) {
    let mut below = 0_u64;
    let buckets = LATENCY_BOUNDS_NS
        .iter()
        .zip(&latency.counts)
        .map(|(bound, count)| {
            below = below.saturating_add(*count);
            (seconds(*bound), below)
        })
        .collect();
    (buckets, latency.count(), seconds(latency.sum_ns))
}

fn of_tables(page: &mut Exposition, stats: &StoreStats) {
    let rows = "cairn_memtable_rows";
    page.gauge(rows, "Rows in memory, in no segment yet.");
    for table in &stats.memtables {
        page.sample(rows, &[("table", table.table.name())], table.row_count);
    }
    let bytes = "cairn_memtable_bytes";
    page.gauge(bytes, "Memory of those rows.");
    for table in &stats.memtables {
        page.sample(bytes, &[("table", table.table.name())], table.bytes);
    }
    let sealed = "cairn_memtable_sealed";
    page.gauge(sealed, "Memtables that wait for their flush.");
    for table in &stats.memtables {
        page.sample(sealed, &[("table", table.table.name())], table.sealed_count);
    }
    let segments = "cairn_segments";
    page.gauge(segments, "Live segments.");
    for table in &stats.segments {
        page.sample(segments, &[("table", table.table.name())], table.count);
    }
    let rows = "cairn_segment_rows";
    page.gauge(rows, "Rows in live segments.");
    for table in &stats.segments {
        page.sample(rows, &[("table", table.table.name())], table.row_count);
    }
    let bytes = "cairn_segment_bytes";
    page.gauge(bytes, "Bytes of live segments.");
    for table in &stats.segments {
        page.sample(bytes, &[("table", table.table.name())], table.bytes);
    }
}

fn of_flushes(page: &mut Exposition, stats: &StoreStats) {
    let flush = &stats.flush;
    page.plain_counter(
        "cairn_flushes_total",
        "Memtables written as segments.",
        flush.flush_count,
    );
    page.plain_counter(
        "cairn_flush_failures_total",
        "Flushes that failed and are repeated.",
        flush.failure_count,
    );
    page.plain_counter(
        "cairn_flush_rows_total",
        "Rows written by flushes.",
        flush.row_count,
    );
    page.plain_counter(
        "cairn_flush_bytes_total",
        "Segment bytes written by flushes.",
        flush.bytes,
    );
    page.plain_counter(
        "cairn_flush_seconds_total",
        "Time spent in flushes.",
        seconds(flush.duration_ns),
    );
}

fn of_merges(page: &mut Exposition, stats: &StoreStats) {
    let merges = &stats.compaction;
    page.plain_gauge(
        "cairn_level0_segments",
        "Segments of one table and day that were never merged: the highest such pile.",
        stats.level0_count,
    );
    page.plain_gauge(
        "cairn_merges_pending",
        "Merges of segments that are due, the running one included.",
        merges.pending_count,
    );
    page.plain_gauge(
        "cairn_merges_running",
        "Merges of segments that run now.",
        merges.running_count,
    );
    page.plain_counter(
        "cairn_merges_total",
        "Merges of segments that were published.",
        merges.merge_count,
    );
    page.plain_counter(
        "cairn_merge_failures_total",
        "Merges that failed; their segments stay as they are.",
        merges.failure_count,
    );
    page.plain_counter(
        "cairn_merge_rows_total",
        "Rows written by merges.",
        merges.row_count,
    );
    page.plain_counter(
        "cairn_merge_input_bytes_total",
        "Bytes of the segments that were merged.",
        merges.input_bytes,
    );
    page.plain_counter(
        "cairn_merge_output_bytes_total",
        "Bytes of the segments that came out of merges.",
        merges.output_bytes,
    );
    page.plain_counter(
        "cairn_merge_seconds_total",
        "Time spent in merges.",
        seconds(merges.duration_ns),
    );
}

fn of_retention(page: &mut Exposition, stats: &StoreStats) {
    let retention = &stats.retention;
    let reasons = [
        ("age", retention.by_age),
        ("table_bytes", retention.by_table_bytes),
        ("space", retention.by_space),
    ];
    let segments = "cairn_dropped_segments_total";
    page.counter(segments, "Segments dropped, by reason.");
    for (reason, dropped) in reasons {
        page.sample(segments, &[("reason", reason)], dropped.segment_count);
    }
    let rows = "cairn_dropped_rows_total";
    page.counter(rows, "Rows of dropped segments, by reason.");
    for (reason, dropped) in reasons {
        page.sample(rows, &[("reason", reason)], dropped.row_count);
    }
    let bytes = "cairn_dropped_bytes_total";
    page.counter(bytes, "Bytes of dropped segments, by reason.");
    for (reason, dropped) in reasons {
        page.sample(bytes, &[("reason", reason)], dropped.bytes);
    }
    page.plain_gauge(
        "cairn_clock_doubted",
        "1 while the clock is so far ahead that nothing is dropped for its age by it, else 0.",
        u8::from(retention.clock_doubted),
    );
}

fn of_replay(page: &mut Exposition, stats: &StoreStats) {
    let replay = &stats.replay;
    page.plain_gauge(
        "cairn_replay_rows",
        "Rows rebuilt from the WAL at the start.",
        replay.row_count,
    );
    page.plain_gauge(
        "cairn_replay_torn_bytes",
        "Bytes of an unacknowledged record cut off at the start.",
        replay.torn_bytes,
    );
    page.plain_gauge(
        "cairn_replay_damaged_ranges",
        "Damaged ranges of the WAL found at the start and kept in quarantine.",
        replay.damaged_count,
    );
    page.plain_gauge(
        "cairn_replay_undecodable_records",
        "Intact WAL records that no decoder understood, kept in quarantine.",
        replay.undecodable_count,
    );
}

fn seconds(nanos: u64) -> f64 {
    std::time::Duration::from_nanos(nanos).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_buckets_are_cumulated() {
        let latency = LatencyHistogram {
            counts: vec![1, 0, 2],
            sum_ns: 1_500_000_000,
        };
        let (buckets, count, sum) = read_latency(&latency);
        assert_eq!(buckets, [(0.000_25, 1), (0.000_5, 1), (0.001, 3)]);
        assert_eq!(count, 3);
        assert!((sum - 1.5).abs() < 1e-9);
    }
}
