//! What settings change, and what is refused.

use cairn_query::{Type, Value};
use chrono_tz::Tz;

use super::arrays::batch;
use super::{column, print, settings_without_statistics};
use crate::clickhouse::format::{Format, FormatSettings, Switch};

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
#[expect(clippy::too_many_lines, reason = "one entry for each setting")]
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
