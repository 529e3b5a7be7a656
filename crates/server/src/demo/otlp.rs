//! Visits as OTLP export requests, grouped by service as SDKs and collectors do.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1 as trace;
use prost::Message;

use super::shop::{Kind, Level, Line, Service, Span, Value, Visit};

/// Trace flag of a sampled trace.
const SAMPLED: u32 = 1;

/// The log lines of `visits` as one protobuf request.
pub(super) fn logs(visits: &[Visit]) -> Bytes {
    let resource_logs = Service::ALL
        .into_iter()
        .map(|service| {
            let log_records = visits
                .iter()
                .flat_map(|visit| {
                    let lines = visit
                        .lines
                        .iter()
                        .filter(move |line| line.service == service);
                    lines.map(|line| log_record(visit, line))
                })
                .collect();
            ResourceLogs {
                resource: Some(resource(service)),
                scope_logs: vec![ScopeLogs {
                    scope: Some(scope(service)),
                    log_records,
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            }
        })
        .collect();
    ExportLogsServiceRequest { resource_logs }
        .encode_to_vec()
        .into()
}

/// The spans of `visits` as one protobuf request.
pub(super) fn traces(visits: &[Visit]) -> Bytes {
    let resource_spans = Service::ALL
        .into_iter()
        .map(|service| {
            let spans = visits
                .iter()
                .flat_map(|visit| {
                    let spans = visit
                        .spans
                        .iter()
                        .filter(move |span| span.service == service);
                    spans.map(|span| span_of(visit, span))
                })
                .collect();
            trace::ResourceSpans {
                resource: Some(resource(service)),
                scope_spans: vec![trace::ScopeSpans {
                    scope: Some(scope(service)),
                    spans,
                    ..trace::ScopeSpans::default()
                }],
                ..trace::ResourceSpans::default()
            }
        })
        .collect();
    ExportTraceServiceRequest { resource_spans }
        .encode_to_vec()
        .into()
}

fn resource(service: Service) -> Resource {
    let pod = format!("{}-7d9c5b-x2k4q", service.name());
    Resource {
        attributes: vec![
            attribute("service.name", &Value::Text(service.name().to_owned())),
            attribute("service.version", &Value::Text("1.4.2".to_owned())),
            attribute(
                "deployment.environment.name",
                &Value::Text("demo".to_owned()),
            ),
            attribute(
                "telemetry.sdk.language",
                &Value::Text(service.language().to_owned()),
            ),
            attribute("k8s.namespace.name", &Value::Text("shop".to_owned())),
            attribute("k8s.pod.name", &Value::Text(pod)),
        ],
        ..Resource::default()
    }
}

fn scope(service: Service) -> InstrumentationScope {
    InstrumentationScope {
        name: format!("shop/{}", service.name()),
        version: "1.4.2".to_owned(),
        ..InstrumentationScope::default()
    }
}

fn log_record(visit: &Visit, line: &Line) -> LogRecord {
    let (severity, severity_text) = match line.level {
        Level::Debug => (SeverityNumber::Debug, "DEBUG"),
        Level::Info => (SeverityNumber::Info, "INFO"),
        Level::Warn => (SeverityNumber::Warn, "WARN"),
        Level::Error => (SeverityNumber::Error, "ERROR"),
    };
    LogRecord {
        time_unix_nano: line.time_nanos.unsigned_abs(),
        observed_time_unix_nano: line.time_nanos.unsigned_abs(),
        severity_number: severity.into(),
        severity_text: severity_text.to_owned(),
        body: Some(any(&Value::Text(line.body.clone()))),
        attributes: attributes(&line.attributes),
        flags: SAMPLED,
        trace_id: visit.trace_id.to_be_bytes().to_vec(),
        span_id: line.span.to_be_bytes().to_vec(),
        ..LogRecord::default()
    }
}

fn span_of(visit: &Visit, span: &Span) -> trace::Span {
    let kind = match span.kind {
        Kind::Server => trace::span::SpanKind::Server,
        Kind::Client => trace::span::SpanKind::Client,
        Kind::Producer => trace::span::SpanKind::Producer,
        Kind::Consumer => trace::span::SpanKind::Consumer,
    };
    let status = span.error.map(|why| trace::Status {
        message: why.to_owned(),
        code: trace::status::StatusCode::Error.into(),
    });
    let exception = span.error.map(|why| trace::span::Event {
        time_unix_nano: span.end_nanos.unsigned_abs(),
        name: "exception".to_owned(),
        attributes: vec![attribute("exception.message", &Value::Text(why.to_owned()))],
        ..trace::span::Event::default()
    });
    let parent = span.parent.map(|id| id.to_be_bytes().to_vec());
    trace::Span {
        trace_id: visit.trace_id.to_be_bytes().to_vec(),
        span_id: span.id.to_be_bytes().to_vec(),
        parent_span_id: parent.unwrap_or_default(),
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: span.start_nanos.unsigned_abs(),
        end_time_unix_nano: span.end_nanos.unsigned_abs(),
        attributes: attributes(&span.attributes),
        events: exception.into_iter().collect(),
        status,
        flags: SAMPLED,
        ..trace::Span::default()
    }
}

fn attributes(pairs: &[(&'static str, Value)]) -> Vec<KeyValue> {
    pairs
        .iter()
        .map(|(key, value)| attribute(key, value))
        .collect()
}

fn attribute(key: &str, value: &Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(any(value)),
        ..KeyValue::default()
    }
}

fn any(value: &Value) -> AnyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text.clone()),
        Value::Number(number) => any_value::Value::IntValue(*number),
    };
    AnyValue { value: Some(value) }
}
