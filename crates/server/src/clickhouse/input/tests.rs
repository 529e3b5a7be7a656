//! The same rows in every format that INSERT reads, and what breaks them.

use cairn_query::{AnswerColumn, Value};
use chrono_tz::Tz;

use super::*;

fn rows() -> Rows {
    let column = |name: &str, ty: &str| AnswerColumn {
        name: name.to_owned(),
        ty: ty.parse().unwrap(),
    };
    let columns = vec![
        column("t", "DateTime64(9)"),
        column("s", "LowCardinality(String)"),
        column("n", "UInt8"),
        column("m", "Map(LowCardinality(String), String)"),
        column("e", "Array(String)"),
    ];
    let settings = InputSettings {
        timezone: Tz::UTC,
        csv_delimiter: b',',
    };
    Rows::new(columns, settings)
}

fn texts(rows: Rows) -> String {
    let columns = rows.finish().unwrap();
    let arrays: Vec<_> = columns.iter().map(|(_, array)| array).collect();
    let options = arrow::util::display::FormatOptions::default();
    let lines = (0..arrays[0].len()).map(|row| {
        let fields: Vec<String> = arrays
            .iter()
            .map(|array| {
                let text = arrow::util::display::ArrayFormatter::try_new(array, &options).unwrap();
                text.value(row).to_string()
            })
            .collect();
        fields.join("|")
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn read_all(format: &str, data: &[u8]) -> Result<String> {
    let mut rows = rows();
    read(format, data, &mut rows)?;
    Ok(texts(rows))
}

const FIRST: &str = "1700000000500000000|a'b|7|{k: v}|[x, y]";
const SECOND: &str = "0||0|{}|[]";

#[test]
fn one_row_reads_the_same_in_every_text_format() {
    for (format, data) in [
        (
            "TSV",
            "2023-11-14 22:13:20.5\ta\\'b\t7\t{'k':'v'}\t['x','y']\n",
        ),
        (
            "TSVWithNames",
            "n\ts\tt\te\tm\tunknown\n7\ta'b\t1700000000.5\t['x','y']\t{'k':'v'}\tz\n",
        ),
        (
            "TSV",
            "t\ts\tn\tm\te\n2023-11-14 22:13:20.5\ta'b\t7\t{'k':'v'}\t['x','y']\n",
        ),
        (
            "CSV",
            "2023-11-14T22:13:20.5Z,\"a'b\",7,\"{'k':'v'}\",\"['x','y']\"\r\n",
        ),
        (
            "CSVWithNamesAndTypes",
            "\"n\",\"t\",\"s\",\"m\",\"e\"\n\"a\",\"b\",\"c\",\"d\",\"e\"\n7,\"2023-11-14 22:13:20.5\",\"a'b\",\"{'k':'v'}\",\"['x','y']\"\n",
        ),
        (
            "JSONEachRow",
            "{\"t\":\"2023-11-14T22:13:20.5Z\",\"s\":\"a'b\",\"N\":7,\"m\":{\"k\":\"v\"},\"e\":[\"x\",\"y\"],\"other\":1}",
        ),
        (
            "ndjson",
            "[{\"t\":1700000000.5,\"s\":\"a'b\",\"n\":\"7\",\"m\":{\"k\":\"v\"},\"e\":[\"x\",\"y\"]}]",
        ),
        (
            "JSON",
            "{\"meta\":[],\"data\":[{\"t\":1700000000.5,\"s\":\"a'b\",\"n\":7,\"m\":{\"k\":\"v\"},\"e\":[\"x\",\"y\"]}]}",
        ),
        (
            "JSONCompactEachRow",
            "[\"2023-11-14 22:13:20.5\",\"a'b\",7,{\"k\":\"v\"},[\"x\",\"y\"]]\n",
        ),
        (
            "JSONCompactEachRowWithNames",
            "[\"e\",\"s\",\"t\",\"m\",\"n\"]\n[[\"x\",\"y\"],\"a'b\",\"2023-11-14 22:13:20.5\",{\"k\":\"v\"},7]\n",
        ),
    ] {
        assert_eq!(
            read_all(format, data.as_bytes()).unwrap(),
            FIRST,
            "{format} {data}"
        );
    }
}

#[test]
fn what_is_missing_or_null_is_the_default() {
    for (format, data) in [
        ("TSV", "\\N\t\\N\t\\N\t\\N\t\\N\n"),
        ("CSV", ",,\\N,,\n"),
        ("JSONEachRow", "{}"),
        ("JSONEachRow", "{\"t\":null,\"n\":null}"),
        ("JSONCompactEachRow", "[null,null,null,null,null]"),
    ] {
        assert_eq!(
            read_all(format, data.as_bytes()).unwrap(),
            SECOND,
            "{format} {data}"
        );
    }
    assert_eq!(
        read_all("JSONEachRow", b"{},{} {}\n").unwrap(),
        [SECOND; 3].join("\n")
    );
    assert_eq!(read_all("JSONEachRow", b"").unwrap(), "");
}

/// `n UInt8, e Array(String), s LowCardinality(Nullable(String))` of two rows.
fn native() -> Vec<u8> {
    let mut block = vec![3, 2];
    block.extend_from_slice(b"\x01n\x05UInt8\x07\x08");
    block.extend_from_slice(b"\x01e\x0dArray(String)");
    block.extend_from_slice(&2_u64.to_le_bytes());
    block.extend_from_slice(&2_u64.to_le_bytes());
    block.extend_from_slice(b"\x01x\x01y");
    block.extend_from_slice(b"\x01s\x20LowCardinality(Nullable(String))");
    block.extend_from_slice(&1_u64.to_le_bytes());
    block.extend_from_slice(&0x600_u64.to_le_bytes());
    block.extend_from_slice(&3_u64.to_le_bytes());
    block.extend_from_slice(b"\x00\x00\x01a");
    block.extend_from_slice(&2_u64.to_le_bytes());
    block.extend_from_slice(b"\x02\x00");
    block
}

#[test]
fn native_blocks_are_read_by_name_and_converted() {
    let expected = "0|a|7|{}|[x, y]\n0||8|{}|[]";
    assert_eq!(read_all("Native", &native()).unwrap(), expected);
    let twice = [native(), native()].concat();
    assert_eq!(
        read_all("Native", &twice).unwrap(),
        format!("{expected}\n{expected}")
    );
}

#[test]
fn binary_rows_are_read() {
    let mut data = 1_700_000_000_500_000_000_i64.to_le_bytes().to_vec();
    data.extend_from_slice(b"\x03a'b\x07\x01\x01k\x01v\x02\x01x\x01y");
    assert_eq!(read_all("RowBinary", &data).unwrap(), FIRST);
    let mut named = b"\x02\x01n\x01s\x06UInt16\x06String".to_vec();
    named.extend_from_slice(b"\x07\x00\x01z");
    assert_eq!(
        read_all("RowBinaryWithNamesAndTypes", &named).unwrap(),
        "0|z|7|{}|[]"
    );
}

#[test]
fn every_cut_and_many_changes_are_errors_or_rows_never_panics() {
    let mut binary = 5_i64.to_le_bytes().to_vec();
    binary.extend_from_slice(b"\x03a'b\x07\x01\x01k\x01v\x02\x01x\x01y");
    for (format, whole) in [("Native", native()), ("RowBinary", binary)] {
        for end in 1..whole.len() {
            assert!(read_all(format, &whole[..end]).is_err(), "{format} {end}");
        }
        for at in 0..whole.len() {
            for bit in [0x01, 0x40, 0x80] {
                let mut changed = whole.clone();
                changed[at] ^= bit;
                drop(read(format, &changed, &mut rows()));
            }
        }
    }
    for text in [
        "{",
        "[",
        "{\"t\":",
        "{\"m\":[1]}",
        "[1]",
        "nul",
        "\u{0}",
        "{\"n\":1.5}",
        "{\"n\":-1}",
    ] {
        assert!(read_all("JSONEachRow", text.as_bytes()).is_err(), "{text}");
    }
    for text in ["1", "x\ty\tz\tm\te", "\t\t1\t{'a'\t[]", "\t\t1\t{}\t['a"] {
        let outcome = read("TSV", text.as_bytes(), &mut rows());
        let finished = outcome.is_ok().then(|| read_all("TSV", text.as_bytes()));
        assert!(finished.is_none_or(|read| read.is_err()), "{text}");
    }
    assert!(read_all("CSV", b"\"a").is_err());
    assert_eq!(
        read_all("nope", b"").unwrap_err().code,
        ErrorCode::UnknownFormat
    );
    assert_eq!(
        read_all("XML", b"").unwrap_err().code,
        ErrorCode::NotImplemented
    );
}

#[test]
fn errors_name_the_row() {
    let error = read_all("JSONEachRow", b"{}\n{\"n\":\"x\"}").unwrap_err();
    assert!(error.message.ends_with("(at row 2)"), "{}", error.message);
}

#[test]
fn values_are_literals_or_expressions() {
    let rows = rows();
    let read = read_values(
        b" ('2023-11-14 22:13:20.5', 'a\\'b', 7, {'k':'v'}, ['x','y']), (now64(9), 'x)', 1+1, map(), []);",
        &rows,
    )
    .unwrap();
    let ValueRow::Literals(first) = &read[0] else {
        panic!("{read:?}");
    };
    assert_eq!(first[1], Some(Value::String("a'b".to_owned())));
    let expected = "now64(9), 'x)', 1+1, map(), []";
    assert_eq!(read[1], ValueRow::Expressions(expected.to_owned()));
    for broken in ["(1", "1", "('a", "(1,2"] {
        assert!(read_values(broken.as_bytes(), &rows).is_err(), "{broken}");
    }
}
