//! Appending to the store until durable, one writer and many: `cargo bench -p benches --bench wal`.
//! What it measures is mostly the disk's sync, and how many requests share one.

use std::sync::Arc;

use benches::{GeneratorConfig, Load, open_store};
use cairn_storage::{RawRecord, Signal, Store, TableBatch};
use criterion::{Criterion, Throughput};

/// Records of one request.
const BATCH_ROWS: u64 = 1_000;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let runtime = tokio::runtime::Runtime::new()?;
    let config = GeneratorConfig {
        batch_rows: BATCH_ROWS,
        ..GeneratorConfig::default()
    };
    for writers in [1_u64, 16] {
        let folder = tempfile::tempdir()?;
        let store = open_store(folder.path())?;
        let requests = (0..writers)
            .map(|number| Load::new(&config).request(Signal::Logs, number))
            .collect::<Result<Vec<_>, _>>()?;
        let mut group = criterion.benchmark_group("append");
        group.throughput(Throughput::Elements(writers * BATCH_ROWS));
        group.bench_function(format!("{writers} writers"), |bencher| {
            bencher.iter(|| runtime.block_on(append_at_once(&store, &requests)));
            // Memtables would grow for as long as the bench runs.
            assert!(runtime.block_on(store.flush()).is_ok());
        });
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}

/// One task a request, as connections would; the slowest counts.
async fn append_at_once(store: &Arc<Store>, requests: &[(RawRecord, Vec<TableBatch>)]) {
    let mut waiting = Vec::new();
    for (record, rows) in requests.iter().cloned() {
        let store = Arc::clone(store);
        waiting.push(tokio::spawn(
            async move { store.append(record, rows).await },
        ));
    }
    for append in waiting {
        assert!(append.await.is_ok_and(|appended| appended.is_ok()));
    }
}
