//! Layouts of the binary formats that one recorded value does not show.

use cairn_query::Value;

use super::arrays::batch;
use super::{column, print, settings_without_statistics, unhex};

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
