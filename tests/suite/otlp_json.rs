//! OTLP/JSON in, as `curl` sends it; every column comes back through SQL as the mapping says.

use serde_json::{Value, json};

use crate::http;
use crate::server::{Cairn, folder};

const TIME_NS: &str = "1700000000123456789";
const TRACE_ID: &str = "5b8efff798038103d269b633813fc60c";
const SPAN_ID: &str = "eee19b7ec3c1b174";

fn resource() -> Value {
    json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": "checkout"}},
        {"key": "host.name", "value": {"stringValue": "node-1"}}
    ]})
}

fn scope() -> Value {
    json!({"name": "shop.orders", "version": "1.4", "attributes": [
        {"key": "team", "value": {"stringValue": "payments"}}
    ]})
}

#[test]
fn every_column_of_a_log_record_comes_back() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    cairn.send_json("/v1/logs", &json!({"resourceLogs": [{
        "resource": resource(),
        "schemaUrl": "https://example.org/resource",
        "scopeLogs": [{"scope": scope(), "schemaUrl": "https://example.org/scope", "logRecords": [{
            "timeUnixNano": TIME_NS,
            "observedTimeUnixNano": "1700000000999999999",
            "severityNumber": 17,
            "severityText": "ERROR",
            "body": {"stringValue": "card refused, grüße\n世界"},
            "attributes": [
                {"key": "text", "value": {"stringValue": "plain"}},
                {"key": "yes", "value": {"boolValue": true}},
                {"key": "whole", "value": {"intValue": "-42"}},
                {"key": "real", "value": {"doubleValue": 12.5}},
                {"key": "bytes", "value": {"bytesValue": "AAH/"}},
                {"key": "list", "value": {"arrayValue": {"values": [
                    {"intValue": "1"}, {"stringValue": "<b>"}, {"boolValue": false}]}}},
                {"key": "map", "value": {"kvlistValue": {"values": [
                    {"key": "b", "value": {"intValue": "2"}},
                    {"key": "a", "value": {"doubleValue": 1e21}}]}}},
                {"key": "none", "value": {}}
            ],
            "flags": 257,
            "traceId": TRACE_ID.to_uppercase(),
            "spanId": SPAN_ID,
            "eventName": "payment.refused",
            "unknownField": {"is": "ignored"}
        }]}]
    }]}));
    let rows = cairn.rows("SELECT * FROM otel_logs");
    assert_eq!(
        rows,
        [json!({
            "Timestamp": "2023-11-14 22:13:20.123456789",
            "TraceId": TRACE_ID,
            "SpanId": SPAN_ID,
            "TraceFlags": 1,
            "SeverityText": "error",
            "SeverityNumber": 17,
            "ServiceName": "checkout",
            "Body": "card refused, grüße\n世界",
            "ResourceSchemaUrl": "https://example.org/resource",
            "ResourceAttributes": {"host.name": "node-1", "service.name": "checkout"},
            "ScopeSchemaUrl": "https://example.org/scope",
            "ScopeName": "shop.orders",
            "ScopeVersion": "1.4",
            "ScopeAttributes": {"team": "payments"},
            "LogAttributes": {
                "text": "plain",
                "yes": "true",
                "whole": "-42",
                "real": "12.5",
                "bytes": "AAH/",
                "list": "[1,\"<b>\",false]",
                "map": "{\"a\":1e+21,\"b\":2}",
                "none": ""
            },
            "EventName": "payment.refused"
        })]
    );
    let keys = cairn.value("SELECT arrayStringConcat(mapKeys(LogAttributes), ' ') FROM otel_logs");
    assert_eq!(
        keys, "bytes list map none real text whole yes",
        "keys are sorted"
    );
    let missing = "SELECT LogAttributes['nowhere'] = '', mapContains(LogAttributes, 'none'), \
                   mapContains(LogAttributes, 'nowhere') FROM otel_logs";
    assert_eq!(cairn.value(missing), "1\t1\t0");
    let alias = "SELECT toTypeName(TimestampTime), TimestampTime FROM otel_logs";
    assert_eq!(cairn.value(alias), "DateTime\t2023-11-14 22:13:20");
}

#[test]
fn every_column_of_a_span_comes_back() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    cairn.send_json("/v1/traces", &json!({"resourceSpans": [{
        "resource": resource(),
        "scopeSpans": [{"scope": scope(), "spans": [{
            "traceId": TRACE_ID,
            "spanId": SPAN_ID,
            "parentSpanId": "00f067aa0ba902b7",
            "traceState": "vendor=1",
            "name": "POST /pay",
            "kind": "SPAN_KIND_SERVER",
            "startTimeUnixNano": TIME_NS,
            "endTimeUnixNano": "1700000000123456999",
            "attributes": [
                {"key": "http.response.status_code", "value": {"intValue": 503}},
                {"key": "SampleRate", "value": {"intValue": 10}}
            ],
            "events": [
                {"timeUnixNano": "1700000000123456800", "name": "retry", "attributes": [
                    {"key": "attempt", "value": {"intValue": 2}}]},
                {"timeUnixNano": "1700000000123456900", "name": "exception"}
            ],
            "links": [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331",
                       "traceState": "a=b", "attributes": [
                    {"key": "kind", "value": {"stringValue": "follows"}}]}],
            "status": {"code": 2, "message": "upstream timed out"}
        }]}]
    }]}));
    let rows = cairn.rows("SELECT * FROM otel_traces");
    assert_eq!(
        rows,
        [json!({
            "Timestamp": "2023-11-14 22:13:20.123456789",
            "TraceId": TRACE_ID,
            "SpanId": SPAN_ID,
            "ParentSpanId": "00f067aa0ba902b7",
            "TraceState": "vendor=1",
            "SpanName": "POST /pay",
            "SpanKind": "Server",
            "ServiceName": "checkout",
            "ResourceAttributes": {"host.name": "node-1", "service.name": "checkout"},
            "ScopeName": "shop.orders",
            "ScopeVersion": "1.4",
            "SpanAttributes": {"http.response.status_code": "503", "SampleRate": "10"},
            "Duration": 210,
            "StatusCode": "Error",
            "StatusMessage": "upstream timed out",
            "Events.Timestamp": ["2023-11-14 22:13:20.123456800", "2023-11-14 22:13:20.123456900"],
            "Events.Name": ["retry", "exception"],
            "Events.Attributes": [{"attempt": "2"}, {}],
            "Links.TraceId": ["0af7651916cd43dd8448eb211c80319c"],
            "Links.SpanId": ["b7ad6b7169203331"],
            "Links.TraceState": ["a=b"],
            "Links.Attributes": [{"kind": "follows"}]
        })]
    );
    assert_eq!(cairn.value("SELECT SampleRate FROM otel_traces"), "10");
    let derived = format!(
        "SELECT TraceId, Start, End FROM otel_traces_trace_id_ts WHERE TraceId = '{TRACE_ID}'"
    );
    let second = "2023-11-14 22:13:20";
    assert_eq!(
        cairn.value(&derived),
        format!("{TRACE_ID}\t{second}\t{second}")
    );
}

#[test]
fn a_record_without_much_gets_the_documented_defaults() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    cairn.send_json("/v1/logs", &json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
        {"observedTimeUnixNano": TIME_NS, "body": {"stringValue": "WARN: disk almost full"}},
        {"timeUnixNano": TIME_NS, "body": {"stringValue": "{\"user\": {\"id\": 7}, \"ok\": true}"}},
        {"body": {"stringValue": "no time at all"}, "traceId": "00000000000000000000000000000000"}
    ]}]}]}));
    let rows = cairn.rows(
        "SELECT Body, SeverityText, SeverityNumber, ServiceName, TraceId, LogAttributes, \
         toUnixTimestamp64Nano(Timestamp) = 1700000000123456789 AS same \
         FROM otel_logs ORDER BY Body",
    );
    let row = |body: &str, severity: (&str, u8), attributes: Value, same: u8| {
        json!({"Body": body, "SeverityText": severity.0, "SeverityNumber": severity.1,
               "ServiceName": "", "TraceId": "", "LogAttributes": attributes, "same": same})
    };
    assert_eq!(
        rows,
        [
            row("WARN: disk almost full", ("warn", 13), json!({}), 1),
            row("no time at all", ("info", 9), json!({}), 0),
            row(
                "{\"user\": {\"id\": 7}, \"ok\": true}",
                ("info", 9),
                json!({"user.id": "7", "ok": "true"}),
                1
            ),
        ]
    );
    let recent = "SELECT count() FROM otel_logs WHERE Timestamp > now() - INTERVAL 1 HOUR";
    assert_eq!(
        cairn.value(recent),
        "1",
        "a record without a time has that of its arrival"
    );
}

#[test]
fn acknowledged_means_visible_to_the_very_next_query() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    for number in 1..=30 {
        cairn.send_json(
            "/v1/logs",
            &json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
                {"timeUnixNano": TIME_NS, "body": {"stringValue": format!("line {number}")}}
            ]}]}]}),
        );
        assert_eq!(
            cairn.value("SELECT count() FROM otel_logs"),
            number.to_string()
        );
    }
}

#[test]
fn answers_speak_the_content_type_of_the_request() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    for (kind, body) in [("application/json", "{}"), ("application/x-protobuf", "")] {
        let headers = [("Content-Type", kind)];
        let response = http::post(cairn.otlp_http, "/v1/logs", &headers, body.as_bytes());
        assert_eq!(response.status, 200, "an empty request is fine");
        assert_eq!(response.header("content-type"), Some(kind));
        let bad = http::post(cairn.otlp_http, "/v1/logs", &headers, b"{\xff");
        assert_eq!(bad.status, 400);
        assert_eq!(bad.header("content-type"), Some(kind));
    }
}
