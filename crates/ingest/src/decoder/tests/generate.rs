//! Random OTLP messages, from a seed, with the odd values that real senders produce.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};

/// A small deterministic generator (xorshift), so that a failing seed is all that a report needs.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

const TEXTS: [&str; 14] = [
    "",
    "a",
    "service.name",
    "error in checkout",
    "WARN: \u{e9}\u{4e2d}\u{1f600}",
    "{\"level\":\"debug\",\"a\":{\"b\":[1,2.50,null]},\"k1\":true}",
    "x {\"y\": \"\\u00e9\\n\"} z",
    "{broken",
    "line\nbreak\t\"quoted\" \\ back",
    "nul \0 and \u{1} control \u{7f}",
    "k1",
    "k2",
    "level",
    "</script>&\u{2028}",
];

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next()).unwrap() % bound
    }

    pub(super) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    pub(super) fn list<T>(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| item(self)).collect()
    }

    pub(super) fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    pub(super) fn text(&mut self) -> String {
        self.pick(&TEXTS).to_owned()
    }

    pub(super) fn time(&mut self) -> u64 {
        let now = 1_700_000_000_000_000_000 + self.next() % 10_000_000_000;
        self.pick(&[0, 1, now, now, now, u64::MAX, i64::MAX.unsigned_abs()])
    }

    pub(super) fn id(&mut self, length: usize) -> Vec<u8> {
        let byte = u8::try_from(self.below(256)).unwrap();
        match self.below(6) {
            0 => vec![],
            1 => vec![0; length],
            2 => vec![byte; length - 1],
            _ => (0..length)
                .map(|_| u8::try_from(self.below(256)).unwrap())
                .collect(),
        }
    }

    pub(super) fn double(&mut self) -> f64 {
        let random = f64::from_bits(self.next() << 11 | self.next() & 0x7ff);
        self.pick(&[
            0.0,
            -0.0,
            0.1 + 0.2,
            1e21,
            1e-7,
            f64::MAX,
            f64::MIN_POSITIVE,
            5e-324,
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            random,
            random,
        ])
    }

    pub(super) fn value(&mut self, depth: usize) -> AnyValue {
        let kinds = if depth < 3 { 8 } else { 6 };
        let value = match self.below(kinds) {
            0 => return AnyValue { value: None },
            1 => Value::StringValue(self.text()),
            2 => Value::BoolValue(self.coin()),
            3 => {
                let small = i64::try_from(self.below(1000)).unwrap();
                Value::IntValue(self.pick(&[i64::MIN, i64::MAX, -1, small]))
            }
            4 => Value::DoubleValue(self.double()),
            5 => Value::BytesValue(self.id(3)),
            6 => Value::ArrayValue(ArrayValue {
                values: self.list(3, |random| random.value(depth + 1)),
            }),
            _ => Value::KvlistValue(KeyValueList {
                values: self.list(3, |random| random.pair(depth + 1)),
            }),
        };
        AnyValue { value: Some(value) }
    }

    pub(super) fn pair(&mut self, depth: usize) -> KeyValue {
        KeyValue {
            key: self.text(),
            value: (self.below(8) > 0).then(|| self.value(depth)),
            ..KeyValue::default()
        }
    }

    pub(super) fn attributes(&mut self) -> Vec<KeyValue> {
        self.list(6, |random| random.pair(0))
    }

    pub(super) fn resource(&mut self) -> Option<Resource> {
        (self.below(5) > 0).then(|| Resource {
            attributes: self.attributes(),
            ..Resource::default()
        })
    }

    pub(super) fn scope(&mut self) -> Option<InstrumentationScope> {
        (self.below(5) > 0).then(|| InstrumentationScope {
            name: self.text(),
            version: self.text(),
            attributes: self.attributes(),
            dropped_attributes_count: self.pick(&[0, 0, 3, u32::MAX]),
        })
    }

    pub(super) fn log_record(&mut self) -> LogRecord {
        LogRecord {
            time_unix_nano: self.time(),
            observed_time_unix_nano: self.time(),
            severity_number: self.pick(&[0, 0, 1, 9, 17, 24, 25, -1, 300]),
            severity_text: self
                .pick(&["", "", "INFO", "Error", "\u{c9}t\u{e9}"])
                .to_owned(),
            body: (self.below(6) > 0).then(|| self.value(0)),
            attributes: self.attributes(),
            dropped_attributes_count: 3,
            flags: self.pick(&[0, 1, 0x1ff, u32::MAX]),
            trace_id: self.id(16),
            span_id: self.id(8),
            event_name: self.text(),
        }
    }

    pub(super) fn span(&mut self) -> Span {
        Span {
            trace_id: self.id(16),
            span_id: self.id(8),
            trace_state: self.text(),
            parent_span_id: self.id(8),
            name: self.text(),
            kind: self.pick(&[0, 1, 2, 3, 4, 5, 6, -1]),
            start_time_unix_nano: self.time(),
            end_time_unix_nano: self.time(),
            attributes: self.attributes(),
            events: self.list(3, |random| Event {
                time_unix_nano: random.time(),
                name: random.text(),
                attributes: random.attributes(),
                ..Event::default()
            }),
            links: self.list(2, |random| Link {
                trace_id: random.id(16),
                span_id: random.id(8),
                trace_state: random.text(),
                attributes: random.attributes(),
                ..Link::default()
            }),
            status: self.coin().then(|| Status {
                message: self.text(),
                code: self.pick(&[0, 1, 2, 3]),
            }),
            ..Span::default()
        }
    }

    pub(super) fn logs(&mut self) -> ExportLogsServiceRequest {
        ExportLogsServiceRequest {
            resource_logs: self.list(3, |random| ResourceLogs {
                resource: random.resource(),
                scope_logs: random.list(2, |random| ScopeLogs {
                    scope: random.scope(),
                    log_records: random.list(4, Self::log_record),
                    schema_url: random.text(),
                }),
                schema_url: random.text(),
            }),
        }
    }

    pub(super) fn traces(&mut self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest {
            resource_spans: self.list(3, |random| ResourceSpans {
                resource: random.resource(),
                scope_spans: random.list(2, |random| ScopeSpans {
                    scope: random.scope(),
                    spans: random.list(4, Self::span),
                    schema_url: random.text(),
                }),
                schema_url: random.text(),
            }),
        }
    }
}
