//! Messages written as OTLP/JSON, in all the spellings that the mapping allows.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::generate::Random;

/// Writes JSON; where the mapping leaves a choice, chance decides.
pub(super) struct JsonText {
    pub(super) out: String,
    pub(super) random: Random,
}

pub(super) fn logs_json(request: &ExportLogsServiceRequest, random: Random) -> String {
    let mut json = JsonText::new(random);
    json.object(|json| {
        json.list("resourceLogs", &request.resource_logs, |json, item| {
            json.resource(item.resource.as_ref());
            json.list("scopeLogs", &item.scope_logs, |json, item| {
                json.scope(item.scope.as_ref());
                json.list("logRecords", &item.log_records, JsonText::log_record);
                json.string("schemaUrl", &item.schema_url);
            });
            json.string("schemaUrl", &item.schema_url);
        });
    });
    json.out
}

pub(super) fn traces_json(request: &ExportTraceServiceRequest, random: Random) -> String {
    let mut json = JsonText::new(random);
    json.object(|json| {
        json.list("resourceSpans", &request.resource_spans, |json, item| {
            json.resource(item.resource.as_ref());
            json.list("scopeSpans", &item.scope_spans, |json, item| {
                json.scope(item.scope.as_ref());
                json.list("spans", &item.spans, JsonText::span);
                json.string("schemaUrl", &item.schema_url);
            });
            json.string("schemaUrl", &item.schema_url);
        });
    });
    json.out
}

impl JsonText {
    pub(super) fn new(random: Random) -> Self {
        Self {
            out: String::new(),
            random,
        }
    }

    pub(super) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.out.push('{');
        if self.random.below(10) == 0 {
            self.out
                .push_str("\"x-unknown\" : {\"a\":[1,{\"b\":\"\\u0041\"}]},");
        }
        fields(self);
        // A field that never exists closes the list of commas.
        self.out.push_str("\"nothing\":null}");
    }

    pub(super) fn name(&mut self, camel: &str) {
        self.out.push('"');
        if self.random.coin() {
            self.out.push_str(camel);
        } else {
            for symbol in camel.chars() {
                if symbol.is_ascii_uppercase() {
                    self.out.push('_');
                }
                self.out.push(symbol.to_ascii_lowercase());
            }
        }
        self.out.push_str("\":");
        if self.random.coin() {
            self.out.push(' ');
        }
    }

    pub(super) fn list<T>(&mut self, name: &str, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.name(name);
        self.out.push('[');
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.object(|json| item(json, each));
        }
        self.out.push_str("],");
    }

    pub(super) fn quoted(&mut self, text: &str) {
        self.out.push('"');
        for symbol in text.chars() {
            let must = symbol == '"' || symbol == '\\' || symbol < ' ';
            if must || self.random.below(4) == 0 {
                let mut units = [0; 2];
                for unit in symbol.encode_utf16(&mut units) {
                    write!(self.out, "\\u{unit:04x}").unwrap();
                }
            } else {
                self.out.push(symbol);
            }
        }
        self.out.push('"');
    }

    pub(super) fn string(&mut self, name: &str, text: &str) {
        self.name(name);
        self.quoted(text);
        self.out.push(',');
    }

    /// A number as such or in quotes.
    pub(super) fn number(&mut self, name: &str, digits: impl std::fmt::Display) {
        self.name(name);
        let quote = if self.random.coin() { "\"" } else { "" };
        write!(self.out, "{quote}{digits}{quote},").unwrap();
    }

    pub(super) fn choice(&mut self, name: &str, value: i32, names: &[&str]) {
        self.name(name);
        match usize::try_from(value).ok().and_then(|at| names.get(at)) {
            Some(known) if self.random.coin() => write!(self.out, "\"{known}\",").unwrap(),
            _ => write!(self.out, "{value},").unwrap(),
        }
    }

    pub(super) fn hex(&mut self, name: &str, bytes: &[u8]) {
        self.name(name);
        self.out.push('"');
        for byte in bytes {
            if self.random.coin() {
                write!(self.out, "{byte:02x}").unwrap();
            } else {
                write!(self.out, "{byte:02X}").unwrap();
            }
        }
        self.out.push_str("\",");
    }

    pub(super) fn message(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.name(name);
        self.object(fields);
        self.out.push(',');
    }

    pub(super) fn attributes(&mut self, pairs: &[KeyValue]) {
        self.list("attributes", pairs, Self::pair);
    }

    pub(super) fn pair(&mut self, pair: &KeyValue) {
        self.string("key", &pair.key);
        match &pair.value {
            Some(value) => self.message("value", |json| json.value(value)),
            None if self.random.coin() => self.out.push_str("\"value\":null,"),
            None => {}
        }
    }

    pub(super) fn value(&mut self, value: &AnyValue) {
        match &value.value {
            None => {}
            Some(Value::StringValue(text)) => self.string("stringValue", text),
            Some(Value::BoolValue(truth)) => {
                self.name("boolValue");
                write!(self.out, "{truth},").unwrap();
            }
            Some(Value::IntValue(number)) => self.number("intValue", number),
            Some(Value::DoubleValue(number)) if number.is_finite() => {
                self.number("doubleValue", format_args!("{number:e}"));
            }
            Some(Value::DoubleValue(number)) => {
                let word = if number.is_nan() {
                    "NaN"
                } else if *number > 0.0 {
                    "Infinity"
                } else {
                    "-Infinity"
                };
                self.string("doubleValue", word);
            }
            Some(Value::BytesValue(bytes)) => {
                let text = STANDARD.encode(bytes);
                self.string("bytesValue", &text);
            }
            Some(Value::ArrayValue(array)) => self.message("arrayValue", |json| {
                json.list("values", &array.values, Self::value);
            }),
            Some(Value::KvlistValue(map)) => self.message("kvlistValue", |json| {
                json.list("values", &map.values, Self::pair);
            }),
            Some(other) => panic!("not in OTLP/JSON: {other:?}"),
        }
    }

    pub(super) fn resource(&mut self, resource: Option<&Resource>) {
        if let Some(resource) = resource {
            self.message("resource", |json| json.attributes(&resource.attributes));
        }
    }

    pub(super) fn scope(&mut self, scope: Option<&InstrumentationScope>) {
        if let Some(scope) = scope {
            self.message("scope", |json| {
                json.string("name", &scope.name);
                json.string("version", &scope.version);
                json.attributes(&scope.attributes);
                json.number("droppedAttributesCount", scope.dropped_attributes_count);
            });
        }
    }

    pub(super) fn double(&mut self, name: &str, value: f64) {
        self.name(name);
        self.plain_double(value);
        self.out.push(',');
    }

    pub(super) fn plain_double(&mut self, value: f64) {
        match value {
            value if value.is_nan() => self.out.push_str("\"NaN\""),
            f64::INFINITY => self.out.push_str("\"Infinity\""),
            f64::NEG_INFINITY => self.out.push_str("\"-Infinity\""),
            value => write!(self.out, "{value:?}").unwrap(),
        }
    }

    /// A list of what `item` writes without a name.
    pub(super) fn numbers<T: Copy>(&mut self, name: &str, items: &[T], item: fn(&mut Self, T)) {
        self.name(name);
        self.out.push('[');
        for (index, each) in items.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            item(self, *each);
        }
        self.out.push_str("],");
    }

    pub(super) fn log_record(&mut self, record: &LogRecord) {
        self.number("timeUnixNano", record.time_unix_nano);
        self.number("observedTimeUnixNano", record.observed_time_unix_nano);
        let severities = ["SEVERITY_NUMBER_UNSPECIFIED", "SEVERITY_NUMBER_TRACE"];
        self.choice("severityNumber", record.severity_number, &severities);
        self.string("severityText", &record.severity_text);
        if let Some(body) = &record.body {
            self.message("body", |json| json.value(body));
        }
        self.attributes(&record.attributes);
        self.number("droppedAttributesCount", record.dropped_attributes_count);
        self.number("flags", record.flags);
        self.hex("traceId", &record.trace_id);
        self.hex("spanId", &record.span_id);
        self.string("eventName", &record.event_name);
    }

    pub(super) fn span(&mut self, span: &Span) {
        self.hex("traceId", &span.trace_id);
        self.hex("spanId", &span.span_id);
        self.string("traceState", &span.trace_state);
        self.hex("parentSpanId", &span.parent_span_id);
        self.string("name", &span.name);
        let kinds = [
            "SPAN_KIND_UNSPECIFIED",
            "SPAN_KIND_INTERNAL",
            "SPAN_KIND_SERVER",
            "SPAN_KIND_CLIENT",
            "SPAN_KIND_PRODUCER",
            "SPAN_KIND_CONSUMER",
        ];
        self.choice("kind", span.kind, &kinds);
        self.number("startTimeUnixNano", span.start_time_unix_nano);
        self.number("endTimeUnixNano", span.end_time_unix_nano);
        self.attributes(&span.attributes);
        self.list("events", &span.events, |json, event| {
            json.number("timeUnixNano", event.time_unix_nano);
            json.string("name", &event.name);
            json.attributes(&event.attributes);
        });
        self.list("links", &span.links, |json, link| {
            json.hex("traceId", &link.trace_id);
            json.hex("spanId", &link.span_id);
            json.string("traceState", &link.trace_state);
            json.attributes(&link.attributes);
        });
        if let Some(status) = &span.status {
            self.message("status", |json| {
                json.string("message", &status.message);
                let codes = ["STATUS_CODE_UNSET", "STATUS_CODE_OK", "STATUS_CODE_ERROR"];
                json.choice("code", status.code, &codes);
            });
        }
    }
}
