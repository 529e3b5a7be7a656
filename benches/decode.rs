//! Decoding of OTLP requests into columns, on one core: `cargo bench -p benches --bench decode`.

use std::hint::black_box;
use std::sync::Arc;

use benches::{GeneratorConfig, Landscape, LogGenerator, SpanGenerator};
use cairn_ingest::{Decoder, DecoderConfig};
use cairn_storage::{Nanos, PayloadCompression, PayloadEncoding, RawRecord, Signal};
use criterion::{Criterion, Throughput};

/// Records of one request.
const BATCH_ROWS: u64 = 5_000;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let config = GeneratorConfig {
        batch_rows: BATCH_ROWS,
        ..GeneratorConfig::default()
    };
    let landscape = Arc::new(Landscape::new(&config));
    let (mut logs, mut spans) = (Vec::new(), Vec::new());
    LogGenerator::new(config.clone(), Arc::clone(&landscape)).write_batch(0, &mut logs);
    SpanGenerator::new(config, landscape).write_batch(0, &mut spans);

    let packed = zstd::encode_all(logs.as_slice(), 1).unwrap_or_default();
    let none = PayloadCompression::None;
    bench(
        &mut criterion,
        "logs",
        &record(Signal::Logs, none, &logs, true),
    );
    bench(
        &mut criterion,
        "logs not normalised",
        &record(Signal::Logs, none, &logs, false),
    );
    let packed = record(Signal::Logs, PayloadCompression::Zstd, &packed, true);
    bench(&mut criterion, "logs in zstd", &packed);
    bench(
        &mut criterion,
        "spans",
        &record(Signal::Traces, none, &spans, true),
    );
    criterion.final_summary();
}

fn record(
    signal: Signal,
    compression: PayloadCompression,
    payload: &[u8],
    normalize_logs: bool,
) -> RawRecord {
    let decoder = Decoder::new(DecoderConfig {
        normalize_logs,
        ..DecoderConfig::default()
    });
    RawRecord {
        signal,
        encoding: PayloadEncoding::Protobuf,
        compression,
        options: decoder.options(),
        received_at: Nanos(1),
        payload: payload.to_vec().into(),
    }
}

fn bench(criterion: &mut Criterion, name: &str, record: &RawRecord) {
    let decoder = Decoder::default();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(BATCH_ROWS));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            let decoded = decoder.decode_request(black_box(record));
            assert!(decoded.as_ref().is_ok_and(|it| it.accepted == BATCH_ROWS));
            decoded
        });
    });
    group.finish();
}
