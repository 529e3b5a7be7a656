//! QU-2: a condition handed down to storage keeps exactly the rows that the same condition keeps when it is computed
//! above the scan.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::Bed;

/// Conditions that storage must take over completely.
const TAKEN: [&str; 30] = [
    "Timestamp >= '2023-11-14 21:53:20'",
    "Timestamp < toDateTime64('2023-11-14 22:10:00.5', 9)",
    "TimestampTime <= '2023-11-14 22:00:00'",
    "TimestampTime != '2023-11-14 22:00:00'",
    "toDateTime('2023-11-14 21:50:00') < TimestampTime",
    "Timestamp BETWEEN '2023-11-14 21:40:00' AND '2023-11-14 22:00:00'",
    "SeverityNumber >= 17",
    "SeverityNumber > 300",
    "SeverityNumber != 9",
    "SeverityNumber IN (9, 21)",
    "17 <= SeverityNumber",
    "ServiceName = 'cart'",
    "ServiceName IN ('cart', 'nobody')",
    "ServiceName NOT IN ('cart')",
    "ServiceName > 'd'",
    "TraceId = ''",
    "TraceId != ''",
    "Body LIKE '%12%'",
    "Body NOT LIKE 'request 1%'",
    "Body ILIKE '%TOOK 7%'",
    "match(Body, 'request [0-4]+ took')",
    "NOT match(Body, '(?i)REQUEST .*5 ms$')",
    "hasToken(Body, '700')",
    "startsWith(Body, 'request 29')",
    "notEmpty(Body)",
    "LogAttributes['http.route'] = '/items/4'",
    "LogAttributes['http.route'] != ''",
    "LogAttributes['nothing'] = ''",
    "mapContains(LogAttributes, 'http.route')",
    "LogAttributes['http.route'] LIKE '%6'",
];

/// Conditions that are computed above the scan.
const KEPT: [&str; 6] = [
    "length(Body) % 2 = 0",
    "toHour(Timestamp) = 22",
    "Body = concat('request ', '7', ' took 49 ms')",
    "lower(ServiceName) = 'web'",
    "toStartOfMinute(Timestamp) = '2023-11-14 22:00:00'",
    "hasToken(lower(Body), 'took')",
];

fn condition() -> impl Strategy<Value = String> {
    let all: Vec<&str> = TAKEN.into_iter().chain(KEPT).collect();
    let leaf = prop::sample::select(all).prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| join(&parts, " AND ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|parts| join(&parts, " OR ")),
            inner.prop_map(|part| format!("NOT ({part})")),
        ]
    })
}

fn join(parts: &[String], operator: &str) -> String {
    let bracketed: Vec<String> = parts.iter().map(|part| format!("({part})")).collect();
    bracketed.join(operator)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_that_storage_knows_are_taken_completely() {
    let bed = Bed::new().await;
    for condition in TAKEN {
        let text = format!("EXPLAIN SELECT Body FROM otel_logs WHERE {condition}");
        let plan = bed.try_ask(&text).await.unwrap();
        assert!(!plan.contains("FilterExec"), "{condition}:\n{plan}");
    }
    bed.store.shutdown().await.unwrap();
}

#[test]
fn a_pushed_condition_keeps_the_rows_of_a_computed_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let bed = runtime.block_on(Bed::new());
    let mut runner = TestRunner::new(Config {
        cases: 60,
        failure_persistence: None,
        ..Config::default()
    });
    let outcome = runner.run(&condition(), |condition| {
        let pushed = format!(
            "SELECT count(), sum(length(Body)), max(Timestamp) FROM otel_logs WHERE {condition}"
        );
        // Conditions of aggregates are never handed down.
        let computed = format!(
            "SELECT countIf(c), sumIf(length(Body), c), maxIf(Timestamp, c) FROM \
             (SELECT Body, Timestamp, ({condition}) AS c FROM otel_logs)"
        );
        let pushed = runtime.block_on(bed.try_ask(&pushed));
        let computed = runtime.block_on(bed.try_ask(&computed));
        prop_assert_eq!(pushed, computed);
        Ok(())
    });
    runtime.block_on(bed.store.shutdown()).unwrap();
    if let Err(error) = outcome {
        panic!("{error}");
    }
}
