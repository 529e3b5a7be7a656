//! The mapping written a second time, naively, over message objects: the oracle of the property
//! tests.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

/// What the rows of a logs request hold without normalisation: time, ids, service, body,
/// attributes.
pub(super) fn log_rows(request: &ExportLogsServiceRequest, received_at: i64) -> Vec<[String; 7]> {
    let mut rows = Vec::new();
    for resource_logs in &request.resource_logs {
        let resource = resource_logs.resource.clone().unwrap_or_default();
        let resource = map_of(&resource.attributes);
        let service = resource.get("service.name").cloned().unwrap_or_default();
        for scope_logs in &resource_logs.scope_logs {
            for record in &scope_logs.log_records {
                let time = [record.time_unix_nano, record.observed_time_unix_nano]
                    .into_iter()
                    .find(|time| *time != 0)
                    .map_or(received_at, |time| i64::try_from(time).unwrap_or(i64::MAX));
                rows.push([
                    time.to_string(),
                    id(&record.trace_id, 16),
                    id(&record.span_id, 8),
                    service.clone(),
                    record.body.as_ref().map(plain).unwrap_or_default(),
                    print(&resource),
                    print(&map_of(&record.attributes)),
                ]);
            }
        }
    }
    rows
}

fn id(bytes: &[u8], length: usize) -> String {
    if bytes.len() != length || bytes.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn map_of(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|pair| {
            let value = pair.value.as_ref().map(plain).unwrap_or_default();
            (pair.key.clone(), value)
        })
        .collect()
}

fn print(map: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    format!("{{{}}}", pairs.join(", "))
}

fn plain(value: &AnyValue) -> String {
    match &value.value {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BytesValue(bytes)) => STANDARD.encode(bytes),
        Some(Value::DoubleValue(number)) => double(*number),
        Some(_) => json(value),
    }
}

fn json(value: &AnyValue) -> String {
    match &value.value {
        None => "null".to_owned(),
        Some(Value::StringValue(text)) => quoted(text),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) if number.is_finite() => double(*number),
        Some(Value::DoubleValue(number)) => quoted(&double(*number)),
        Some(Value::BytesValue(bytes)) => quoted(&STANDARD.encode(bytes)),
        Some(Value::ArrayValue(array)) => {
            let items: Vec<String> = array.values.iter().map(json).collect();
            format!("[{}]", items.join(","))
        }
        Some(Value::KvlistValue(list)) => {
            let empty = AnyValue { value: None };
            let map: BTreeMap<&String, String> = list
                .values
                .iter()
                .map(|pair| (&pair.key, json(pair.value.as_ref().unwrap_or(&empty))))
                .collect();
            let pairs: Vec<String> = map
                .iter()
                .map(|(key, value)| format!("{}:{value}", quoted(key)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        Some(other) => panic!("not generated: {other:?}"),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// ECMAScript's form, from the shortest digits that the standard library finds.
fn double(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if number == 0.0 {
        return "0".to_owned();
    }
    if (1e-6..1e21).contains(&number.abs()) {
        return format!("{number}");
    }
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}
