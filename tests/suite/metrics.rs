//! Metrics in, as OTLP/JSON; the five tables have ClickStack's columns, and every value comes back from memory, after a
//! kill, and out of segments.

use serde_json::{Value, json};

use crate::server::{Cairn, folder};

const HEAD: [(&str, &str); 14] = [
    ("ResourceAttributes", MAP),
    ("ResourceSchemaUrl", "String"),
    ("ScopeName", "String"),
    ("ScopeVersion", "String"),
    ("ScopeAttributes", MAP),
    ("ScopeDroppedAttrCount", "UInt32"),
    ("ScopeSchemaUrl", "String"),
    ("ServiceName", "LowCardinality(String)"),
    ("MetricName", "LowCardinality(String)"),
    ("MetricDescription", "String"),
    ("MetricUnit", "String"),
    ("Attributes", MAP),
    ("StartTimeUnix", "DateTime"),
    ("TimeUnix", "DateTime"),
];
const MAP: &str = "Map(LowCardinality(String), String)";
const EXEMPLARS: [(&str, &str); 5] = [
    (
        "Exemplars.FilteredAttributes",
        "Array(Map(LowCardinality(String), String))",
    ),
    ("Exemplars.TimeUnix", "Array(DateTime)"),
    ("Exemplars.Value", "Array(Float64)"),
    ("Exemplars.SpanId", "Array(String)"),
    ("Exemplars.TraceId", "Array(String)"),
];
const EXTREMES: [(&str, &str); 4] = [
    ("Flags", "UInt32"),
    ("Min", "Float64"),
    ("Max", "Float64"),
    ("AggregationTemporality", "Int32"),
];
const VALUE: [(&str, &str); 2] = [("Value", "Float64"), ("Flags", "UInt32")];
const TOTALS: [(&str, &str); 2] = [("Count", "UInt64"), ("Sum", "Float64")];

#[test]
fn the_tables_of_metrics_have_the_columns_and_types_of_clickstack() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let sum = [("AggregationTemporality", "Int32"), ("IsMonotonic", "Bool")];
    let buckets = [
        ("BucketCounts", "Array(UInt64)"),
        ("ExplicitBounds", "Array(Float64)"),
    ];
    let exponential = [
        ("Scale", "Int32"),
        ("ZeroCount", "UInt64"),
        ("PositiveOffset", "Int32"),
        ("PositiveBucketCounts", "Array(UInt64)"),
        ("NegativeOffset", "Int32"),
        ("NegativeBucketCounts", "Array(UInt64)"),
    ];
    let quantiles = [
        ("ValueAtQuantiles.Quantile", "Array(Float64)"),
        ("ValueAtQuantiles.Value", "Array(Float64)"),
        ("Flags", "UInt32"),
    ];
    let exponential = [&TOTALS[..], &exponential, &EXEMPLARS, &EXTREMES].concat();
    let tables = [
        ("gauge", [&VALUE[..], &EXEMPLARS].concat()),
        ("sum", [&VALUE[..], &EXEMPLARS, &sum].concat()),
        (
            "histogram",
            [&TOTALS[..], &buckets, &EXEMPLARS, &EXTREMES].concat(),
        ),
        ("exponential_histogram", exponential.clone()),
        ("exp_histogram", exponential),
        ("summary", [&TOTALS[..], &quantiles].concat()),
    ];
    for (table, own) in tables {
        let described = cairn.rows(&format!("DESCRIBE TABLE otel_metrics_{table}"));
        let found: Vec<_> = described
            .iter()
            .map(|row| {
                let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
                (text("name"), text("type"))
            })
            .collect();
        let expect = HEAD.iter().chain(&own);
        let expect: Vec<_> = expect
            .map(|(name, ty)| ((*name).to_owned(), (*ty).to_owned()))
            .collect();
        assert_eq!(found, expect, "{table}");
        let all = format!("SELECT * FROM otel_metrics_{table}");
        assert_eq!(cairn.rows(&all), Vec::<Value>::new(), "{table} is empty");
    }
}

fn point(own: &Value) -> Value {
    let mut point = json!({
        "startTimeUnixNano": "1700000000999999999", "timeUnixNano": "1700000060123456789",
        "attributes": [{"key": "route", "value": {"stringValue": "/pay"}}],
    });
    let fields = point.as_object_mut().expect("an object");
    fields.extend(own.as_object().expect("an object").clone());
    point
}

/// One metric of every kind.
fn request() -> Value {
    let exemplar = json!({
        "timeUnixNano": "1700000059000000001", "asDouble": 0.25,
        "spanId": "eee19b7ec3c1b174", "traceId": "5b8efff798038103d269b633813fc60c",
        "filteredAttributes": [{"key": "user", "value": {"intValue": "7"}}],
    });
    let metrics = json!([
        {"name": "fill", "description": "how full", "unit": "1", "gauge": {"dataPoints": [
            point(&json!({"asDouble": "NaN"})), point(&json!({"asInt": "-3", "flags": 1}))]}},
        {"name": "placed", "sum": {"dataPoints": [
            point(&json!({"asInt": "12", "exemplars": [exemplar]}))],
            "aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "isMonotonic": true}},
        {"name": "took", "unit": "s", "histogram": {"dataPoints": [
            point(&json!({"count": "3", "sum": 5.5, "min": 0.5, "max": 4, "bucketCounts": ["1", 2],
                         "explicitBounds": [1.5], "exemplars": [exemplar]}))],
            "aggregationTemporality": 2}},
        {"name": "size", "exponentialHistogram": {"dataPoints": [
            point(&json!({"count": 4, "sum": 9, "scale": -2, "zeroCount": "1",
                         "positive": {"offset": 3, "bucketCounts": ["1", "1"]},
                         "negative": {"offset": -3, "bucketCounts": [1]}}))],
            "aggregationTemporality": 1}},
        {"name": "lag", "summary": {"dataPoints": [
            point(&json!({"count": "2", "sum": 3, "quantileValues": [
                {"quantile": 0.5, "value": 1}, {"quantile": 0.99, "value": "Infinity"}]}))]}},
        {"name": "nothing", "gauge": {"dataPoints": []}},
    ]);
    json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeMetrics": [{"scope": {"name": "lib", "droppedAttributesCount": 2}, "metrics": metrics}],
    }]})
}

fn check(cairn: &Cairn, when: &str) {
    let ask = |sql: &str, expect: &str| {
        assert_eq!(cairn.value(sql), expect, "{when}: {sql}");
    };
    ask(
        "SELECT MetricName, MetricDescription, MetricUnit, ServiceName, ScopeName, ScopeDroppedAttrCount, \
         Attributes, StartTimeUnix, TimeUnix, Value, Flags FROM otel_metrics_gauge ORDER BY Flags",
        "fill\thow full\t1\tshop\tlib\t2\t{'route':'/pay'}\t2023-11-14 22:13:20\t2023-11-14 22:14:20\tnan\t0\n\
         fill\thow full\t1\tshop\tlib\t2\t{'route':'/pay'}\t2023-11-14 22:13:20\t2023-11-14 22:14:20\t-3\t1",
    );
    ask(
        "SELECT Value, AggregationTemporality, IsMonotonic, Exemplars.FilteredAttributes, Exemplars.TimeUnix, \
         Exemplars.Value, Exemplars.SpanId, Exemplars.TraceId FROM otel_metrics_sum",
        "12\t1\ttrue\t[{'user':'7'}]\t['2023-11-14 22:14:19']\t[0.25]\t['eee19b7ec3c1b174']\t\
         ['5b8efff798038103d269b633813fc60c']",
    );
    ask(
        "SELECT Count, Sum, BucketCounts, ExplicitBounds, Min, Max, AggregationTemporality, \
         length(Exemplars.Value) FROM otel_metrics_histogram",
        "3\t5.5\t[1,2]\t[1.5]\t0.5\t4\t2\t1",
    );
    ask(
        "SELECT Count, Sum, Scale, ZeroCount, PositiveOffset, PositiveBucketCounts, NegativeOffset, \
         NegativeBucketCounts, Min, AggregationTemporality FROM otel_metrics_exp_histogram",
        "4\t9\t-2\t1\t3\t[1,1]\t-3\t[1]\t0\t1",
    );
    ask(
        "SELECT Count, Sum, ValueAtQuantiles.Quantile, ValueAtQuantiles.Value FROM otel_metrics_summary",
        "2\t3\t[0.5,0.99]\t[1,inf]",
    );
    // Conditions on the time, on labels and on attributes find what they must, and nothing else.
    for (condition, count) in [
        ("TimeUnix = toDateTime(1700000060)", 2),
        ("TimeUnix = '2023-11-14 22:14:20'", 2),
        ("TimeUnix > toDateTime(1700000060)", 0),
        (
            "TimeUnix >= toDateTime(1700000060) AND TimeUnix < toDateTime(1700000061)",
            2,
        ),
        ("TimeUnix IN (toDateTime(1700000060))", 2),
        ("TimeUnix != toDateTime(1700000060)", 0),
        ("toDateTime(TimeUnix) <= toDateTime(1700000059)", 0),
        ("TimeUnix >= fromUnixTimestamp64Milli(1700000060000)", 2),
        ("toStartOfMinute(TimeUnix) = toDateTime(1700000040)", 2),
        ("StartTimeUnix < toDateTime(1700000001)", 2),
        ("Flags = 1", 1),
        ("MetricName = 'fill' AND Attributes['route'] = '/pay'", 2),
        ("MetricName = 'placed'", 0),
    ] {
        let sql = format!("SELECT count() FROM otel_metrics_gauge WHERE {condition}");
        ask(&sql, &count.to_string());
    }
    ask(
        "SELECT TimeUnix FROM otel_metrics_gauge ORDER BY TimeUnix DESC LIMIT 1",
        "2023-11-14 22:14:20",
    );
}

#[test]
fn points_of_every_kind_survive_a_kill_and_a_flush() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    cairn.send_json("/v1/metrics", &request());
    check(&cairn, "in memory");
    cairn.kill();
    let cairn = Cairn::start(dir.path(), &[]);
    check(&cairn, "replayed");
    cairn.stop();
    let cairn = Cairn::start(dir.path(), &["--memtable-age", "1s"]);
    check(&cairn, "after a clean stop");
    let flushed = || !crate::server::files_below(dir.path(), ".parquet").is_empty();
    let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
    while !flushed() {
        assert!(std::time::Instant::now() < until, "nothing was flushed");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let names = crate::server::files_below(dir.path(), ".parquet");
    check(&cairn, "in segments");
    assert!(
        names
            .iter()
            .all(|name| name.to_string_lossy().contains("otel_metrics_")),
        "empty tables have no files: {names:?}"
    );
}
