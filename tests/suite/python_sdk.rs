//! The real OpenTelemetry SDK for Python sends every signal, over HTTP and gRPC; every field comes
//! back through SQL.

use std::process::Command;

use serde_json::{Value, json};

use crate::install::{interop, python, run};
use crate::server::{Cairn, folder};

#[test]
fn the_python_sdk_sends_every_signal_over_http() {
    round_trip("http");
}

#[test]
fn the_python_sdk_sends_every_signal_over_grpc() {
    round_trip("grpc");
}

fn round_trip(protocol: &str) {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let port = if protocol == "grpc" {
        cairn.otlp_grpc
    } else {
        cairn.otlp_http
    };
    let service = format!("orders-{protocol}");
    let script = interop("python").join("send.py");
    let endpoint = format!("http://{port}");
    let mut send = Command::new(python("python"));
    send.arg(script).args([protocol, &endpoint, &service]);
    let output = run(&mut send, "python3 with venv and pip");
    let sent: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    assert_eq!(
        sent["flushed"],
        true,
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    check_logs(&cairn, &sent, &service);
    check_spans(&cairn, &sent, &service);
    check_metrics(&cairn, &service);
    println!("verified: {} over {protocol}", sent["client"]);
}

fn check_logs(cairn: &Cairn, sent: &Value, service: &str) {
    let rows = cairn.rows(&format!(
        "SELECT TraceId, SpanId, TraceFlags, SeverityText, SeverityNumber, ServiceName, Body, \
         ResourceSchemaUrl, ScopeSchemaUrl, ScopeName, ScopeVersion, ScopeAttributes, \
         LogAttributes, EventName, ResourceAttributes['host.name'] AS host, \
         ResourceAttributes['telemetry.sdk.language'] AS language, \
         toString(toUnixTimestamp64Nano(Timestamp)) AS ns \
         FROM otel_logs WHERE ServiceName = '{service}' ORDER BY Timestamp"
    ));
    let log_ns = sent["log_ns"].as_i64().expect("a time");
    let both = |mut row: Value| {
        let common = json!({
            "ServiceName": service, "host": "test-host", "language": "python",
            "ResourceSchemaUrl": "https://opentelemetry.io/schemas/1.21.0",
            "ScopeSchemaUrl": "https://example.org/schema", "ScopeName": "shop.orders",
            "ScopeVersion": "0.9.1", "ScopeAttributes": {"scope.team": "shop"},
        });
        let row_fields = row.as_object_mut().expect("an object");
        row_fields.extend(common.as_object().expect("an object").clone());
        row
    };
    assert_eq!(
        rows,
        [
            both(json!({
                "TraceId": sent["trace_id"], "SpanId": sent["child_id"], "TraceFlags": 1,
                "SeverityText": "error", "SeverityNumber": 17, "EventName": "payment.failed",
                "Body": "charging order 4711 failed: card expired", "ns": log_ns.to_string(),
                "LogAttributes": {
                    "amount": "12.5", "codes": "[1,2,3]", "nested": "{\"a\":\"x\",\"b\":1}",
                    "order.id": "4711", "retryable": "false",
                },
            })),
            both(json!({
                "TraceId": "", "SpanId": "", "TraceFlags": 0,
                "SeverityText": "info", "SeverityNumber": 9, "EventName": "",
                "Body": "{\"count\":2,\"kind\":\"structured\",\"list\":[1.5,true,\"x\"]}",
                "ns": (log_ns + 2).to_string(),
                "LogAttributes": {
                "count": "2", "kind": "structured", "list.0": "1.5", "list.1": "true", "list.2": "x",
            },
            })),
        ]
    );
}

fn check_spans(cairn: &Cairn, sent: &Value, service: &str) {
    let trace_id = sent["trace_id"].as_str().expect("an id");
    let rows = cairn.rows(&format!(
        "SELECT SpanId, ParentSpanId, SpanName, SpanKind, ServiceName, ScopeName, ScopeVersion, \
         toString(Duration) AS duration, StatusCode, StatusMessage, SpanAttributes, Events.Name, \
         Links.TraceId, Links.SpanId, Links.Attributes, \
         toString(toUnixTimestamp64Nano(Timestamp)) AS ns \
         FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp"
    ));
    let start = sent["start_ns"].as_i64().expect("a time");
    assert_eq!(
        rows,
        [
            json!({
                "SpanId": sent["parent_id"], "ParentSpanId": "", "SpanName": "GET /orders/{id}",
                "SpanKind": "Server", "ServiceName": service, "ScopeName": "shop.orders",
                "ScopeVersion": "0.9.1", "duration": "1500000", "StatusCode": "Ok",
                "StatusMessage": "", "ns": start.to_string(),
                "SpanAttributes": {
                    "cache.hit": "true", "http.request.method": "GET",
                    "http.response.status_code": "200", "sampled.ratio": "0.25",
                    "tags": "[\"a\",\"b\"]", "text": "grüße, 世界",
                },
                "Events.Name": ["queue.wait"],
                "Links.TraceId": ["0af7651916cd43dd8448eb211c80319c"],
                "Links.SpanId": ["00f067aa0ba902b7"],
                "Links.Attributes": [{"link.kind": "retry"}],
            }),
            json!({
                "SpanId": sent["child_id"], "ParentSpanId": sent["parent_id"],
                "SpanName": "SELECT orders", "SpanKind": "Client", "ServiceName": service,
                "ScopeName": "shop.orders", "ScopeVersion": "0.9.1", "duration": "3000",
                "StatusCode": "Error", "StatusMessage": "connection reset",
                "ns": (start + 2_000).to_string(), "SpanAttributes": {},
                "Events.Name": ["exception"],
                "Links.TraceId": [], "Links.SpanId": [], "Links.Attributes": [],
            }),
        ]
    );
    let events = cairn.rows(&format!(
        "SELECT Events.Attributes FROM otel_traces WHERE TraceId = '{trace_id}' ORDER BY Timestamp"
    ));
    assert_eq!(
        events[0]["Events.Attributes"],
        json!([{"queue.depth": "3"}])
    );
    let exception = &events[1]["Events.Attributes"][0];
    assert_eq!(exception["exception.type"], "ValueError");
    assert_eq!(exception["exception.message"], "bad row");
}

fn check_metrics(cairn: &Cairn, service: &str) {
    let rows = |what: &str, table: &str| {
        cairn.rows(&format!(
            "SELECT MetricName, MetricUnit, ScopeName, {what} FROM {table} \
             WHERE ServiceName = '{service}' AND TimeUnix > now() - INTERVAL 1 HOUR ORDER BY MetricName"
        ))
    };
    assert_eq!(
        rows(
            "MetricDescription, Attributes, Value, AggregationTemporality, IsMonotonic",
            "otel_metrics_sum"
        ),
        [
            json!({
                "MetricName": "orders.open", "MetricUnit": "{order}", "ScopeName": "shop.orders",
                "MetricDescription": "", "Attributes": {}, "Value": -2,
                "AggregationTemporality": 2, "IsMonotonic": false,
            }),
            json!({
                "MetricName": "orders.placed", "MetricUnit": "{order}", "ScopeName": "shop.orders",
                "MetricDescription": "orders placed", "Attributes": {"shop.region": "eu"},
                "Value": 3, "AggregationTemporality": 2, "IsMonotonic": true,
            }),
        ]
    );
    assert_eq!(
        rows("Attributes, Value", "otel_metrics_gauge"),
        [json!({
            "MetricName": "queue.fill", "MetricUnit": "1", "ScopeName": "shop.orders",
            "Attributes": {"queue": "mail"}, "Value": 0.75,
        })]
    );
    assert_eq!(
        rows(
            "toUInt8(Count) AS count, Sum, Min, Max, arrayMap(c -> toUInt8(c), BucketCounts) AS counts, ExplicitBounds",
            "otel_metrics_histogram"
        ),
        [json!({
            "MetricName": "orders.duration", "MetricUnit": "ms", "ScopeName": "shop.orders",
            "count": 3, "Sum": 555, "Min": 5, "Max": 500, "counts": [1, 1, 1],
            "ExplicitBounds": [10, 100],
        })]
    );
    assert_eq!(
        rows(
            "toUInt8(Count) AS count, toUInt8(arraySum(PositiveBucketCounts)) AS positive",
            "otel_metrics_exponential_histogram"
        ),
        [json!({
            "MetricName": "orders.size", "MetricUnit": "By", "ScopeName": "shop.orders",
            "count": 3, "positive": 3,
        })]
    );
}
