//! The query engine's figures as metrics.

use cairn_query::EngineStats;

use super::exposition::Exposition;
use crate::telemetry::HistogramReading;

pub(super) fn render(page: &mut Exposition, stats: &EngineStats, latency: &HistogramReading) {
    let ended = "cairn_queries_total";
    page.counter(ended, "Queries that ended, by how.");
    let by_outcome = [
        ("finished", stats.finished),
        ("failed", stats.failed),
        ("cancelled", stats.cancelled),
        ("timed_out", stats.timed_out),
        ("refused", stats.refused),
    ];
    for (outcome, count) in by_outcome {
        page.sample(ended, &[("outcome", outcome)], count);
    }
    page.plain_gauge(
        "cairn_queries_running",
        "Queries that run now.",
        stats.running,
    );
    page.plain_gauge(
        "cairn_queries_queued",
        "Queries that wait for their turn.",
        stats.queued,
    );
    let help = "Rows that scans returned.";
    page.plain_counter("cairn_query_read_rows_total", help, stats.read_rows);
    let help = "Bytes that scans returned.";
    page.plain_counter("cairn_query_read_bytes_total", help, stats.read_bytes);
    let help = "Memory that operators of running queries hold.";
    page.plain_gauge("cairn_query_memory_bytes", help, stats.memory_bytes);
    page.histogram(
        "cairn_query_seconds",
        "From a query's arrival to its last row, an error, or the client's leaving.",
        latency.buckets.iter().copied(),
        latency.count,
        latency.sum_seconds,
    );
    let help = "Planning threads that did not come back within their deadline and still run.";
    page.plain_gauge("cairn_query_lost_planners", help, stats.lost_planners);
}
