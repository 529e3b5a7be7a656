//! Reading segments without SQL around it: `cargo bench -p benches --bench scan`.

use benches::{GeneratorConfig, Load, open_store, open_store_with};
use cairn_storage::{
    CompareOp, Predicate, Scalar, ScanColumn, ScanRequest, Signal, Snapshot, Store, TableId,
    TextMatch, Top,
};
use criterion::{Criterion, Throughput};

/// Records of one request, and requests of the table.
const BATCH_ROWS: u64 = 5_000;
const BATCHES: u64 = 100;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args().sample_size(20);
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let store = open_store(&folder.path().join("keys"))?;
    let snapshot = runtime.block_on(filled(&store))?;

    let mut group = criterion.benchmark_group("scan");
    group.throughput(Throughput::Elements(BATCH_ROWS * BATCHES));
    for (name, request) in requests() {
        group.bench_function(name, |bencher| {
            bencher.iter(|| rows_of(&snapshot, &request));
        });
    }
    group.finish();

    let plain = open_store_with(&folder.path().join("maps"), 0)?;
    let maps = runtime.block_on(filled(&plain))?;
    let mut group = criterion.benchmark_group("attributes");
    group.throughput(Throughput::Elements(BATCH_ROWS * BATCHES));
    for (name, request) in attribute_requests() {
        for (layout, snapshot) in [("in maps", &maps), ("as columns", &snapshot)] {
            group.bench_function(format!("{name} {layout}"), |bencher| {
                bencher.iter(|| rows_of(snapshot, &request));
            });
        }
    }
    group.finish();
    criterion.final_summary();
    Ok(())
}

/// The same made-up logs in any store.
async fn filled(store: &Store) -> anyhow::Result<Snapshot> {
    let config = GeneratorConfig {
        batch_rows: BATCH_ROWS,
        ..GeneratorConfig::default()
    };
    let mut load = Load::new(&config);
    for number in 0..BATCHES {
        let (record, rows) = load.request(Signal::Logs, number)?;
        store.append(record, rows).await?;
    }
    store.flush().await?;
    Ok(store.snapshot())
}

/// What is asked of attributes.
fn attribute_requests() -> Vec<(&'static str, ScanRequest)> {
    let value = |column: &str, key: &str| ScanColumn::MapValue {
        column: column.to_owned(),
        key: key.to_owned(),
    };
    let request = |projection, predicate| ScanRequest {
        table: TableId::Logs,
        projection,
        predicate,
        top: None,
    };
    let (route, pod) = (
        value("LogAttributes", "http.route"),
        value("ResourceAttributes", "k8s.pod.name"),
    );
    let equal = Predicate::Compare {
        column: route.clone(),
        op: CompareOp::Equal,
        value: Scalar::Text("/api/v1/checkout".to_owned()),
    };
    let whole = ["ResourceAttributes", "LogAttributes"].map(|name| ScanColumn::Stored(name.into()));
    vec![
        ("count of a value", request(Vec::new(), equal)),
        ("values", request(vec![route], Predicate::True)),
        ("values of a resource", request(vec![pod], Predicate::True)),
        ("whole maps", request(whole.to_vec(), Predicate::True)),
    ]
}

fn requests() -> Vec<(&'static str, ScanRequest)> {
    let stored = |name: &str| ScanColumn::Stored(name.to_owned());
    let request = |columns: &[&str], predicate| ScanRequest {
        table: TableId::Logs,
        projection: columns.iter().map(|name| stored(name)).collect(),
        predicate,
        top: None,
    };
    let errors = Predicate::Compare {
        column: stored("SeverityText"),
        op: CompareOp::Equal,
        value: Scalar::Text("error".to_owned()),
    };
    let words = Predicate::Match {
        column: stored("Body"),
        pattern: TextMatch::Like("%refused by issuer%".to_owned()),
    };
    let newest = ScanRequest {
        top: Some(Top {
            count: 200,
            newest: true,
        }),
        ..request(&["Timestamp", "Body", "LogAttributes"], Predicate::True)
    };
    vec![
        ("count", request(&[], Predicate::True)),
        (
            "histogram columns",
            request(&["Timestamp", "SeverityText"], Predicate::True),
        ),
        ("bodies of errors", request(&["Body"], errors)),
        ("body like", request(&[], words)),
        ("newest 200", newest),
    ]
}

fn rows_of(snapshot: &Snapshot, request: &ScanRequest) -> usize {
    let Ok(plan) = snapshot.scan(request) else {
        return 0;
    };
    if request.top.is_some() {
        let batches = plan.read_top().unwrap_or_default();
        return batches.iter().map(|batch| batch.num_rows()).sum();
    }
    let mut rows = 0;
    for unit in &plan.units {
        for batch in unit.open().into_iter().flatten().flatten() {
            rows += batch.num_rows();
        }
    }
    rows
}
