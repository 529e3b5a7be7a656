//! The mapping of spans, field by field, against messages encoded by the official types.

use cairn_storage::{Nanos, TableDef, TableId};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

use super::decode;
use crate::notes::Tally;
use crate::test_rows::cell;

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);

fn pair(key: &str, value: &str) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue {
            value: Some(Value::StringValue(value.to_owned())),
        }),
        ..KeyValue::default()
    }
}

fn check(spans: Vec<Span>, expect: &[(usize, &str, &str)]) -> Tally {
    let count = spans.len();
    let request = ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: vec![pair("service.name", "shop")],
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    version: "1".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                schema_url: "ignored".to_owned(),
            }],
            schema_url: "ignored".to_owned(),
        }],
    };
    let (batch, tally) = decode(&request.encode_to_vec(), NOW).unwrap();
    assert_eq!(
        batch.rows.schema(),
        TableDef::of(TableId::Traces).write_schema()
    );
    assert_eq!(batch.rows.num_rows(), count);
    for (row, column, value) in expect {
        assert_eq!(cell(&batch.rows, column, *row), *value, "{column}");
    }
    tally
}

/// A span with every field set.
fn full_span() -> Span {
    Span {
        trace_id: (1..17).collect(),
        span_id: (1..9).collect(),
        trace_state: "a=b".to_owned(),
        parent_span_id: (11..19).collect(),
        name: "GET /".to_owned(),
        kind: 2,
        start_time_unix_nano: 1_000,
        end_time_unix_nano: 3_500,
        attributes: vec![pair("b", "2"), pair("a", "1")],
        events: vec![
            Event {
                time_unix_nano: 1_500,
                name: "e1".to_owned(),
                attributes: vec![pair("y", "1"), pair("x", "2")],
                ..Event::default()
            },
            Event {
                time_unix_nano: 0,
                name: "e2".to_owned(),
                ..Event::default()
            },
        ],
        links: vec![
            Link {
                trace_id: vec![0xab; 16],
                span_id: vec![0xcd; 8],
                trace_state: "l".to_owned(),
                attributes: vec![pair("p", "q")],
                ..Link::default()
            },
            Link {
                trace_id: vec![0; 16],
                span_id: vec![1; 3],
                ..Link::default()
            },
        ],
        status: Some(Status {
            message: "boom".to_owned(),
            code: 2,
        }),
        ..Span::default()
    }
}

#[test]
fn every_field_reaches_its_column() {
    let tally = check(
        vec![full_span(), Span::default()],
        &[
            (0, "Timestamp", "1000"),
            (0, "TraceId", "0102030405060708090a0b0c0d0e0f10"),
            (0, "SpanId", "0102030405060708"),
            (0, "ParentSpanId", "0b0c0d0e0f101112"),
            (0, "TraceState", "a=b"),
            (0, "SpanName", "GET /"),
            (0, "SpanKind", "Server"),
            (0, "ServiceName", "shop"),
            (0, "ResourceAttributes", "{service.name=shop}"),
            (0, "ScopeName", "lib"),
            (0, "ScopeVersion", "1"),
            (0, "SpanAttributes", "{a=1, b=2}"),
            (0, "Duration", "2500"),
            (0, "StatusCode", "Error"),
            (0, "StatusMessage", "boom"),
            (0, "Events.Timestamp", "[1500, 1000]"),
            (0, "Events.Name", "[e1, e2]"),
            (0, "Events.Attributes", "[{x=2, y=1}, {}]"),
            (0, "Links.TraceId", "[abababababababababababababababab, ]"),
            (0, "Links.SpanId", "[cdcdcdcdcdcdcdcd, ]"),
            (0, "Links.TraceState", "[l, ]"),
            (0, "Links.Attributes", "[{p=q}, {}]"),
            (1, "Timestamp", "1700000000000000000"),
            (1, "TraceId", ""),
            (1, "ParentSpanId", ""),
            (1, "SpanKind", "Unspecified"),
            (1, "StatusCode", "Unset"),
            (1, "Duration", "0"),
            (1, "SpanAttributes", "{}"),
            (1, "Events.Name", "[]"),
            (1, "Links.TraceId", "[]"),
        ],
    );
    assert_eq!(tally.accepted, 2);
    assert_eq!(tally.notes.missing_times, 2);
    assert_eq!(tally.notes.invalid_ids, 1);
}

#[test]
fn kinds_and_codes_have_their_names() {
    let kinds = [
        "Unspecified",
        "Internal",
        "Server",
        "Client",
        "Producer",
        "Consumer",
        "Unspecified",
    ];
    let codes = ["Unset", "Ok", "Error", "Unset", "Unset", "Unset", "Unset"];
    let spans = (0..7)
        .map(|number| Span {
            kind: number,
            status: Some(Status {
                code: number,
                ..Status::default()
            }),
            ..Span::default()
        })
        .collect();
    let mut expect = Vec::new();
    for row in 0..7 {
        expect.push((row, "SpanKind", kinds[row]));
        expect.push((row, "StatusCode", codes[row]));
    }
    check(spans, &expect);
}

#[test]
fn a_span_that_ends_before_it_starts_lasts_0_and_is_counted() {
    let span = |start, end| Span {
        start_time_unix_nano: start,
        end_time_unix_nano: end,
        ..Span::default()
    };
    let tally = check(
        vec![span(5, 4), span(0, 4), span(5, 0), span(1, u64::MAX)],
        &[
            (0, "Duration", "0"),
            (0, "Timestamp", "5"),
            (1, "Duration", "0"),
            (1, "Timestamp", "4"),
            (2, "Duration", "0"),
            (3, "Duration", "18446744073709551614"),
        ],
    );
    assert_eq!(tally.notes.negative_durations, 1);
    assert_eq!(tally.notes.missing_times, 0);
}
