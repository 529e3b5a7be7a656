//! What the dialect has: functions, aggregates, types, engines, time zones.

use super::row::{Row, flag, text, uint};
use crate::types::Value;
use crate::{aggregates, functions};

pub(super) fn functions() -> Vec<Row> {
    let scalar = functions::names().map(|(name, any_case)| (name, any_case, false));
    let aggregate = aggregates::names().map(|(name, any_case)| (name, any_case, true));
    let mut rows: Vec<(&str, bool, bool)> = scalar.chain(aggregate).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.into_iter()
        .map(|(name, any_case, is_aggregate)| {
            Row::of([
                ("name", text(name)),
                ("is_aggregate", flag(is_aggregate)),
                ("case_insensitive", flag(any_case)),
                ("origin", Value::Int(0)),
                ("syntax", text(format!("{name}(...)"))),
            ])
        })
        .collect()
}

pub(super) fn combinators() -> Vec<Row> {
    aggregates::COMBINATORS
        .iter()
        .map(|name| Row::of([("name", text(*name))]))
        .collect()
}

/// Names that types go by; the second is the one they are shown with.
const TYPES: [(&str, &str, bool); 61] = [
    ("Array", "", false),
    ("BIGINT", "Int64", true),
    ("BIGINT SIGNED", "Int64", true),
    ("BIGINT UNSIGNED", "UInt64", true),
    ("BLOB", "String", true),
    ("BYTE", "Int8", true),
    ("Bool", "", true),
    ("boolean", "Bool", true),
    ("BYTEA", "String", true),
    ("CHAR", "String", true),
    ("CHARACTER", "String", true),
    ("CLOB", "String", true),
    ("DEC", "Decimal", true),
    ("DOUBLE", "Float64", true),
    ("DOUBLE PRECISION", "Float64", true),
    ("Date", "", true),
    ("Date32", "", true),
    ("DateTime", "", true),
    ("DateTime32", "", true),
    ("DateTime64", "", true),
    ("Decimal", "", true),
    ("Decimal128", "", true),
    ("Decimal32", "", true),
    ("Decimal64", "", true),
    ("Enum", "", true),
    ("Enum8", "", false),
    ("FLOAT", "Float32", true),
    ("FixedString", "", false),
    ("Float32", "", false),
    ("Float64", "", false),
    ("INT", "Int32", true),
    ("INT1", "Int8", true),
    ("INTEGER", "Int32", true),
    ("Int16", "", false),
    ("Int32", "", false),
    ("Int64", "", false),
    ("Int8", "", false),
    ("IntervalDay", "", false),
    ("IntervalHour", "", false),
    ("IntervalMinute", "", false),
    ("IntervalMonth", "", false),
    ("IntervalQuarter", "", false),
    ("IntervalSecond", "", false),
    ("IntervalWeek", "", false),
    ("IntervalYear", "", false),
    ("LowCardinality", "", false),
    ("Map", "", false),
    ("NUMERIC", "Decimal", true),
    ("Nested", "", false),
    ("Nothing", "", false),
    ("Nullable", "", false),
    ("REAL", "Float32", true),
    ("SMALLINT", "Int16", true),
    ("String", "", false),
    ("TEXT", "String", true),
    ("TIMESTAMP", "DateTime", true),
    ("TINYINT", "Int8", true),
    ("Tuple", "", false),
    ("UInt16", "", false),
    ("UUID", "", false),
    ("VARCHAR", "String", true),
];

/// More of them: integers without sign.
const UNSIGNED: [&str; 3] = ["UInt32", "UInt64", "UInt8"];

pub(super) fn data_types() -> Vec<Row> {
    let unsigned = UNSIGNED.iter().map(|name| (*name, "", false));
    TYPES
        .into_iter()
        .chain(unsigned)
        .map(|(name, alias_to, any_case)| {
            Row::of([
                ("name", text(name)),
                ("case_insensitive", flag(any_case)),
                ("alias_to", text(alias_to)),
            ])
        })
        .collect()
}

pub(super) fn table_engines() -> Vec<Row> {
    vec![
        Row::of([
            ("name", text("MergeTree")),
            ("supports_sort_order", uint(1u8)),
            ("supports_ttl", uint(1u8)),
            ("supports_parallel_insert", uint(1u8)),
        ]),
        Row::of([("name", text("View"))]),
    ]
}

pub(super) fn database_engines() -> Vec<Row> {
    ["Atomic", "Memory"]
        .map(|name| Row::of([("name", text(name))]))
        .into()
}

pub(super) fn table_functions() -> Vec<Row> {
    [
        "cluster",
        "clusterAllReplicas",
        "generate_series",
        "numbers",
        "numbers_mt",
        "values",
        "view",
        "zeros",
    ]
    .map(|name| Row::of([("name", text(name)), ("allow_readonly", flag(true))]))
    .into()
}

pub(super) fn time_zones() -> Vec<Row> {
    chrono_tz::TZ_VARIANTS
        .iter()
        .map(|zone| Row::of([("time_zone", text(zone.name()))]))
        .collect()
}
