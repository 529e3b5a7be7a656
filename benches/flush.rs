//! Sorting and writing a memtable as Parquet segments: `cargo bench -p benches --bench flush`.

use benches::{GeneratorConfig, Load, open_store};
use cairn_storage::Signal;
use criterion::{BatchSize, Criterion, Throughput};

/// Records of one request, and requests of one memtable.
const BATCH_ROWS: u64 = 5_000;
const BATCHES: u64 = 40;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args().sample_size(10);
    let runtime = tokio::runtime::Runtime::new()?;
    let config = GeneratorConfig {
        batch_rows: BATCH_ROWS,
        ..GeneratorConfig::default()
    };
    for signal in [Signal::Logs, Signal::Traces] {
        let mut load = Load::new(&config);
        let requests = (0..BATCHES)
            .map(|number| load.request(signal, number))
            .collect::<Result<Vec<_>, _>>()?;
        let folder = tempfile::tempdir()?;
        let store = open_store(folder.path())?;
        let mut group = criterion.benchmark_group("flush");
        group.throughput(Throughput::Elements(BATCH_ROWS * BATCHES));
        group.bench_function(signal.name(), |bencher| {
            bencher.iter_batched(
                || {
                    for (record, rows) in requests.iter().cloned() {
                        assert!(runtime.block_on(store.append(record, rows)).is_ok());
                    }
                },
                |()| assert!(runtime.block_on(store.flush()).is_ok()),
                BatchSize::PerIteration,
            );
        });
        group.finish();
    }
    criterion.final_summary();
    Ok(())
}
