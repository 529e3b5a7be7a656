//! Every format against bytes recorded from ClickHouse: single values of every type, and a whole result.

mod arrays;

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;
use cairn_query::{AnswerColumn, Type, Value};
use chrono_tz::Tz;

use super::{Format, FormatSettings, Switch, Totals};
use arrays::{batch, value_of};

fn print(
    format: &str,
    columns: Vec<AnswerColumn>,
    batches: &[RecordBatch],
    settings: FormatSettings,
) -> Vec<u8> {
    let format = Format::find(format).unwrap();
    let mut writer = format.writer(columns, settings);
    let mut out = Vec::new();
    writer.head(&mut out);
    for batch in batches {
        writer.rows(batch, &mut out).unwrap();
    }
    writer.tail(&Totals::default(), &mut out);
    out
}

fn settings_without_statistics() -> FormatSettings {
    let mut settings = FormatSettings::new(Tz::UTC);
    settings
        .apply("output_format_write_statistics", "0")
        .unwrap();
    settings
}

fn column(name: &str, ty: &str) -> AnswerColumn {
    AnswerColumn {
        name: name.to_owned(),
        ty: ty.parse().unwrap(),
    }
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[derive(serde::Deserialize)]
struct Recorded {
    value: String,
    format: String,
    #[serde(default)]
    version: u64,
    body: Option<String>,
    hex: Option<String>,
}

#[test]
fn every_value_is_printed_as_clickhouse_prints_it() {
    let mut wrong = Vec::new();
    let mut checked = BTreeMap::<String, usize>::new();
    for line in include_str!("values.jsonl").lines() {
        let recorded: Recorded = serde_json::from_str(line).unwrap();
        let Some(format) = Format::find(&recorded.format) else {
            continue;
        };
        let (ty, value) = value_of(&recorded.value);
        let columns = vec![column("v", ty)];
        let batch = batch(&[(&columns[0].ty, vec![value])]);
        let mut settings = settings_without_statistics();
        settings.protocol_version = recorded.version;
        let printed = print(format.name, columns, &[batch], settings);
        let expected = match (&recorded.body, &recorded.hex) {
            (Some(body), _) => body.clone().into_bytes(),
            (None, Some(hex)) => unhex(hex),
            (None, None) => panic!("no body: {line}"),
        };
        *checked.entry(recorded.format.clone()).or_default() += 1;
        if printed != expected {
            wrong.push(format!(
                "{} as {} {}:\n   printed {:?}\n  expected {:?}",
                recorded.value,
                recorded.format,
                recorded.version,
                String::from_utf8_lossy(&printed),
                String::from_utf8_lossy(&expected)
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(
        checked.len() == 21 && checked.values().all(|count| *count > 50),
        "{checked:?}"
    );
}

fn sample() -> (Vec<AnswerColumn>, Vec<RecordBatch>) {
    let columns = vec![
        column("n", "UInt64"),
        column("s", "Nullable(String)"),
        column("a", "Array(UInt64)"),
        column("t", "DateTime64(3, 'UTC')"),
        column("f", "Float64"),
    ];
    let types: Vec<&Type> = columns.iter().map(|column| &column.ty).collect();
    let text = |text: &str| Value::String(text.to_owned());
    let list = |items: &[u64]| Value::Array(items.iter().map(|item| Value::UInt(*item)).collect());
    let rows = |range: std::ops::Range<usize>| {
        let uints = [0, 1, 2].map(Value::UInt)[range.clone()].to_vec();
        let texts = [text("s0"), Value::Null, text("s2")][range.clone()].to_vec();
        let lists = [list(&[0, 1]), list(&[1, 2]), list(&[2, 3])][range.clone()].to_vec();
        let times = [0, 1000, 2000].map(Value::Int)[range.clone()].to_vec();
        let floats = [0.0, 1.0 / 3.0, 2.0 / 3.0].map(Value::Float)[range].to_vec();
        batch(&[
            (types[0], uints),
            (types[1], texts),
            (types[2], lists),
            (types[3], times),
            (types[4], floats),
        ])
    };
    // Two batches: whatever stands between rows must also stand between batches.
    let batches = vec![rows(0..1), rows(1..3)];
    (columns, batches)
}

/// The recorded times and counts of `statistics` are not ours to repeat.
fn without_statistics(recorded: &str) -> String {
    match recorded.find(",\n\n\t\"statistics\"") {
        Some(at) => format!("{}\n}}\n", &recorded[..at]),
        None => recorded.to_owned(),
    }
}

#[test]
fn whole_results_are_printed_as_clickhouse_prints_them() {
    let mut checked = 0;
    for recorded in include_str!("results.txt").split("=== ").skip(1) {
        let (format, body) = recorded.split_once('\n').unwrap();
        let mut expected = without_statistics(body);
        if format == "Values" {
            expected.truncate(expected.trim_end().len());
        }
        let (columns, batches) = sample();
        let printed = print(format, columns, &batches, settings_without_statistics());
        assert_eq!(String::from_utf8(printed).unwrap(), expected, "{format}");
        checked += 1;
    }
    assert_eq!(checked, 23);
}

#[test]
fn empty_results_have_heads_and_tails_only() {
    let json = "{\n\t\"meta\":\n\t[\n\t\t{\n\t\t\t\"name\": \"n\",\n\t\t\t\"type\": \"UInt64\"\n\t\t},\n\t\t{\n\
                \t\t\t\"name\": \"s\",\n\t\t\t\"type\": \"String\"\n\t\t}\n\t],\n\n\t\"data\":\n\t[\n\n\t],\n\n\t\"rows\": 0\n}\n";
    for (format, expected) in [
        ("TSV", ""),
        ("TSVWithNames", "n\ts\n"),
        ("CSVWithNames", "\"n\",\"s\"\n"),
        ("JSON", json),
        ("JSONCompact", json),
        ("JSONEachRow", ""),
        (
            "JSONCompactEachRowWithNamesAndTypes",
            "[\"n\", \"s\"]\n[\"UInt64\", \"String\"]\n",
        ),
        ("PrettyCompact", ""),
        ("Vertical", ""),
        ("Values", ""),
        ("Null", ""),
        ("Markdown", "| n | s |\n|-:|:-|\n"),
    ] {
        let columns = vec![column("n", "UInt64"), column("s", "String")];
        let printed = print(format, columns, &[], settings_without_statistics());
        assert_eq!(String::from_utf8(printed).unwrap(), expected, "{format}");
    }
}

#[test]
fn empty_binary_results_tell_their_columns_where_clients_expect_it() {
    let header = b"\x02\x01n\x01s\x06UInt64\x06String";
    let block = b"\x01\0\x02\xff\xff\xff\xff\0\x02\0\x01n\x06UInt64\0\x01s\x06String\0";
    for (format, version, expected) in [
        ("RowBinary", 0, &b""[..]),
        ("RowBinaryWithNamesAndTypes", 0, header),
        ("Native", 0, b""),
        ("Native", 54_460, block),
    ] {
        let columns = vec![column("n", "UInt64"), column("s", "String")];
        let mut settings = settings_without_statistics();
        settings.protocol_version = version;
        assert_eq!(
            print(format, columns, &[], settings),
            expected,
            "{format} {version}"
        );
    }
}

/// The data of one column of several rows in a Native block without a version, after name and type.
fn native_column(ty: &str, values: Vec<Value>) -> Vec<u8> {
    let columns = vec![column("v", ty)];
    let rows = values.len();
    let batch = batch(&[(&columns[0].ty, values)]);
    let mut printed = print("Native", columns, &[batch], settings_without_statistics());
    let mut head = vec![1, u8::try_from(rows).unwrap_or(0), 1, b'v'];
    if rows > 127 {
        head.splice(
            1..2,
            [
                u8::try_from(rows % 128).unwrap() | 128,
                u8::try_from(rows / 128).unwrap(),
            ],
        );
    }
    head.push(u8::try_from(ty.len()).unwrap());
    head.extend_from_slice(ty.as_bytes());
    assert!(printed.starts_with(&head));
    printed.split_off(head.len())
}

#[test]
fn native_columns_of_several_rows_are_laid_out_as_documented() {
    let text = |text: &str| Value::String(text.to_owned());
    let list = |items: &[Value]| Value::Array(items.to_vec());
    let uints = |items: &[u64]| list(&items.iter().copied().map(Value::UInt).collect::<Vec<_>>());
    let nested = || list(&[uints(&[1, 2]), uints(&[3])]);
    for (ty, values, expected) in [
        (
            "Nullable(String)",
            vec![text("a"), Value::Null],
            "0001 0161 00",
        ),
        (
            "Array(Array(UInt8))",
            vec![nested(), nested()],
            "0200000000000000 0400000000000000 0200000000000000 0300000000000000 0500000000000000 \
             0600000000000000 010203010203",
        ),
        (
            "Tuple(a UInt8, b String)",
            vec![
                Value::Tuple(vec![Value::UInt(0), text("x")]),
                Value::Tuple(vec![Value::UInt(1), text("x")]),
            ],
            "0001 01780178",
        ),
        (
            "LowCardinality(String)",
            vec![text("a"), text("b"), text("a"), text("")],
            "0100000000000000 0006000000000000 0300000000000000 00 0161 0162 0400000000000000 01020100",
        ),
        (
            "LowCardinality(Nullable(String))",
            vec![text("a"), Value::Null, text("b")],
            "0100000000000000 0006000000000000 0400000000000000 00 00 0161 0162 0300000000000000 020003",
        ),
        (
            "Array(LowCardinality(String))",
            vec![list(&[text("a"), text("b")]), list(&[]), list(&[text("b")])],
            "0100000000000000 0200000000000000 0200000000000000 0300000000000000 0006000000000000 \
             0300000000000000 00 0161 0162 0300000000000000 010202",
        ),
    ] {
        assert_eq!(
            native_column(ty, values),
            unhex(&expected.replace(' ', "")),
            "{ty}"
        );
    }
}

#[test]
fn dictionaries_of_many_values_have_wide_indexes() {
    let values: Vec<Value> = (0..300).map(|n| Value::String(format!("v{n}"))).collect();
    let printed = native_column("LowCardinality(String)", values);
    assert_eq!(
        printed[8..16],
        [1, 6, 0, 0, 0, 0, 0, 0],
        "two bytes for an index"
    );
    assert_eq!(printed[16..24], 301_u64.to_le_bytes(), "keys");
    assert_eq!(
        printed[printed.len() - 2..],
        300_u16.to_le_bytes(),
        "the last index"
    );
}

#[test]
fn the_tail_of_json_has_statistics_and_the_rows_before_the_limit() {
    let mut writer = Format::find("JSON")
        .unwrap()
        .writer(Vec::new(), FormatSettings::new(Tz::UTC));
    let mut out = Vec::new();
    let totals = Totals {
        elapsed: std::time::Duration::from_millis(1500),
        rows_read: 100,
        bytes_read: 800,
        rows_before_limit: Some(7),
    };
    writer.tail(&totals, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "\n\t],\n\n\t\"rows\": 0,\n\n\t\"rows_before_limit_at_least\": 7,\n\n\t\"statistics\":\n\t{\n\
         \t\t\"elapsed\": 1.5,\n\t\t\"rows_read\": 100,\n\t\t\"bytes_read\": 800\n\t}\n}\n"
    );
}

/// Prints one row of one column as JSONCompactEachRow with settings.
fn one(ty: &str, value: Value, format: &str, pairs: &[(&str, &str)]) -> String {
    let columns = vec![column("v", ty)];
    let batch = batch(&[(&columns[0].ty, vec![value])]);
    let mut settings = FormatSettings::new(Tz::UTC);
    for (name, value) in pairs {
        settings.apply(name, value).unwrap();
    }
    String::from_utf8(print(format, columns, &[batch], settings)).unwrap()
}

#[test]
fn settings_change_the_text_of_values() {
    let rows = "JSONCompactEachRow";
    let quote_integers = ("output_format_json_quote_64bit_integers", "1");
    let denormals = ("output_format_json_quote_denormals", "1");
    let pair = Value::Tuple(vec![Value::UInt(1), Value::String("a".to_owned())]);
    let half = Value::Int(1_704_164_645_678);
    for (ty, value, format, setting, expected) in [
        ("UInt64", Value::UInt(1), rows, quote_integers, "[\"1\"]\n"),
        ("Int64", Value::Int(-1), rows, quote_integers, "[\"-1\"]\n"),
        ("UInt32", Value::UInt(1), rows, quote_integers, "[1]\n"),
        (
            "Array(UInt64)",
            Value::Array(vec![Value::UInt(5)]),
            rows,
            quote_integers,
            "[[\"5\"]]\n",
        ),
        (
            "Float64",
            Value::Float(f64::NAN),
            rows,
            denormals,
            "[\"nan\"]\n",
        ),
        (
            "Float64",
            Value::Float(f64::NEG_INFINITY),
            rows,
            denormals,
            "[\"-inf\"]\n",
        ),
        (
            "Float64",
            Value::Float(1.5),
            rows,
            ("output_format_json_quote_64bit_floats", "1"),
            "[\"1.5\"]\n",
        ),
        (
            "Decimal(9, 2)",
            Value::Int(150),
            rows,
            ("output_format_json_quote_decimals", "1"),
            "[\"1.5\"]\n",
        ),
        (
            "Decimal(9, 2)",
            Value::Int(150),
            "TSV",
            ("output_format_decimal_trailing_zeros", "1"),
            "1.50\n",
        ),
        (
            "String",
            Value::String("a/b".to_owned()),
            rows,
            ("output_format_json_escape_forward_slashes", "0"),
            "[\"a/b\"]\n",
        ),
        (
            "DateTime64(3, 'UTC')",
            half.clone(),
            rows,
            ("date_time_output_format", "iso"),
            "[\"2024-01-02T03:04:05.678Z\"]\n",
        ),
        (
            "DateTime64(3, 'Asia/Kolkata')",
            half.clone(),
            rows,
            ("date_time_output_format", "iso"),
            "[\"2024-01-02T03:04:05.678Z\"]\n",
        ),
        (
            "DateTime64(3, 'UTC')",
            half,
            rows,
            ("date_time_output_format", "unix_timestamp"),
            "[\"1704164645.678\"]\n",
        ),
        (
            "DateTime",
            Value::UInt(0),
            rows,
            ("session_timezone", "America/New_York"),
            "[\"1969-12-31 19:00:00\"]\n",
        ),
        (
            "Tuple(x UInt8, y String)",
            pair.clone(),
            rows,
            ("output_format_json_named_tuples_as_objects", "0"),
            "[[1,\"a\"]]\n",
        ),
        (
            "Tuple(UInt8, String)",
            pair.clone(),
            "CSV",
            (
                "output_format_csv_serialize_tuple_into_separate_columns",
                "0",
            ),
            "\"(1,'a')\"\n",
        ),
        (
            "Tuple(UInt8, String)",
            pair,
            "CSV",
            ("format_csv_delimiter", ";"),
            "1;\"a\"\n",
        ),
        (
            "UInt8",
            Value::UInt(1),
            "JSONEachRow",
            ("output_format_json_array_of_rows", "1"),
            "[\n{\"v\":1}\n]\n",
        ),
    ] {
        assert_eq!(
            one(ty, value, format, &[setting]),
            expected,
            "{ty} {setting:?}"
        );
    }
}

#[test]
fn bad_values_of_settings_are_errors_and_unknown_settings_are_not_ours() {
    let mut settings = FormatSettings::new(Tz::UTC);
    for (name, value) in [
        ("output_format_json_quote_64bit_integers", "maybe"),
        ("date_time_output_format", "roman"),
        ("session_timezone", "Atlantis/Capital"),
        ("format_csv_delimiter", "||"),
    ] {
        assert_eq!(settings.apply(name, value), Err(value.to_owned()));
    }
    assert_eq!(settings.apply("max_threads", "abc"), Ok(()));
    assert!(!settings.switches.has(Switch::QuoteIntegers));
}

#[test]
fn column_names_are_escaped_and_may_repeat() {
    let columns = vec![column("a\"b/c", "UInt8"), column("a\"b/c", "UInt8")];
    let batch = batch(&[
        (&columns[0].ty, vec![Value::UInt(1)]),
        (&columns[1].ty, vec![Value::UInt(2)]),
    ]);
    for (format, expected) in [
        ("JSONEachRow", "{\"a\\\"b\\/c\":1,\"a\\\"b\\/c\":2}\n"),
        ("CSVWithNames", "\"a\"\"b/c\",\"a\"\"b/c\"\n1,2\n"),
        ("TSVWithNames", "a\"b/c\ta\"b/c\n1\t2\n"),
        ("Vertical", "Row 1:\n──────\na\"b/c: 1\na\"b/c: 2\n"),
    ] {
        let printed = print(
            format,
            columns.clone(),
            std::slice::from_ref(&batch),
            settings_without_statistics(),
        );
        assert_eq!(String::from_utf8(printed).unwrap(), expected, "{format}");
    }
}

#[test]
fn errors_find_their_place_inside_json() {
    for (format, expected) in [
        ("JSONEachRow", Some("{\"exception\": \"Code: 395. a/b\"}\n")),
        (
            "JSONCompact",
            Some("\n\t],\n\n\t\"rows\": 0,\n\n\t\"exception\": \"Code: 395. a/b\"\n}\n"),
        ),
        ("TSV", None),
        ("CSV", None),
    ] {
        let mut writer = Format::find(format)
            .unwrap()
            .writer(Vec::new(), FormatSettings::new(Tz::UTC));
        let mut out = Vec::new();
        let written = writer.exception("Code: 395. a/b", &mut out);
        assert_eq!(
            written.then(|| String::from_utf8(out).unwrap()).as_deref(),
            expected
        );
    }
}

#[test]
fn a_batch_that_does_not_fit_its_columns_is_an_error() {
    let columns = vec![column("v", "String")];
    let other: Type = "UInt8".parse().unwrap();
    let batch = batch(&[(&other, vec![Value::UInt(1)])]);
    let mut writer = Format::find("TSV")
        .unwrap()
        .writer(columns, FormatSettings::new(Tz::UTC));
    let error = writer.rows(&batch, &mut Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "a column of type `String` arrived as Arrow `UInt8`"
    );
}
