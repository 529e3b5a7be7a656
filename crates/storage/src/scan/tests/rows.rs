//! Log rows as plain values: made up at random, turned into batches, read back, and tested one by one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, FixedSizeBinaryBuilder, Int32Array, MapArray, MapBuilder,
    MapFieldNames, RecordBatch, StringArray, StringBuilder, TimestampNanosecondArray, UInt8Array,
};
use arrow::datatypes::{DataType, TimestampNanosecondType, UInt8Type};
use proptest::prelude::*;

use crate::ids::{TableId, WalSeq};
use crate::io::{Disk, LocalDisk};
use crate::names::DataDir;
use crate::predicate::{CompareOp, Predicate, Scalar, ScanColumn, TextMatch};
use crate::scan::{ScanRequest, Snapshot, Top};
use crate::schema::{TableDef, hex_text};
use crate::segment::{
    FlushSource, LiveSegment, PromoteLimits, SegmentAccess, SegmentSizes, write_sorted,
};
use crate::text_match::TextMatcher;
use crate::time::{NANOS_PER_BUCKET, NANOS_PER_DAY, Nanos};

pub(super) type Pairs = BTreeMap<String, String>;

/// A log record with the columns that the tests look at; the others are empty.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) time: i64,
    pub(super) trace: Option<[u8; 16]>,
    pub(super) severity: u8,
    pub(super) service: String,
    pub(super) body: String,
    pub(super) resource: Pairs,
    pub(super) attributes: Pairs,
}

impl Row {
    fn text(&self, column: &ScanColumn) -> String {
        let map = |name: &str| {
            if name == "LogAttributes" {
                &self.attributes
            } else {
                &self.resource
            }
        };
        match column {
            ScanColumn::Stored(name) => match name.as_str() {
                "TraceId" => {
                    let mut text = String::new();
                    hex_text(self.trace.as_ref().map_or(&[], |id| &id[..]), &mut text);
                    text
                }
                "ServiceName" => self.service.clone(),
                "Body" => self.body.clone(),
                _ => String::new(),
            },
            ScanColumn::MapValue { column, key } => {
                map(column).get(key).cloned().unwrap_or_default()
            }
            ScanColumn::MapContains { column, key } => {
                u8::from(map(column).contains_key(key)).to_string()
            }
        }
    }

    /// The predicate, read literally.
    pub(super) fn meets(&self, predicate: &Predicate) -> bool {
        let equals = |column: &ScanColumn, op: CompareOp, value: &Scalar| {
            let order = match value {
                Scalar::Time(time) => self.time.cmp(time),
                Scalar::Number(number) => match column {
                    ScanColumn::Stored(_) => u64::from(self.severity).cmp(number),
                    ScanColumn::MapValue { .. } | ScanColumn::MapContains { .. } => {
                        self.text(column).parse::<u64>().unwrap().cmp(number)
                    }
                },
                Scalar::Text(text) => self.text(column).as_bytes().cmp(text.as_bytes()),
            };
            match op {
                CompareOp::Equal => order.is_eq(),
                CompareOp::NotEqual => order.is_ne(),
                CompareOp::Less => order.is_lt(),
                CompareOp::LessOrEqual => order.is_le(),
                CompareOp::Greater => order.is_gt(),
                CompareOp::GreaterOrEqual => order.is_ge(),
            }
        };
        match predicate {
            Predicate::True => true,
            Predicate::And(parts) => parts.iter().all(|part| self.meets(part)),
            Predicate::Or(parts) => parts.iter().any(|part| self.meets(part)),
            Predicate::Not(part) => !self.meets(part),
            Predicate::Compare { column, op, value } => equals(column, *op, value),
            Predicate::In { column, values } => values
                .iter()
                .any(|value| equals(column, CompareOp::Equal, value)),
            Predicate::Match { column, pattern } => {
                let matcher = TextMatcher::compile(pattern).unwrap();
                matcher.is_match(self.text(column).as_bytes())
            }
        }
    }
}

/// The rows in the write schema of `otel_logs`.
pub(super) fn batch_of(rows: &[Row]) -> RecordBatch {
    let table = TableDef::of(TableId::Logs);
    let arrays = table.columns.iter().map(|column| -> ArrayRef {
        match column.name {
            "Timestamp" => {
                let times = rows.iter().map(|row| row.time);
                Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))
            }
            "TraceId" => {
                let mut ids = FixedSizeBinaryBuilder::new(16);
                for row in rows {
                    match &row.trace {
                        Some(id) => ids.append_value(id).unwrap(),
                        None => ids.append_null(),
                    }
                }
                Arc::new(ids.finish())
            }
            "SpanId" => {
                let mut ids = FixedSizeBinaryBuilder::new(8);
                rows.iter().for_each(|_| ids.append_null());
                Arc::new(ids.finish())
            }
            "SeverityNumber" => Arc::new(
                rows.iter()
                    .map(|row| Some(row.severity))
                    .collect::<UInt8Array>(),
            ),
            "TraceFlags" => Arc::new(UInt8Array::from(vec![0; rows.len()])),
            "Body" => Arc::new(StringArray::from_iter_values(
                rows.iter().map(|row| &row.body),
            )),
            "ServiceName" => labels(rows.iter().map(|row| row.service.as_str())),
            "ResourceAttributes" => shared(rows.iter().map(|row| &row.resource)),
            "ScopeAttributes" => shared(rows.iter().map(|_| const { &Pairs::new() })),
            "LogAttributes" => Arc::new(maps(rows.iter().map(|row| &row.attributes))),
            _ => labels(rows.iter().map(|_| "")),
        }
    });
    RecordBatch::try_new(table.write_schema(), arrays.collect()).unwrap()
}

fn labels<'a>(texts: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(texts.collect::<DictionaryArray<arrow::datatypes::Int32Type>>())
}

fn maps<'a>(sets: impl Iterator<Item = &'a Pairs>) -> MapArray {
    let names = MapFieldNames {
        entry: "key_value".into(),
        key: "key".into(),
        value: "value".into(),
    };
    let DataType::Map(entry, _) = crate::schema::attributes_type() else {
        panic!()
    };
    let DataType::Struct(fields) = entry.data_type().clone() else {
        panic!()
    };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
        .with_keys_field(Arc::clone(&fields[0]))
        .with_values_field(Arc::clone(&fields[1]));
    for set in sets {
        for (key, value) in set {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
    }
    maps.finish()
}

fn shared<'a>(sets: impl Iterator<Item = &'a Pairs>) -> ArrayRef {
    let mut distinct: Vec<&Pairs> = Vec::new();
    let codes: Vec<i32> = sets
        .map(|set| {
            let known = distinct.iter().position(|seen| *seen == set);
            let code = known.unwrap_or_else(|| {
                distinct.push(set);
                distinct.len() - 1
            });
            i32::try_from(code).unwrap()
        })
        .collect();
    let values = maps(distinct.into_iter());
    Arc::new(DictionaryArray::new(
        Int32Array::from(codes),
        Arc::new(values),
    ))
}

/// Small parts, so that few rows fill many row groups and pages.
pub(super) const SMALL: SegmentSizes = SegmentSizes {
    row_group_rows: 48,
    row_group_bytes: 1 << 20,
    page_rows: 8,
    promote: PromoteLimits {
        max_keys: 2,
        min_rows: 3,
        rows_per_set: 4,
    },
};

/// Writes batches to segments and opens them.
pub(super) fn write_segments(root: &Path, batches: &[RecordBatch]) -> Vec<Arc<LiveSegment>> {
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
    let dirs = DataDir::new(root);
    std::fs::create_dir_all(dirs.tmp_dir()).unwrap();
    let source = FlushSource {
        table: TableId::Logs,
        batches,
        seqs: (WalSeq(1), WalSeq(9)),
        created_at: Nanos(7),
        sizes: SMALL,
    };
    let metas = write_sorted(&*disk, &dirs, source).unwrap();
    let access = SegmentAccess::new(disk);
    metas
        .into_iter()
        .map(|meta| {
            let path = dirs.segment_file(meta.table, meta.day, meta.id);
            LiveSegment::open(meta, path, &access)
        })
        .collect()
}

/// A snapshot with one group of segments per part of `flushed`, and one memtable chunk per part of `fresh`.
pub(super) fn snapshot(root: &Path, flushed: &[Vec<Row>], fresh: &[Vec<Row>]) -> Snapshot {
    let segments: Vec<_> = flushed
        .iter()
        .flat_map(|rows| {
            // Two batches per flush: their dictionaries differ.
            let (left, right) = rows.split_at(rows.len() / 2);
            write_segments(root, &[batch_of(left), batch_of(right)])
        })
        .collect();
    let chunks = fresh.iter().map(|rows| batch_of(rows)).collect();
    Snapshot::new(segments.into(), vec![(TableId::Logs, chunks)])
}

pub(super) fn request(predicate: Predicate, top: Option<Top>) -> ScanRequest {
    let mut projection: Vec<_> = [
        "Timestamp",
        "TraceId",
        "SeverityNumber",
        "ServiceName",
        "Body",
        "ResourceAttributes",
        "LogAttributes",
    ]
    .map(ScanColumn::stored)
    .to_vec();
    projection.push(ScanColumn::MapValue {
        column: "LogAttributes".into(),
        key: "a".into(),
    });
    projection.push(ScanColumn::MapContains {
        column: "ResourceAttributes".into(),
        key: "host".into(),
    });
    ScanRequest {
        table: TableId::Logs,
        projection,
        predicate,
        top,
    }
}

/// The rows of batches made by [`request`], sorted.
pub(super) fn rows_of(batches: &[RecordBatch]) -> Vec<Row> {
    let mut rows = Vec::new();
    for batch in batches {
        assert!(batch.num_rows() <= 8_192);
        for at in 0..batch.num_rows() {
            let row = row_at(batch, at);
            let looked_up = batch.column(7).as_string_view().value(at);
            assert_eq!(
                row.attributes.get("a").map_or("", String::as_str),
                looked_up
            );
            let host = batch.column(8).as_boolean().value(at);
            assert_eq!(row.resource.contains_key("host"), host);
            rows.push(row);
        }
    }
    rows.sort();
    rows
}

fn row_at(batch: &RecordBatch, at: usize) -> Row {
    let text = |column: usize| batch.column(column).as_string_view().value(at).to_owned();
    let pairs = |column: usize| -> Pairs {
        let entries = batch.column(column).as_map().value(at);
        let keys = entries.column(0).as_string::<i32>();
        let values = entries.column(1).as_string::<i32>();
        let pairs = keys
            .iter()
            .zip(values)
            .map(|(k, v)| (k.unwrap().into(), v.unwrap().into()));
        pairs.collect()
    };
    let hex = text(1);
    Row {
        time: batch
            .column(0)
            .as_primitive::<TimestampNanosecondType>()
            .value(at),
        trace: (!hex.is_empty()).then(|| u128::from_str_radix(&hex, 16).unwrap().to_be_bytes()),
        severity: batch.column(2).as_primitive::<UInt8Type>().value(at),
        service: text(3),
        body: text(4),
        resource: pairs(5),
        attributes: pairs(6),
    }
}

/// Random rows over two days: few values, so that conditions meet some of them.
pub(super) fn any_row() -> impl Strategy<Value = Row> {
    let time = prop_oneof![
        3 => 0..4_i64 * NANOS_PER_BUCKET,
        1 => NANOS_PER_DAY - 5..NANOS_PER_DAY + 5,
    ];
    let trace = prop_oneof![
        Just(None),
        (0..6_u128).prop_map(|n| Some((n * 0x1111_2222_3333_4444 + 1).to_be_bytes())),
    ];
    (
        time,
        trace,
        0..25_u8,
        "|api|web|w.{0,2}",
        any_text(),
        any_pairs(),
        any_pairs(),
    )
        .prop_map(
            |(time, trace, severity, service, body, resource, attributes)| Row {
                time,
                trace,
                severity,
                service,
                body,
                resource,
                attributes,
            },
        )
}

fn any_pairs() -> impl Strategy<Value = Pairs> {
    prop::collection::btree_map("a|b|host|a.very.long.key.name", any_text(), 0..4)
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "error|an error occurred|ERROR|timeout\nwhile waiting|100%|é_x".prop_map(String::from),
        "[ab%_ ]{0,20}",
    ]
}

/// Any condition on the columns of the rows.
pub(super) fn any_predicate() -> impl Strategy<Value = Predicate> {
    let leaf = prop_oneof![
        (any_op(), 0..4_i64 * NANOS_PER_BUCKET).prop_map(|(op, time)| compare(
            ScanColumn::stored("Timestamp"),
            op,
            Scalar::Time(time)
        )),
        (any_op(), 0..30_u64).prop_map(|(op, number)| compare(
            ScanColumn::stored("SeverityNumber"),
            op,
            Scalar::Number(number)
        )),
        (any_text_column(), any_op(), any_constant()).prop_map(|(column, op, text)| compare(
            column,
            op,
            Scalar::Text(text)
        )),
        (
            any_text_column(),
            prop::collection::vec(any_constant(), 0..4)
        )
            .prop_map(|(column, texts)| Predicate::In {
                column,
                values: texts.into_iter().map(Scalar::Text).collect()
            }),
        (any_text_column(), any_pattern())
            .prop_map(|(column, pattern)| Predicate::Match { column, pattern }),
        ("a|b|host|nowhere", any_op(), 0..3_u64).prop_map(|(key, op, number)| compare(
            ScanColumn::MapContains {
                column: "LogAttributes".into(),
                key
            },
            op,
            Scalar::Number(number)
        )),
        Just(Predicate::True),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            inner.prop_map(|part| Predicate::Not(Box::new(part))),
        ]
    })
}

fn compare(column: ScanColumn, op: CompareOp, value: Scalar) -> Predicate {
    Predicate::Compare { column, op, value }
}

fn any_op() -> impl Strategy<Value = CompareOp> {
    prop_oneof![
        Just(CompareOp::Equal),
        Just(CompareOp::NotEqual),
        Just(CompareOp::Less),
        Just(CompareOp::LessOrEqual),
        Just(CompareOp::Greater),
        Just(CompareOp::GreaterOrEqual),
    ]
}

fn any_text_column() -> impl Strategy<Value = ScanColumn> {
    prop_oneof![
        Just(ScanColumn::stored("TraceId")),
        Just(ScanColumn::stored("ServiceName")),
        Just(ScanColumn::stored("Body")),
        Just(ScanColumn::stored("EventName")),
        (
            "(Log|Resource)Attributes",
            "a|host|a.very.long.key.name|nowhere"
        )
            .prop_map(|(column, key)| ScanColumn::MapValue { column, key }),
    ]
}

fn any_constant() -> impl Strategy<Value = String> {
    prop_oneof![
        any_text(),
        "api|web",
        (0..6_u128).prop_map(|n| format!("{:032x}", n * 0x1111_2222_3333_4444 + 1)),
    ]
}

fn any_pattern() -> impl Strategy<Value = TextMatch> {
    prop_oneof![
        "[ab%_]{0,5}|%error%|err%|%r|%e%o%".prop_map(TextMatch::Like),
        "[ab%_]{0,5}|%ErRor%|É%".prop_map(TextMatch::ILike),
        prop::sample::select(vec!["error", "wait.*", "^a", "b$", "a.b", "(?i)ERR"])
            .prop_map(|text| TextMatch::Regex(text.to_owned())),
        "error|a|ab|timeout".prop_map(TextMatch::Token),
        "|a|an|err|0000".prop_map(TextMatch::Prefix),
    ]
}
