//! The mapping of logs, field by field, against messages encoded by the official types.

use cairn_storage::{Nanos, TableDef, TableId};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;

use super::{LogOptions, decode};
use crate::notes::Tally;
use crate::test_rows::{cell, rows};

const NOW: Nanos = Nanos(1_700_000_000_000_000_000);

fn any(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn text(value: &str) -> Option<AnyValue> {
    any(Value::StringValue(value.to_owned()))
}

fn pair(key: &str, value: Option<AnyValue>) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value,
        ..KeyValue::default()
    }
}

fn map(pairs: Vec<KeyValue>) -> Option<AnyValue> {
    any(Value::KvlistValue(KeyValueList { values: pairs }))
}

fn list(values: Vec<Option<AnyValue>>) -> Option<AnyValue> {
    let values = values.into_iter().flatten().collect();
    any(Value::ArrayValue(ArrayValue { values }))
}

fn request(records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes: vec![pair("service.name", text("shop")), pair("host", text("a"))],
                ..Resource::default()
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(InstrumentationScope {
                    name: "lib".to_owned(),
                    version: "1.2".to_owned(),
                    attributes: vec![pair("s", text("t"))],
                    ..InstrumentationScope::default()
                }),
                log_records: records,
                schema_url: "scope-url".to_owned(),
            }],
            schema_url: "resource-url".to_owned(),
        }],
    }
}

fn decode_with(request: &[u8], normalize: bool) -> (arrow::array::RecordBatch, Tally) {
    let options = LogOptions {
        normalize,
        received_at: NOW,
    };
    let (batch, tally) = decode(request, options).unwrap();
    assert_eq!(batch.table, TableId::Logs);
    assert_eq!(
        batch.rows.schema(),
        TableDef::of(TableId::Logs).write_schema()
    );
    (batch.rows, tally)
}

/// The only row of a request with `record`, by column name.
fn check(record: LogRecord, normalize: bool, expect: &[(&str, &str)]) -> Tally {
    let (batch, tally) = decode_with(&request(vec![record]).encode_to_vec(), normalize);
    assert_eq!(batch.num_rows(), 1);
    for (column, value) in expect {
        assert_eq!(cell(&batch, column, 0), *value, "{column}");
    }
    tally
}

#[test]
fn every_field_reaches_its_column() {
    let record = LogRecord {
        time_unix_nano: 1_700_000_000_000_000_001,
        observed_time_unix_nano: 5,
        severity_number: 17,
        severity_text: "ERROR".to_owned(),
        body: text("payment failed"),
        attributes: vec![pair("k", text("v"))],
        dropped_attributes_count: 1,
        flags: 0x0000_0301,
        trace_id: (1..17).collect(),
        span_id: (1..9).collect(),
        event_name: "order.failed".to_owned(),
    };
    let tally = check(
        record,
        false,
        &[
            ("Timestamp", "1700000000000000001"),
            ("TraceId", "0102030405060708090a0b0c0d0e0f10"),
            ("SpanId", "0102030405060708"),
            ("TraceFlags", "1"),
            ("SeverityText", "ERROR"),
            ("SeverityNumber", "17"),
            ("ServiceName", "shop"),
            ("Body", "payment failed"),
            ("ResourceSchemaUrl", "resource-url"),
            ("ResourceAttributes", "{host=a, service.name=shop}"),
            ("ScopeSchemaUrl", "scope-url"),
            ("ScopeName", "lib"),
            ("ScopeVersion", "1.2"),
            ("ScopeAttributes", "{s=t}"),
            ("LogAttributes", "{k=v}"),
            ("EventName", "order.failed"),
        ],
    );
    assert_eq!(tally.accepted, 1);
    assert_eq!(tally.notes, crate::notes::Notes::default());
}

#[test]
fn an_empty_record_gets_the_time_of_arrival_and_empty_texts() {
    let tally = check(
        LogRecord::default(),
        false,
        &[
            ("Timestamp", "1700000000000000000"),
            ("TraceId", ""),
            ("SpanId", ""),
            ("TraceFlags", "0"),
            ("SeverityText", ""),
            ("SeverityNumber", "0"),
            ("Body", ""),
            ("LogAttributes", "{}"),
            ("EventName", ""),
        ],
    );
    assert_eq!(tally.notes.missing_times, 1);
    let (batch, tally) = decode_with(&[], true);
    assert_eq!((batch.num_rows(), tally.accepted), (0, 0));
}

#[test]
fn the_observed_time_stands_in_and_far_times_are_clamped() {
    let at = |time, observed| LogRecord {
        time_unix_nano: time,
        observed_time_unix_nano: observed,
        ..LogRecord::default()
    };
    check(at(0, 9), false, &[("Timestamp", "9")]);
    let tally = check(
        at(u64::MAX, 9),
        false,
        &[("Timestamp", "9223372036854775807")],
    );
    assert_eq!(tally.notes.clamped_times, 1);
    assert_eq!(tally.notes.missing_times, 0);
}

#[test]
fn values_become_text_as_documented() {
    let cases = [
        (text("as is \u{e9}\n"), "as is \u{e9}\n"),
        (any(Value::BoolValue(true)), "true"),
        (any(Value::BoolValue(false)), "false"),
        (any(Value::IntValue(i64::MIN)), "-9223372036854775808"),
        (any(Value::DoubleValue(0.1)), "0.1"),
        (any(Value::DoubleValue(3.0)), "3"),
        (any(Value::DoubleValue(-0.0)), "0"),
        (any(Value::DoubleValue(1e20)), "100000000000000000000"),
        (any(Value::DoubleValue(1e21)), "1e+21"),
        (any(Value::DoubleValue(0.000_001)), "0.000001"),
        (any(Value::DoubleValue(0.000_000_1)), "1e-7"),
        (any(Value::DoubleValue(0.1 + 0.2)), "0.30000000000000004"),
        (any(Value::DoubleValue(f64::NAN)), "NaN"),
        (any(Value::DoubleValue(f64::INFINITY)), "+Inf"),
        (any(Value::DoubleValue(f64::NEG_INFINITY)), "-Inf"),
        (any(Value::BytesValue(vec![0xfb, 0xff])), "+/8="),
        (any(Value::BytesValue(vec![])), ""),
        (None, ""),
        (Some(AnyValue { value: None }), ""),
        (list(vec![]), "[]"),
        (map(vec![]), "{}"),
        (
            list(vec![
                text("a\"\\\u{1}<&>\u{2028}"),
                any(Value::IntValue(1)),
                any(Value::DoubleValue(f64::NAN)),
                any(Value::DoubleValue(1.5)),
                any(Value::BytesValue(vec![1])),
                Some(AnyValue { value: None }),
                any(Value::BoolValue(true)),
            ]),
            "[\"a\\\"\\\\\\u0001<&>\u{2028}\",1,\"NaN\",1.5,\"AQ==\",null,true]",
        ),
        (
            map(vec![
                pair("b", any(Value::IntValue(2))),
                pair("a", list(vec![map(vec![pair("z", None)])])),
                pair("b", any(Value::IntValue(3))),
            ]),
            "{\"a\":[{\"z\":null}],\"b\":3}",
        ),
    ];
    for (value, expect) in cases {
        let record = LogRecord {
            body: value.clone(),
            attributes: vec![pair("k", value)],
            ..LogRecord::default()
        };
        let attributes = format!("{{k={expect}}}");
        check(
            record,
            false,
            &[("Body", expect), ("LogAttributes", &attributes)],
        );
    }
}

#[test]
fn keys_are_sorted_and_the_last_of_equal_keys_stays() {
    let record = LogRecord {
        attributes: vec![
            pair("b", text("1")),
            pair("a", text("2")),
            pair("b", text("3")),
            pair("", text("4")),
            pair("ab", text("5")),
        ],
        ..LogRecord::default()
    };
    let tally = check(record, false, &[("LogAttributes", "{=4, a=2, ab=5, b=3}")]);
    assert_eq!(tally.notes.duplicate_keys, 1);
}

#[test]
fn json_in_a_body_is_merged_into_the_attributes() {
    let body = r#"got {"user":{"id":7,"tags":["x",{"y":null}]},"ok":true,"k":"new","n":1.50,"big":123456789012345678901} done"#;
    let record = LogRecord {
        body: text(body),
        attributes: vec![pair("k", text("old")), pair("z", text("z"))],
        severity_number: 9,
        ..LogRecord::default()
    };
    let tally = check(
        record.clone(),
        true,
        &[
            ("Body", body),
            (
                "LogAttributes",
                "{big=123456789012345678901, k=new, n=1.5, ok=true, user.id=7, user.tags.0=x, \
                 user.tags.1.y=, z=z}",
            ),
        ],
    );
    assert_eq!(tally.notes.merged_bodies, 1);
    assert_eq!(tally.notes.duplicate_keys, 0);
    let tally = check(record, false, &[("LogAttributes", "{k=old, z=z}")]);
    assert_eq!(tally.notes.merged_bodies, 0);
}

#[test]
fn a_body_that_is_not_one_json_object_is_left_alone() {
    for body in [
        r#"{"a":1"#,
        r#"{"a":1} {"b":2}"#,
        r#"{"a":1}}"#,
        r#"{"a":tru}"#,
        "{a}",
        "[1]",
        "{}",
        "\u{0}{\"",
    ] {
        let record = LogRecord {
            body: text(body),
            ..LogRecord::default()
        };
        let tally = check(record, true, &[("Body", body), ("LogAttributes", "{}")]);
        assert_eq!(tally.notes.merged_bodies, 0, "{body}");
    }
}

#[test]
fn a_map_body_is_merged_and_kept_as_json() {
    let record = LogRecord {
        body: map(vec![
            pair("level", text("Warning")),
            pair("http", map(vec![pair("status", any(Value::IntValue(500)))])),
            pair("list", list(vec![any(Value::BoolValue(true))])),
        ]),
        ..LogRecord::default()
    };
    check(
        record,
        true,
        &[
            (
                "Body",
                r#"{"http":{"status":500},"level":"Warning","list":[true]}"#,
            ),
            (
                "LogAttributes",
                "{http.status=500, level=Warning, list.0=true}",
            ),
            ("SeverityText", "warning"),
            ("SeverityNumber", "13"),
        ],
    );
}

#[test]
fn severity_is_inferred_only_when_number_and_text_are_unset() {
    let check_severity = |record: LogRecord, text: &str, number: &str| {
        check(
            record,
            true,
            &[("SeverityText", text), ("SeverityNumber", number)],
        );
    };
    let record = |number, severity: &str, body: &str, attributes| LogRecord {
        severity_number: number,
        severity_text: severity.to_owned(),
        body: text(body),
        attributes,
        ..LogRecord::default()
    };
    check_severity(record(0, "", "an error", vec![]), "error", "17");
    check_severity(record(0, "", "all well", vec![]), "info", "9");
    check_severity(record(13, "", "an error", vec![]), "", "13");
    check_severity(record(0, "Custom", "an error", vec![]), "custom", "0");
    check_severity(record(13, "WARN\u{c9}", "", vec![]), "warn\u{e9}", "13");
    check_severity(record(99, "", "", vec![]), "info", "9");
    // Attributes come before the body, in their own order, strings only.
    check_severity(
        record(
            0,
            "",
            "an error",
            vec![pair("Severity", text("NOTICE")), pair("Level", text(""))],
        ),
        "notice",
        "13",
    );
    check_severity(
        record(
            0,
            "",
            "an error",
            vec![
                pair("level", any(Value::IntValue(30))),
                pair("log.level", text("DEBUG")),
            ],
        ),
        "debug",
        "5",
    );
    check_severity(record(0, "", r#"{"level":"fatal"}"#, vec![]), "fatal", "21");
    check_severity(record(0, "", r#"{"level":30}"#, vec![]), "info", "9");
}

#[test]
fn invalid_utf8_is_replaced_and_counted_wherever_it_stands() {
    let mut bytes = request(vec![LogRecord {
        body: text("body-XX"),
        severity_text: "sev-XX".to_owned(),
        severity_number: 9,
        attributes: vec![
            pair("key-XX", text("value-XX")),
            pair("z", map(vec![pair("k", text("XX"))])),
        ],
        ..LogRecord::default()
    }])
    .encode_to_vec();
    let places: Vec<usize> = (0..bytes.len() - 1)
        .filter(|at| bytes[*at..].starts_with(b"XX"))
        .collect();
    for at in places {
        bytes[at..at + 2].copy_from_slice(&[0xff, b'!']);
    }
    let (batch, tally) = decode_with(&bytes, false);
    assert_eq!(cell(&batch, "Body", 0), "body-\u{fffd}!");
    assert_eq!(cell(&batch, "SeverityText", 0), "sev-\u{fffd}!");
    assert_eq!(
        cell(&batch, "LogAttributes", 0),
        "{key-\u{fffd}!=value-\u{fffd}!, z={\"k\":\"\u{fffd}!\"}}"
    );
    assert_eq!(tally.notes.invalid_utf8, 5);
}

#[test]
fn a_resource_behind_its_records_counts_and_equal_resources_are_stored_once() {
    let whole = request(vec![LogRecord::default()]);
    let [resource_logs] = &whole.resource_logs[..] else {
        panic!("one resource");
    };
    // Fields 2 and 3 first, field 1 last.
    let mut reordered = ResourceLogs {
        resource: None,
        ..resource_logs.clone()
    }
    .encode_to_vec();
    reordered.extend(
        ResourceLogs {
            resource: resource_logs.resource.clone(),
            ..ResourceLogs::default()
        }
        .encode_to_vec(),
    );
    let mut bytes = Vec::new();
    for _ in 0..2 {
        prost::encoding::bytes::encode(1, &reordered, &mut bytes);
    }
    bytes.extend(whole.encode_to_vec());
    let (batch, _) = decode_with(&bytes, true);
    let (expected, _) = decode_with(&whole.encode_to_vec(), true);
    assert_eq!(
        rows(&batch),
        [rows(&expected), rows(&expected), rows(&expected)].concat()
    );
    let resources = batch.column_by_name("ResourceAttributes").unwrap();
    let dictionary = arrow::array::AsArray::as_any_dictionary(resources);
    assert_eq!(dictionary.values().len(), 1);
}

#[test]
fn each_record_is_sorted_by_its_own_keys() {
    // Neighbours share some, all or none of their keys, in equal and in other orders and lengths.
    let shapes: [&[&str]; 8] = [
        &["b", "a"],
        &["b", "a"],
        &["a", "b"],
        &["b", "aa"],
        &["ba", "a"],
        &["b", "a", "a"],
        &["b", "a"],
        &["c"],
    ];
    let records = shapes.map(|keys| LogRecord {
        attributes: keys.iter().map(|key| pair(key, text(key))).collect(),
        ..LogRecord::default()
    });
    let (batch, tally) = decode_with(&request(records.to_vec()).encode_to_vec(), false);
    let found: Vec<String> = (0..8)
        .map(|row| cell(&batch, "LogAttributes", row))
        .collect();
    let two = "{a=a, b=b}";
    let expect = [
        two,
        two,
        two,
        "{aa=aa, b=b}",
        "{a=a, ba=ba}",
        two,
        two,
        "{c=c}",
    ];
    assert_eq!(found, expect);
    assert_eq!(tally.notes.duplicate_keys, 1);
}
