//! A realistic day of logs: checks what comes back, and prints what writing and the usual questions cost.
//!
//! `cargo test --release -p cairn-storage --lib speed -- --nocapture` gives numbers worth reading; a debug build runs the
//! same with few rows.

use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::rows::{Pairs, Row, batch_of};
use crate::ids::{TableId, WalSeq};
use crate::io::{Disk, LocalDisk};
use crate::names::DataDir;
use crate::predicate::{CompareOp, Predicate, Scalar, ScanColumn, TextMatch};
use crate::scan::{ScanRequest, Snapshot, Top};
use crate::schema::TableDef;
use crate::segment::{
    FlushSource, LiveSegment, PromoteLimits, SegmentAccess, SegmentSizes, write_sorted,
};
use crate::time::{NANOS_PER_SECOND, Nanos};

const SEGMENTS: i64 = if cfg!(debug_assertions) { 2 } else { 10 };
const SEGMENT_ROWS: i64 = if cfg!(debug_assertions) {
    100_000
} else {
    200_000
};
/// Between two records.
const STEP_NS: i64 = 1_500_000;

const MESSAGES: [&str; 8] = [
    "GET /api/cart/{} 200 in {} ms, cache miss on shard {}, upstream checkout-v2 responded within budget",
    "POST /api/checkout order {} accepted, payment {} settled, invoice {} queued for delivery to the customer",
    "connection to db-{} pool {} exhausted after {} waiting requests, retrying with exponential back-off",
    "user {} logged in from 10.0.{}.{} using single sign-on with a session that expires in one day",
    "kafka consumer group orders lag {} on partition {} offset {} rebalance finished without loss",
    "error: timeout while calling inventory service {} attempt {} of {} giving up after deadline",
    "scheduled job cleanup-{} removed {} stale sessions in {} ms and compacted the index",
    "feature flag recommendations-{} evaluated to variant {} for tenant {} by rule default",
];

/// A small generator with a fixed sequence.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

fn row(time: i64, random: &mut Random, resources: &[Pairs]) -> Row {
    let service = usize::try_from(random.below(38)).unwrap();
    let kind = usize::try_from(random.below(8)).unwrap();
    let mut body = MESSAGES[kind].to_owned();
    while body.contains("{}") {
        body = body.replacen("{}", &random.below(100_000).to_string(), 1);
    }
    let mut attributes = Pairs::new();
    attributes.insert(
        "http.route".to_owned(),
        format!("/api/{}", random.below(20)),
    );
    attributes.insert(
        "http.status_code".to_owned(),
        (200 + random.below(5)).to_string(),
    );
    attributes.insert("thread.id".to_owned(), random.below(64).to_string());
    attributes.insert("request.id".to_owned(), format!("{:016x}", random.next()));
    if random.below(3) == 0 {
        attributes.insert(
            "code.function".to_owned(),
            format!("handle_{}", random.below(50)),
        );
    }
    Row {
        time,
        trace: (random.below(2) == 0)
            .then(|| ((u128::from(random.next()) << 64) | u128::from(random.next())).to_be_bytes()),
        severity: [9, 9, 9, 9, 13, 17, 5, 9][kind],
        service: resources[service]["service.name"].clone(),
        body,
        resource: resources[service].clone(),
        attributes,
    }
}

fn resources() -> Vec<Pairs> {
    let keys = [
        "host.name",
        "k8s.pod.name",
        "k8s.namespace.name",
        "k8s.deployment.name",
        "os.type",
        "process.pid",
        "telemetry.sdk.name",
        "telemetry.sdk.language",
        "cloud.region",
    ];
    (0..38)
        .map(|n| {
            let mut pairs: Pairs = keys
                .iter()
                .map(|key| ((*key).to_owned(), format!("{key}-value-{n}")))
                .collect();
            pairs.insert("service.name".to_owned(), format!("service-{n}"));
            pairs
        })
        .collect()
}

/// Processor time of this thread, so that a busy machine does not change the numbers; 0 where it is not told.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|first| first.parse().ok())
        .unwrap_or_default()
}

struct Day {
    snapshot: Snapshot,
    rows: u64,
    body_bytes: u64,
}

fn write_day(root: &Path, promote: PromoteLimits) -> Day {
    let dirs = DataDir::new(root);
    std::fs::create_dir_all(dirs.tmp_dir()).unwrap();
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
    let access = SegmentAccess::new(Arc::clone(&disk));
    let resources = resources();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut segments = Vec::new();
    let (mut rows, mut body_bytes, mut spent_ns) = (0, 0, 0);
    for number in 0..SEGMENTS {
        let made: Vec<Row> = (0..SEGMENT_ROWS)
            .map(|n| {
                row(
                    (number * SEGMENT_ROWS + n) * STEP_NS,
                    &mut random,
                    &resources,
                )
            })
            .collect();
        body_bytes += made.iter().map(|row| row.body.len()).sum::<usize>();
        let batches: Vec<RecordBatch> = made.chunks(8_192).map(batch_of).collect();
        let source = FlushSource {
            table: TableId::Logs,
            batches: &batches,
            seqs: (WalSeq(1), WalSeq(2)),
            created_at: Nanos(0),
            sizes: SegmentSizes {
                promote,
                ..SegmentSizes::default()
            },
        };
        let start = cpu_ns();
        let metas = write_sorted(&*disk, &dirs, source).unwrap();
        spent_ns += cpu_ns() - start;
        for meta in metas {
            rows += meta.rows;
            let path = dirs.segment_file(meta.table, meta.day, meta.id);
            segments.push(LiveSegment::open(meta, path, &access));
        }
    }
    let file_bytes: u64 = segments
        .iter()
        .map(|segment| segment.meta().file_bytes)
        .sum();
    println!(
        "write_sorted: {} ns/row, {} bytes/row",
        spent_ns / rows,
        file_bytes / rows
    );
    Day {
        snapshot: Snapshot::new(segments.into(), Vec::new()),
        rows,
        body_bytes: u64::try_from(body_bytes).unwrap(),
    }
}

impl Day {
    /// Reads everything twice and prints the second time.
    fn ask(&self, what: &str, columns: &[&str], predicate: Predicate, top: Option<Top>) -> u64 {
        let mut projection: Vec<_> = columns
            .iter()
            .map(|name| ScanColumn::stored(name))
            .collect();
        if columns == ["*"] {
            let all = TableDef::of(TableId::Logs).columns.iter();
            projection = all.map(|column| ScanColumn::stored(column.name)).collect();
        }
        self.read(what, projection, predicate, top)
    }

    fn read(
        &self,
        what: &str,
        projection: Vec<ScanColumn>,
        predicate: Predicate,
        top: Option<Top>,
    ) -> u64 {
        let request = ScanRequest {
            table: TableId::Logs,
            projection,
            predicate,
            top,
        };
        let mut found = 0;
        for round in 0..2 {
            let start = cpu_ns();
            let plan = self.snapshot.scan(&request).unwrap();
            let batches: usize = if plan.top().is_some() {
                plan.read_top()
                    .unwrap()
                    .iter()
                    .map(RecordBatch::num_rows)
                    .sum()
            } else {
                let units = plan.units.iter();
                units
                    .flat_map(|unit| unit.open().unwrap())
                    .map(|b| b.unwrap().num_rows())
                    .sum()
            };
            found = u64::try_from(batches).unwrap();
            let spent = cpu_ns() - start;
            if round == 1 {
                let per_row = spent / self.rows;
                let body_rate = self.body_bytes * 1_000 / spent.max(1);
                println!(
                    "{what}: {} us, {per_row} ns/row, {found} rows (Body would be {body_rate} MB/s)",
                    spent / 1_000
                );
            }
        }
        found
    }
}

fn equal(column: ScanColumn, text: &str) -> Predicate {
    Predicate::Compare {
        column,
        op: CompareOp::Equal,
        value: Scalar::Text(text.to_owned()),
    }
}

fn like(pattern: TextMatch) -> Predicate {
    Predicate::Match {
        column: ScanColumn::stored("Body"),
        pattern,
    }
}

#[test]
fn speed_of_a_realistic_day() {
    let dir = tempfile::tempdir().unwrap();
    let day = write_day(dir.path(), PromoteLimits::default());
    assert_eq!(day.rows, u64::try_from(SEGMENTS * SEGMENT_ROWS).unwrap());
    ask_for_times(&day);
    ask_for_texts(&day);
    ask_for_attributes(&day);
}

#[test]
fn speed_of_attributes_in_each_layout() {
    let keys = PromoteLimits::default();
    let layouts = [
        (
            "maps",
            PromoteLimits {
                max_keys: 0,
                ..keys
            },
        ),
        (
            "keys, shared sets split too",
            PromoteLimits {
                rows_per_set: usize::MAX,
                ..keys
            },
        ),
        ("keys, shared sets", keys),
    ];
    let mut answers = Vec::new();
    for (name, promote) in layouts {
        let dir = tempfile::tempdir().unwrap();
        println!("-- {name}");
        answers.push(ask_for_attributes(&write_day(dir.path(), promote)));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

fn ask_for_times(day: &Day) {
    let all = || Predicate::True;
    assert_eq!(day.ask("count", &[], all(), None), day.rows);
    let histogram = ["Timestamp", "SeverityNumber", "ServiceName"];
    assert_eq!(
        day.ask("histogram columns", &histogram, all(), None),
        day.rows
    );
    let half = Predicate::Compare {
        column: ScanColumn::stored("Timestamp"),
        op: CompareOp::GreaterOrEqual,
        value: Scalar::Time(i64::try_from(day.rows).unwrap() / 2 * STEP_NS + 7 * NANOS_PER_SECOND),
    };
    day.ask("histogram of the second half", &histogram, half, None);
    let latest = Some(Top {
        count: 200,
        newest: true,
    });
    assert_eq!(day.ask("latest 200 *", &["*"], all(), latest), 200);
    for column in [
        "Timestamp",
        "TraceId",
        "ServiceName",
        "Body",
        "ResourceAttributes",
        "LogAttributes",
    ] {
        day.ask(&format!("latest 200 {column}"), &[column], all(), latest);
    }
}

fn ask_for_texts(day: &Day) {
    let latest = Some(Top {
        count: 200,
        newest: true,
    });
    let errors = || like(TextMatch::Like("%error: timeout%".to_owned()));
    assert_eq!(
        day.ask("latest 200 * with error", &["*"], errors(), latest),
        200
    );
    let count = day.ask("count LIKE %error: timeout%", &[], errors(), None);
    assert!(count > day.rows / 10 && count < day.rows / 6);
    let folded = like(TextMatch::ILike("%ERROR: Timeout%".to_owned()));
    assert_eq!(day.ask("count ILIKE", &[], folded, None), count);
    let token = like(TextMatch::Token("timeout".to_owned()));
    assert_eq!(day.ask("count hasToken", &[], token, None), count);
    let regex = like(TextMatch::Regex(r"attempt \d+ of \d+".to_owned()));
    assert_eq!(day.ask("count match", &[], regex, None), count);
    assert_eq!(
        day.ask(
            "count LIKE rare",
            &[],
            like(TextMatch::Like("%zzzz%".into())),
            None
        ),
        0
    );
    let trace = equal(ScanColumn::stored("TraceId"), &"ab".repeat(16));
    assert_eq!(day.ask("trace by id", &["*"], trace, None), 0);
    let service = equal(ScanColumn::stored("ServiceName"), "service-7");
    day.ask("one service, Body", &["Timestamp", "Body"], service, None);
    assert_eq!(
        day.ask("all Body", &["Body"], Predicate::True, None),
        day.rows
    );
}

fn ask_for_attributes(day: &Day) -> Vec<u64> {
    let value = |column: &str, key: &str| ScanColumn::MapValue {
        column: column.into(),
        key: key.into(),
    };
    let status = value("LogAttributes", "http.status_code");
    let pod = value("ResourceAttributes", "k8s.pod.name");
    let service = "k8s.pod.name-value-3";
    let latest = Some(Top {
        count: 200,
        newest: true,
    });
    let whole = ["LogAttributes", "ResourceAttributes"].map(ScanColumn::stored);
    let all = || Predicate::True;
    vec![
        day.ask(
            "count attribute = value",
            &[],
            equal(status.clone(), "200"),
            None,
        ),
        day.ask(
            "count resource attribute = value",
            &[],
            equal(pod.clone(), service),
            None,
        ),
        day.ask(
            "count attribute = rare",
            &[],
            equal(value("LogAttributes", "request.id"), "x"),
            None,
        ),
        day.read("values of an attribute", vec![status], all(), None),
        day.read("values of a resource attribute", vec![pod], all(), None),
        day.read("whole maps", whole.to_vec(), all(), None),
        day.read("newest 200 maps", whole.to_vec(), all(), latest),
    ]
}
