//! Every kind of column comes back as it went in, through a memtable and through a file.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryBuilder, Float64Array, Int32Array,
    ListArray, MapArray, RecordBatch, StringArray, StructArray, TimestampNanosecondArray,
    UInt8Array, UInt32Array, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::compute::{concat_batches, sort_to_indices, take_record_batch};
use arrow::datatypes::{DataType, Int32Type};

use crate::ids::{TableId, WalSeq};
use crate::io::{Disk, LocalDisk};
use crate::names::DataDir;
use crate::predicate::{Predicate, ScanColumn};
use crate::scan::{ScanRequest, Snapshot};
use crate::schema::{ColumnKind, NumberType, TableDef, attributes_type};
use crate::segment::{
    FlushSource, LiveSegment, PromoteLimits, SegmentAccess, SegmentMeta, SegmentSizes, write_sorted,
};
use crate::time::Nanos;

/// A different value for every row, with empty and absent ones among them.
fn text(row: usize) -> String {
    match row % 4 {
        0 => String::new(),
        1 => format!("value {row}"),
        2 => "é\u{1F600}\n'\"".repeat(row % 5),
        _ => "x".repeat(row % 50),
    }
}

fn array_of(kind: ColumnKind, rows: usize) -> ArrayRef {
    let texts = || (0..rows).map(text);
    match kind {
        ColumnKind::Timestamp | ColumnKind::Seconds => {
            let times = (0..rows).map(|row| i64::try_from(row * 7 % rows).unwrap());
            Arc::new(TimestampNanosecondArray::from_iter_values(times).with_timezone("UTC"))
        }
        ColumnKind::TraceId | ColumnKind::SpanId => {
            let width = if kind == ColumnKind::TraceId { 16 } else { 8 };
            let mut ids = FixedSizeBinaryBuilder::new(width);
            for row in 0..rows {
                let bytes =
                    vec![u8::try_from(row % 251 + 1).unwrap(); usize::try_from(width).unwrap()];
                match row % 3 {
                    0 => ids.append_null(),
                    _ => ids.append_value(bytes).unwrap(),
                }
            }
            Arc::new(ids.finish())
        }
        ColumnKind::Label => {
            let texts: Vec<String> = texts().collect();
            let labels: DictionaryArray<Int32Type> = texts.iter().map(String::as_str).collect();
            Arc::new(labels)
        }
        ColumnKind::Text => Arc::new(StringArray::from_iter_values(texts())),
        ColumnKind::UInt8 => Arc::new(
            (0..rows)
                .map(|row| u8::try_from(row % 256).ok())
                .collect::<UInt8Array>(),
        ),
        ColumnKind::UInt64 => {
            let numbers = (0..rows).map(|row| u64::MAX - u64::try_from(row).unwrap());
            Arc::new(UInt64Array::from_iter_values(numbers))
        }
        ColumnKind::Number(number) => numbers(number, rows),
        ColumnKind::NumberList(number) => lists(kind, rows, &numbers(number, 2 * rows)),
        ColumnKind::SharedAttributes => {
            let codes = (0..rows).map(|row| i32::try_from(row % 3).unwrap());
            let sets = Arc::new(maps(3));
            Arc::new(DictionaryArray::new(
                Int32Array::from_iter_values(codes),
                sets,
            ))
        }
        ColumnKind::Attributes => Arc::new(maps(rows)),
        ColumnKind::TimestampList | ColumnKind::SecondsList => {
            lists(kind, rows, &array_of(ColumnKind::Timestamp, 2 * rows))
        }
        ColumnKind::LabelList | ColumnKind::TextList => {
            lists(kind, rows, &array_of(ColumnKind::Text, 2 * rows))
        }
        ColumnKind::AttributesList => {
            let items: ArrayRef = Arc::new(maps(2 * rows));
            lists(kind, rows, &items)
        }
    }
}

/// Keys in order, odd ones among them.
const KEYS: [&str; 7] = ["", "a", "a.b", "key1", "key2", "é", "\u{1F600}"];
/// A different number for every row, with the ends of the range among them.
fn numbers(number: NumberType, rows: usize) -> ArrayRef {
    let rows = 0..u32::try_from(rows).unwrap();
    match number {
        NumberType::Bool => Arc::new(BooleanArray::from_iter(rows.map(|row| Some(row % 3 == 0)))),
        NumberType::Int32 => Arc::new(Int32Array::from_iter_values(
            rows.map(|row| i32::MIN.wrapping_add_unsigned(row * 7_919)),
        )),
        NumberType::UInt32 => Arc::new(UInt32Array::from_iter_values(
            rows.map(|row| u32::MAX - row),
        )),
        NumberType::UInt64 => Arc::new(UInt64Array::from_iter_values(
            rows.map(|row| u64::MAX - u64::from(row)),
        )),
        NumberType::Float64 => Arc::new(Float64Array::from_iter_values(rows.map(|row| {
            match row % 5 {
                0 => f64::INFINITY,
                1 => f64::NEG_INFINITY,
                2 => f64::NAN,
                3 => -0.0,
                _ => f64::from(row) / 3.0,
            }
        }))),
    }
}

/// Row n has n % 3 entries.
fn maps(rows: usize) -> MapArray {
    let DataType::Map(entry, _) = attributes_type() else {
        panic!()
    };
    let DataType::Struct(fields) = entry.data_type() else {
        panic!()
    };
    let lengths: Vec<usize> = (0..rows).map(|row| row % 3).collect();
    let total = lengths.iter().sum();
    let places = (0..rows).flat_map(|row| (0..row % 3).map(move |place| row % 6 + place));
    let keys: Vec<&str> = places.map(|place| KEYS[place]).collect();
    let keys = StringArray::from(keys);
    let values = StringArray::from_iter_values((0..total).map(text));
    let entries = StructArray::new(fields.clone(), vec![Arc::new(keys), Arc::new(values)], None);
    MapArray::new(
        entry,
        OffsetBuffer::from_lengths(lengths),
        entries,
        None,
        false,
    )
}

/// Row n has 2 - n % 3 items.
fn lists(kind: ColumnKind, rows: usize, items: &ArrayRef) -> ArrayRef {
    let DataType::List(item) = kind.write_type() else {
        panic!()
    };
    let lengths: Vec<usize> = (0..rows).map(|row| 2 - row % 3).collect();
    let items = items.slice(0, lengths.iter().sum());
    Arc::new(ListArray::new(
        item,
        OffsetBuffer::from_lengths(lengths),
        items,
        None,
    ))
}

/// Rows with every kind of column filled.
pub(crate) fn batch_of(table: &TableDef, rows: usize) -> RecordBatch {
    let arrays = table
        .columns
        .iter()
        .map(|column| array_of(column.kind, rows))
        .collect();
    RecordBatch::try_new(table.write_schema(), arrays).unwrap()
}

/// All rows in the order of their times, which differ.
pub(crate) fn read(snapshot: &Snapshot, table: &TableDef) -> RecordBatch {
    let request = ScanRequest {
        table: table.id,
        projection: table
            .columns
            .iter()
            .map(|column| ScanColumn::stored(column.name))
            .collect(),
        predicate: Predicate::True,
        top: None,
    };
    let plan = snapshot.scan(&request).unwrap();
    let units = plan.units.iter();
    let batches: Vec<_> = units
        .flat_map(|unit| unit.open().unwrap().map(Result::unwrap))
        .collect();
    let whole = concat_batches(&table.read_schema(), &batches).unwrap();
    let order = sort_to_indices(whole.column(0), None, None).unwrap();
    take_record_batch(&whole, &order).unwrap()
}

#[test]
fn every_column_comes_back_from_a_memtable_and_from_a_file_of_every_layout() {
    let columns = PromoteLimits::default();
    let maps = PromoteLimits {
        max_keys: 0,
        ..columns
    };
    let layouts = [columns, maps];
    let all = layouts
        .into_iter()
        .flat_map(|promote| TableId::ALL.map(|id| (id, promote)));
    for (id, promote) in all {
        let table = TableDef::of(id);
        let dir = tempfile::tempdir().unwrap();
        let dirs = DataDir::new(dir.path());
        std::fs::create_dir_all(dirs.tmp_dir()).unwrap();
        let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
        // Batches that begin in the middle of their arrays, as slices of a memtable do.
        let whole = batch_of(table, 500);
        let batches = [
            whole.slice(0, 123),
            whole.slice(123, 1),
            whole.slice(124, 376),
        ];
        let source = FlushSource {
            table: id,
            batches: &batches,
            seqs: (WalSeq(1), WalSeq(1)),
            created_at: Nanos(0),
            sizes: SegmentSizes {
                row_group_rows: 300,
                row_group_bytes: 1 << 20,
                page_rows: 64,
                promote,
            },
        };
        let metas = write_sorted(&*disk, &dirs, source).unwrap();
        let access = SegmentAccess::new(Arc::clone(&disk));
        let segments: Arc<[_]> = metas
            .into_iter()
            .map(|meta| {
                let path = dirs.segment_file(meta.table, meta.day, meta.id);
                LiveSegment::open(meta, path, &access)
            })
            .collect();
        let stored = Snapshot::new(segments, Vec::new());
        let fresh = Snapshot::new(Arc::from([]), vec![(id, batches.to_vec())]);
        assert_eq!((stored.row_count(id), fresh.row_count(id)), (500, 500));
        let (stored, fresh) = (read(&stored, table), read(&fresh, table));
        assert_eq!(stored.num_rows(), 500);
        assert_eq!(fresh.num_rows(), 500);
        for (column, definition) in table.columns.iter().enumerate() {
            assert_eq!(
                stored.column(column),
                fresh.column(column),
                "{}",
                definition.name
            );
        }
    }
}

/// A file written by an earlier release, as its manifest described it. It holds `batch_of(table, 200)`.
fn fixture(format: &str, table: &TableDef) -> Snapshot {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(format);
    let meta = std::fs::read(folder.join(format!("{}.json", table.id))).unwrap();
    let meta: SegmentMeta = serde_json::from_slice(&meta).unwrap();
    assert_eq!(format, format!("format-{}", meta.format));
    let access = SegmentAccess::new(Arc::new(LocalDisk));
    let file = folder.join(format!("{}.parquet", table.id));
    let segment = LiveSegment::open(meta, file, &access);
    Snapshot::new(Arc::from([segment]), Vec::new())
}

#[test]
fn files_of_every_format_read_the_same_as_fresh_rows() {
    for id in [TableId::Logs, TableId::Traces] {
        let table = TableDef::of(id);
        let fresh = Snapshot::new(Arc::from([]), vec![(id, vec![batch_of(table, 200)])]);
        let fresh = read(&fresh, table);
        for format in ["format-0", "format-1"] {
            let stored = read(&fixture(format, table), table);
            for (column, definition) in table.columns.iter().enumerate() {
                let name = definition.name;
                assert_eq!(
                    stored.column(column),
                    fresh.column(column),
                    "{format} {name}"
                );
            }
        }
    }
}

#[test]
fn a_batch_of_another_table_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let batch = batch_of(TableDef::of(TableId::Traces), 3);
    let source = FlushSource {
        table: TableId::Logs,
        batches: &[batch],
        seqs: (WalSeq(1), WalSeq(1)),
        created_at: Nanos(0),
        sizes: SegmentSizes::default(),
    };
    assert!(write_sorted(&LocalDisk, &DataDir::new(dir.path()), source).is_err());
}
