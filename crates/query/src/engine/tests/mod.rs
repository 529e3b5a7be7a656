//! Statements through the engine on a real store: parse, analyse, lower, push down, scan.

mod push_down;

use std::sync::Arc;

use cairn_storage::{
    Clock, ColumnKind, ManualClock, Nanos, Parts, PayloadCompression, PayloadEncoding, RawRecord,
    RecordDecoder, Signal, StorageConfig, Store, SystemClock, TableBatch, TableDef, TableId,
};
use datafusion::arrow::array::{
    ArrayRef, DictionaryArray, Int32Array, MapBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampNanosecondArray, UInt8Array, new_null_array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;

use super::Engine;
use crate::answer::{EngineConfig, Query};
use crate::control::Cancel;
use crate::error::{ErrorCode, QueryError};

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);
const SECOND: i64 = 1_000_000_000;

#[derive(Debug)]
struct NoReplay;

impl RecordDecoder for NoReplay {
    fn decode(&self, _record: &RawRecord) -> cairn_storage::Result<Vec<TableBatch>> {
        Ok(Vec::new())
    }
}

/// `count` logs, one a second up to [`NOW`]; every third is an error of the `cart`.
fn logs(count: i64) -> RecordBatch {
    let rows: Vec<i64> = (0..count).collect();
    let table = TableDef::of(TableId::Logs);
    let columns = table.columns.iter().map(|column| {
        let text = |of: &dyn Fn(i64) -> String| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| of(*row)),
            ))
        };
        let plain = match column.name {
            "Timestamp" => {
                let times = rows.iter().map(|row| NOW.0 - (count - 1 - row) * SECOND);
                Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            "SeverityNumber" => {
                let numbers = rows.iter().map(|row| if row % 3 == 0 { 17 } else { 9 });
                Arc::new(UInt8Array::from_iter_values(numbers)) as ArrayRef
            }
            "ServiceName" => text(&|row| if row % 3 == 0 { "cart" } else { "web" }.to_owned()),
            "Body" => text(&|row| format!("request {row} took {} ms", row * 7)),
            "LogAttributes" => {
                let mut maps = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
                for row in &rows {
                    if row % 2 == 0 {
                        maps.keys().append_value("http.route");
                        maps.values().append_value(format!("/items/{}", row % 10));
                    }
                    maps.append(true).unwrap();
                }
                Arc::new(maps.finish())
            }
            _ => match column.kind {
                ColumnKind::UInt8 => Arc::new(UInt8Array::from_iter_values(rows.iter().map(|_| 0))),
                ColumnKind::TraceId | ColumnKind::SpanId => {
                    new_null_array(&column.kind.write_type(), rows.len())
                }
                ColumnKind::SharedAttributes => {
                    let mut empty =
                        MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
                    empty.append(true).unwrap();
                    let values = cast(&empty.finish(), &cairn_storage::attributes_type()).unwrap();
                    let keys = Int32Array::from_iter_values(rows.iter().map(|_| 0));
                    Arc::new(DictionaryArray::try_new(keys, values).unwrap())
                }
                ColumnKind::Timestamp
                | ColumnKind::Seconds
                | ColumnKind::Label
                | ColumnKind::Text
                | ColumnKind::UInt64
                | ColumnKind::Number(_)
                | ColumnKind::Attributes
                | ColumnKind::TimestampList
                | ColumnKind::SecondsList
                | ColumnKind::NumberList(_)
                | ColumnKind::LabelList
                | ColumnKind::TextList
                | ColumnKind::AttributesList => text(&|_| String::new()),
            },
        };
        cast(&plain, &column.kind.write_type()).unwrap()
    });
    RecordBatch::try_new(table.write_schema(), columns.collect()).unwrap()
}

struct Bed {
    engine: Engine,
    store: Arc<Store>,
    _directory: tempfile::TempDir,
}

impl Bed {
    /// An engine over 3 000 logs: two thirds in a segment, one third in a memtable.
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = StorageConfig {
            data_dir: directory.path().join("data"),
            ..StorageConfig::default()
        };
        let store = Store::open(config, Parts::real(Arc::new(NoReplay))).unwrap();
        let all = logs(3_000);
        for (from, rows) in [(0, 2_000), (2_000, 1_000)] {
            let record = RawRecord {
                signal: Signal::Logs,
                encoding: PayloadEncoding::Protobuf,
                compression: PayloadCompression::None,
                options: 0,
                received_at: NOW,
                payload: vec![1, 2, 3].into(),
            };
            let rows = all.slice(from, rows);
            let table = TableId::Logs;
            store
                .append(record, vec![TableBatch { table, rows }])
                .await
                .unwrap();
            if from == 0 {
                store.flush().await.unwrap();
            }
        }
        let config = EngineConfig {
            spill_dir: directory.path().join("spill"),
            max_execution_ms: 20_000,
            ..EngineConfig::default()
        };
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOW));
        let engine = Engine::new(Arc::clone(&store), clock, config).unwrap();
        Self {
            engine,
            store,
            _directory: directory,
        }
    }

    async fn try_ask(&self, text: &str) -> Result<String, QueryError> {
        let query = Query {
            text: text.to_owned(),
            ..Query::default()
        };
        let answer = self.engine.run(query, Cancel::new()).await?;
        let batches: Vec<RecordBatch> = answer.rows.try_collect().await?;
        let mut lines = Vec::new();
        for batch in &batches {
            let options = FormatOptions::default();
            let columns: Vec<_> = batch
                .columns()
                .iter()
                .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
                .collect();
            for row in 0..batch.num_rows() {
                let fields: Vec<_> = columns.iter().map(|c| c.value(row).to_string()).collect();
                lines.push(fields.join("|"));
            }
        }
        Ok(lines.join("\n"))
    }

    async fn check(&self, text: &str, expect: &str) {
        match self.try_ask(text).await {
            Ok(found) => assert_eq!(found, expect, "{text}"),
            Err(error) => panic!("{text}: {error:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_of_segments_and_memtables_are_one_table() {
    let bed = Bed::new().await;
    bed.check("SELECT count() FROM otel_logs", "3000").await;
    bed.check(
        "SELECT count() FROM otel_logs WHERE SeverityNumber >= 17",
        "1000",
    )
    .await;
    bed.check(
        "SELECT ServiceName, count() AS c FROM otel_logs GROUP BY ServiceName ORDER BY c DESC",
        "web|2000\ncart|1000",
    )
    .await;
    bed.check(
        "SELECT count() FROM otel_logs WHERE LogAttributes['http.route'] = '/items/4'",
        "300",
    )
    .await;
    bed.check(
        "SELECT count() FROM otel_logs WHERE LogAttributes['http.route'] = ''",
        "1500",
    )
    .await;
    bed.check(
        "SELECT countIf(mapContains(LogAttributes, 'http.route')) FROM otel_logs",
        "1500",
    )
    .await;
    bed.check(
        "SELECT Body FROM otel_logs WHERE Body LIKE '%request 1234 %'",
        "request 1234 took 8638 ms",
    )
    .await;
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_rows_come_from_a_bounded_scan() {
    let bed = Bed::new().await;
    let newest = "SELECT Body FROM otel_logs ORDER BY Timestamp DESC LIMIT 2";
    bed.check(
        newest,
        "request 2999 took 20993 ms\nrequest 2998 took 20986 ms",
    )
    .await;
    let plan = bed.try_ask(&format!("EXPLAIN {newest}")).await.unwrap();
    assert!(plan.contains("newest=2"), "{plan}");
    let both = "SELECT Body FROM otel_logs WHERE ServiceName = 'cart' ORDER BY TimestampTime DESC, Timestamp DESC LIMIT 1";
    bed.check(both, "request 2997 took 20979 ms").await;
    let plan = bed.try_ask(&format!("EXPLAIN {both}")).await.unwrap();
    assert!(
        plan.contains("newest=1") && !plan.contains("FilterExec"),
        "{plan}"
    );
    for order in [
        "TimestampTime DESC",
        "toDateTime(Timestamp) DESC",
        "(toStartOfFiveMinutes(Timestamp), Timestamp) DESC",
        "toStartOfInterval(Timestamp, INTERVAL 1 MINUTE) DESC, Timestamp DESC",
    ] {
        let text = format!("SELECT Body, Timestamp AS t FROM otel_logs ORDER BY {order} LIMIT 3");
        let plan = bed.try_ask(&format!("EXPLAIN {text}")).await.unwrap();
        assert!(plan.contains("newest=3"), "{order}: {plan}");
        let rows = format!("SELECT arraySort(groupArray(Body)) FROM ({text})");
        let newest =
            "[request 2997 took 20979 ms, request 2998 took 20986 ms, request 2999 took 20993 ms]";
        bed.check(&rows, newest).await;
    }
    let mixed = bed.try_ask(
        "EXPLAIN SELECT Body FROM otel_logs ORDER BY TimestampTime DESC, Timestamp LIMIT 1",
    );
    assert!(!mixed.await.unwrap().contains("newest="));
    let ties = bed.try_ask("EXPLAIN SELECT Body FROM otel_logs ORDER BY Timestamp, Body LIMIT 1");
    assert!(!ties.await.unwrap().contains("oldest="));
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gaps_are_filled_before_the_limit_and_estimates_read_nothing() {
    let bed = Bed::new().await;
    let filled = "SELECT intDiv(SeverityNumber, 4) AS n, count() FROM otel_logs GROUP BY n ORDER BY n WITH FILL FROM 1 TO 6";
    bed.check(filled, "1|0\n2|2000\n3|0\n4|1000\n5|0").await;
    bed.check(&format!("{filled} LIMIT 1, 2"), "2|2000\n3|0")
        .await;
    let endless = "SELECT number FROM numbers(1) ORDER BY number WITH FILL TO 1000000000000";
    bed.check(&format!("{endless} LIMIT 70000, 1"), "70000")
        .await;
    let estimate = "EXPLAIN ESTIMATE SELECT Body FROM otel_logs WHERE ServiceName = 'cart'";
    bed.check(estimate, "default|otel_logs|1|2000|1").await;
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_subqueries_run_first_and_bound_the_scan() {
    let bed = Bed::new().await;
    let scalar = "WITH (SELECT max(Timestamp) FROM otel_logs) AS newest, newest - INTERVAL 9 SECOND AS since SELECT count() FROM otel_logs WHERE Timestamp >= since AND Timestamp <= newest";
    bed.check(scalar, "10").await;
    let set = "SELECT count() FROM otel_logs WHERE ServiceName IN (SELECT ServiceName FROM otel_logs ORDER BY Timestamp LIMIT 1)";
    bed.check(set, "1000").await;
    let pairs = "SELECT count() FROM otel_logs WHERE (ServiceName, SeverityNumber) IN (SELECT ServiceName, SeverityNumber FROM otel_logs ORDER BY Timestamp LIMIT 2)";
    bed.check(pairs, "3000").await;
    bed.check(
        "SELECT (SELECT 1 WHERE 0) IS NULL, (SELECT (SELECT 2) + 1)",
        "1|3",
    )
    .await;
    bed.check("SELECT (SELECT 1, 'x').2", "x").await;
    bed.check(
        "SELECT arrayFilter(x -> x IN (SELECT number FROM numbers(2)), [1, 3])",
        "[1]",
    )
    .await;
    let several = bed.try_ask("SELECT (SELECT number FROM numbers(2))").await;
    let code = several.unwrap_err().code;
    assert_eq!(code, ErrorCode::IncorrectResultOfScalarSubquery);
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn totals_stand_beside_the_rows() {
    let bed = Bed::new().await;
    let ask = |text: &str| {
        let query = Query {
            text: text.to_owned(),
            ..Query::default()
        };
        bed.engine.run(query, Cancel::new())
    };
    let text = "SELECT ServiceName, count() FROM otel_logs GROUP BY ServiceName WITH TOTALS";
    let answer = ask(text).await.unwrap();
    let totals = answer.totals.clone().unwrap();
    assert_eq!(answer.rows.try_collect::<Vec<_>>().await.unwrap().len(), 1);
    assert_eq!(
        ArrayFormatter::try_new(totals.column(1), &FormatOptions::default())
            .unwrap()
            .value(0)
            .to_string(),
        "3000"
    );
    let chosen = ask(&format!("{text} HAVING count() > 1500")).await.unwrap();
    let totals = chosen.totals.unwrap();
    assert_eq!(
        ArrayFormatter::try_new(totals.column(1), &FormatOptions::default())
            .unwrap()
            .value(0)
            .to_string(),
        "2000"
    );
    assert!(
        ask("SELECT count() FROM otel_logs")
            .await
            .unwrap()
            .totals
            .is_none()
    );
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_that_metadata_knows_read_nothing() {
    let bed = Bed::new().await;
    let plan = bed
        .try_ask("EXPLAIN SELECT count() FROM otel_logs")
        .await
        .unwrap();
    assert!(!plan.contains("SegmentScanExec"), "{plan}");
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_maps_are_counted_by_storage() {
    let bed = Bed::new().await;
    let from = "FROM otel_logs WHERE ServiceName = 'cart'";
    for (text, expect) in [
        (
            "SELECT arrayJoin(mapKeys(LogAttributes)) AS k, count() FROM otel_logs GROUP BY k",
            "http.route|1500",
        ),
        (
            "SELECT DISTINCT arrayJoin(LogAttributes.keys) FROM otel_logs LIMIT 9",
            "http.route",
        ),
        (
            "SELECT arrayJoin(mapKeys(ResourceAttributes)) AS k, count() FROM otel_logs GROUP BY k",
            "",
        ),
    ] {
        let plan = bed.try_ask(&format!("EXPLAIN {text}")).await.unwrap();
        assert!(
            plan.contains("KeyScanExec") && !plan.contains("SegmentScanExec"),
            "{plan}"
        );
        bed.check(text, expect).await;
    }
    let rows = format!("SELECT countIf(mapContains(LogAttributes, 'http.route')) {from}");
    let rows = bed.try_ask(&rows).await.unwrap();
    let keys = format!("SELECT arrayJoin(mapKeys(LogAttributes)) AS k, count() {from} GROUP BY k");
    bed.check(&keys, &format!("http.route|{rows}")).await;
    // Something else than keys and rows is asked: the maps themselves are needed.
    for text in [
        "SELECT arrayJoin(mapKeys(LogAttributes)) AS k, max(Body) FROM otel_logs GROUP BY k",
        "SELECT arrayJoin(mapValues(LogAttributes)) AS v, count() FROM otel_logs GROUP BY v",
        "SELECT arrayJoin(mapKeys(LogAttributes)) AS k, ServiceName, count() FROM otel_logs GROUP BY k, ServiceName",
    ] {
        let plan = bed.try_ask(&format!("EXPLAIN {text}")).await.unwrap();
        assert!(plan.contains("SegmentScanExec"), "{plan}");
    }
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_statements_answer_with_the_right_name() {
    let bed = Bed::new().await;
    for (text, code) in [
        ("SELEC 1", ErrorCode::SyntaxError),
        ("SELECT nosuch FROM otel_logs", ErrorCode::UnknownIdentifier),
        ("SELECT 1 FROM nosuch", ErrorCode::UnknownTable),
        ("SELECT nosuch(1)", ErrorCode::UnknownFunction),
    ] {
        let error = bed.try_ask(text).await.unwrap_err();
        assert_eq!(error.code, code, "{text}: {error}");
    }
    let stats = bed.engine.stats();
    assert_eq!((stats.started, stats.failed, stats.running), (4, 4, 0));
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_and_result_bounds_stop_a_query() {
    let bed = Bed::new().await;
    let endless = "SELECT sum(number) FROM system.numbers SETTINGS max_execution_time = 0.2";
    assert_eq!(
        bed.try_ask(endless).await.unwrap_err().code,
        ErrorCode::TimeoutExceeded
    );
    let many = "SELECT Body FROM otel_logs SETTINGS max_result_rows = 10";
    assert_eq!(
        bed.try_ask(many).await.unwrap_err().code,
        ErrorCode::TooManyRowsOrBytes
    );
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_answer_gives_its_turn_back() {
    let bed = Bed::new().await;
    for _ in 0..10 {
        let query = Query {
            text: "SELECT Body FROM otel_logs".to_owned(),
            ..Query::default()
        };
        drop(bed.engine.run(query, Cancel::new()).await.unwrap());
    }
    bed.check("SELECT count() FROM otel_logs", "3000").await;
    assert_eq!(bed.engine.stats().cancelled, 10);
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_answer_failed_but_nobody_cancelled_it() {
    let bed = Bed::new().await;
    let query = Query {
        text: "SELECT Body FROM otel_logs FORMAT nope".to_owned(),
        ..Query::default()
    };
    let answer = bed.engine.run(query, Cancel::new()).await.unwrap();
    answer.refusal.refuse(ErrorCode::UnknownFormat);
    drop(answer);
    let stats = bed.engine.stats();
    assert_eq!((stats.failed, stats.cancelled, stats.running), (1, 0, 0));
    bed.store.shutdown().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_chains_are_refused_or_answered_never_fatal() {
    let bed = Bed::new().await;
    let chain = format!("SELECT {}", vec!["1"; 2_000].join("+"));
    let refused = bed.try_ask(&chain).await;
    assert!(refused.is_err(), "{refused:?}");
    let ors = vec!["ServiceName = 'x'"; 400].join(" OR ");
    bed.check(&format!("SELECT count() FROM otel_logs WHERE {ors}"), "0")
        .await;
    let nested = format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000));
    assert!(bed.try_ask(&nested).await.is_err());
    bed.store.shutdown().await.unwrap();
}

#[test]
fn the_clock_of_an_engine_is_injected() {
    // now() must follow the engine's clock, not the machine's.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let bed = Bed::new().await;
        bed.check("SELECT toUnixTimestamp(now())", "1700000000")
            .await;
        assert!(SystemClock.now() > NOW);
        bed.store.shutdown().await.unwrap();
    });
}

#[tokio::test]
async fn what_clients_send_is_answered() {
    let bed = Bed::new().await;
    let mut failed = Vec::new();
    for text in include_str!("../fixtures/shapes.sql").lines() {
        if let Err(error) = bed.try_ask(text).await {
            failed.push(format!("{text}\n  {:?}: {error}", error.code));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
