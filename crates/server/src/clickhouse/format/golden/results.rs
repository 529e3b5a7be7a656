//! Whole results: what stands before, between and after the rows.

use arrow::record_batch::RecordBatch;
use cairn_query::{AnswerColumn, Type, Value};
use chrono_tz::Tz;

use super::arrays::batch;
use super::{column, print, settings_without_statistics};
use crate::clickhouse::format::{Format, FormatSettings, Totals};

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

/// The first line of formats with progress has times.
fn without_progress(printed: &str) -> &str {
    match printed.split_once('\n') {
        Some((line, rest)) if line.starts_with("{\"progress\":") => rest,
        _ => printed,
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
        let printed = String::from_utf8(printed).unwrap();
        assert_eq!(without_progress(&printed), expected, "{format}");
        checked += 1;
    }
    assert_eq!(checked, 32);
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
        ("JSONColumns", "{\n\t\"n\": [],\n\t\"s\": []\n}\n"),
        ("JSONObjectEachRow", "{\n\n}\n"),
    ] {
        let columns = vec![column("n", "UInt64"), column("s", "String")];
        let printed = print(format, columns, &[], settings_without_statistics());
        assert_eq!(String::from_utf8(printed).unwrap(), expected, "{format}");
    }
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
