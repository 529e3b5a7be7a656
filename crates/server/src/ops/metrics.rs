//! `/metrics`: gathers the counters of every room into one page. The names are a contract, listed in
//! `docs/operations.md`.

use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use cairn_ingest::Admission;
use cairn_query::{Engine, FigureFact};
use cairn_storage::Store;

use super::exposition::{Exposition, figures};
use super::{process, query_metrics, store_metrics};
use crate::telemetry::{Histogram, IngestCounters};

/// Where figures come from. Store and engine are missing until they are open.
#[derive(Debug)]
pub(crate) struct Sources {
    ingest: Arc<IngestCounters>,
    admission: Admission,
    store: OnceLock<Arc<Store>>,
    queries: OnceLock<(Arc<Engine>, Arc<Histogram>)>,
}

impl Sources {
    pub(crate) fn new(ingest: Arc<IngestCounters>, admission: Admission) -> Self {
        Self {
            ingest,
            admission,
            store: OnceLock::new(),
            queries: OnceLock::new(),
        }
    }

    /// Adds the figures of the store. A second call changes nothing.
    pub(crate) fn open_store(&self, store: Arc<Store>) {
        let _first = self.store.set(store);
    }

    /// Adds the figures of queries. A second call changes nothing.
    pub(crate) fn open_queries(&self, engine: Arc<Engine>, latency: Arc<Histogram>) {
        let _first = self.queries.set((engine, latency));
    }

    /// The same figures for SQL.
    pub(crate) fn figures(&self) -> Vec<FigureFact> {
        figures(&self.render())
    }

    pub(super) fn render(&self) -> String {
        let mut page = Exposition::default();
        build(&mut page);
        self.of_ingest(&mut page);
        if let Some(store) = self.store.get() {
            store_metrics::render(&mut page, &store.stats());
        }
        if let Some((engine, latency)) = self.queries.get() {
            query_metrics::render(&mut page, &engine.stats(), &latency.read());
        }
        of_process(&mut page);
        page.into_text()
    }

    fn of_ingest(&self, page: &mut Exposition) {
        let name = "cairn_ingest_requests_total";
        page.counter(name, "OTLP requests by what became of them.");
        for (protocol, signal, outcome, count) in self.ingest.requests() {
            let labels = [
                ("protocol", protocol.name()),
                ("signal", signal.name()),
                ("outcome", outcome.name()),
            ];
            page.sample(name, &labels, count);
        }
        let rows = "cairn_ingest_rows_total";
        page.counter(rows, "Log records and spans made durable.");
        for (signal, counters) in self.ingest.signals() {
            let count = counters.accepted_rows.load(Ordering::Relaxed);
            page.sample(rows, &[("signal", signal.name())], count);
        }
        let rejected = "cairn_ingest_rejected_rows_total";
        page.counter(
            rejected,
            "Log records and spans refused in partial successes.",
        );
        for (signal, counters) in self.ingest.signals() {
            let count = counters.rejected_rows.load(Ordering::Relaxed);
            page.sample(rejected, &[("signal", signal.name())], count);
        }
        let bytes = "cairn_ingest_received_bytes_total";
        page.counter(bytes, "OTLP payload bytes as they came, compressed or not.");
        for (signal, counters) in self.ingest.signals() {
            let count = counters.received_bytes.load(Ordering::Relaxed);
            page.sample(bytes, &[("signal", signal.name())], count);
        }
        let notes = "cairn_ingest_notes_total";
        page.counter(notes, "What the decoder repaired, by kind.");
        for (kind, count) in self.ingest.notes().named() {
            page.sample(notes, &[("kind", kind)], count);
        }
        let latency = self.ingest.ack_latency.read();
        page.histogram(
            "cairn_ingest_ack_seconds",
            "From the whole request being there to its acknowledgement.",
            latency.buckets,
            latency.count,
            latency.sum_seconds,
        );
        page.plain_gauge(
            "cairn_ingest_inflight_bytes",
            "Memory promised to requests in flight.",
            self.admission.used_bytes(),
        );
        page.plain_gauge(
            "cairn_ingest_inflight_limit_bytes",
            "Memory that requests in flight may be promised.",
            self.admission.limit_bytes(),
        );
    }
}

fn build(page: &mut Exposition) {
    page.gauge("cairn_build_info", "The version that runs; always 1.");
    page.sample(
        "cairn_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1,
    );
}

fn of_process(page: &mut Exposition) {
    let reading = process::read();
    if let Some(bytes) = reading.resident_bytes {
        let help = "Memory of the process that is in RAM.";
        page.plain_gauge("cairn_process_resident_bytes", help, bytes);
    }
    if let Some(seconds) = reading.cpu_seconds {
        let help = "Processor time of the process, user and system.";
        page.plain_counter("cairn_process_cpu_seconds_total", help, seconds);
    }
    if let Some(count) = reading.open_files {
        let help = "Open files and sockets of the process.";
        page.plain_gauge("cairn_process_open_files", help, count);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use cairn_ingest::Decoder;
    use cairn_query::EngineStats;
    use cairn_storage::{Parts, StorageConfig};

    use super::*;

    /// The metrics' names, each with its help text.
    fn described(page: &str) -> BTreeSet<(String, String)> {
        page.lines()
            .filter_map(|line| line.strip_prefix("# HELP ")?.split_once(' '))
            .map(|(name, help)| (name.to_owned(), help.to_owned()))
            .collect()
    }

    #[test]
    fn every_metric_is_described_in_the_operations_page_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let config = StorageConfig {
            data_dir: folder.path().join("data"),
            ..StorageConfig::default()
        };
        let store = Store::open(config, Parts::real(Arc::new(Decoder::default()))).unwrap();
        let sources = Sources::new(Arc::default(), Admission::new(1));
        sources.open_store(store);
        let mut queries = Exposition::default();
        let latency = Histogram::default().read();
        query_metrics::render(&mut queries, &EngineStats::default(), &latency);
        let page = sources.render() + &queries.into_text();

        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operations.md");
        let document = std::fs::read_to_string(path).unwrap();
        let rows = document
            .lines()
            .filter_map(|line| line.strip_prefix("| `cairn_")?.strip_suffix(" |"));
        let documented: BTreeSet<_> = rows
            .filter_map(|row| row.split_once("` | "))
            .map(|(name, help)| (format!("cairn_{name}"), help.to_owned()))
            .collect();
        assert_eq!(documented, described(&page));
    }
}
