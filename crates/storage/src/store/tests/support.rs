//! What the store tests share: a tiny decoder (one line a row), stores on scripted disks, and reading everything back.

use std::path::Path;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, AsArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array,
    Int32Array, ListArray, MapArray, StringArray, TimestampNanosecondArray, UInt8Array,
    UInt32Array, UInt64Array, new_empty_array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Int32Type, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;

use crate::config::{CompactionConfig, StorageConfig};
use crate::error::{Error, Result};
use crate::ids::{Signal, TableId, WalSeq};
use crate::io::fault::FaultDisk;
use crate::predicate::{Predicate, ScanColumn};
use crate::record::{PayloadCompression, PayloadEncoding, RawRecord, RecordDecoder, TableBatch};
use crate::scan::{ScanRequest, Snapshot};
use crate::schema::{ColumnKind, NumberType, TableDef};
use crate::store::{Parts, Store};
use crate::time::{ManualClock, Nanos};

/// One row of a test: its table, its time, and a text that no other row has.
pub(super) type Row = (TableId, i64, String);

/// The column that carries a row's text.
fn text_column(table: TableId) -> &'static str {
    match table {
        TableId::Logs => "Body",
        TableId::Traces => "StatusMessage",
        TableId::MetricsGauge
        | TableId::MetricsSum
        | TableId::MetricsHistogram
        | TableId::MetricsExponentialHistogram
        | TableId::MetricsSummary => "MetricDescription",
    }
}

/// Makes rows of payloads that [`record`] writes.
#[derive(Debug)]
pub(super) struct LineDecoder;

impl RecordDecoder for LineDecoder {
    fn decode(&self, record: &RawRecord) -> Result<Vec<TableBatch>> {
        let bad = || Error::Invalid("not a test payload".to_owned());
        let text = std::str::from_utf8(&record.payload).map_err(|_| bad())?;
        assert!(text != "panic", "a decoder with a bug");
        let mut rows = Vec::new();
        for line in text.lines() {
            let mut fields = line.splitn(3, '\t');
            let mut field = || fields.next().ok_or_else(bad);
            let number = field()?.parse().map_err(|_| bad())?;
            let table = TableId::from_number(number).ok_or_else(bad)?;
            rows.push((
                table,
                field()?.parse().map_err(|_| bad())?,
                field()?.to_owned(),
            ));
        }
        Ok(batches(&rows))
    }
}

/// The record whose decoded form has `rows`.
pub(super) fn record(rows: &[Row]) -> RawRecord {
    let lines = rows
        .iter()
        .map(|(t, at, text)| format!("{}\t{at}\t{text}\n", t.number()));
    RawRecord {
        signal: Signal::Logs,
        encoding: PayloadEncoding::Protobuf,
        compression: PayloadCompression::None,
        options: 0,
        received_at: Nanos(1),
        payload: Bytes::from(lines.collect::<String>()),
    }
}

/// Write-schema batches of `rows`, one a table.
pub(super) fn batches(rows: &[Row]) -> Vec<TableBatch> {
    let batch_of = |table| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.0 == table).collect();
        (!rows.is_empty()).then(|| TableBatch {
            table,
            rows: batch(table, &rows),
        })
    };
    TableId::ALL.into_iter().filter_map(batch_of).collect()
}

fn batch(table: TableId, rows: &[&Row]) -> RecordBatch {
    let def = TableDef::of(table);
    let columns = def
        .columns
        .iter()
        .map(|column| {
            let texts: Vec<&str> = if column.name == text_column(table) {
                rows.iter().map(|row| row.2.as_str()).collect()
            } else {
                vec!["x"; rows.len()]
            };
            let times: Vec<i64> = rows.iter().map(|row| row.1).collect();
            array(column.kind, &texts, &times)
        })
        .collect();
    RecordBatch::try_new(def.write_schema(), columns).unwrap()
}

fn array(kind: ColumnKind, texts: &[&str], times: &[i64]) -> ArrayRef {
    let rows = texts.len();
    let ids = |bytes| {
        let none = vec![None::<Vec<u8>>; rows];
        FixedSizeBinaryArray::try_from_sparse_iter_with_size(none.into_iter(), bytes).unwrap()
    };
    match kind {
        ColumnKind::Timestamp | ColumnKind::Seconds => {
            Arc::new(TimestampNanosecondArray::from(times.to_vec()).with_timezone("UTC"))
        }
        ColumnKind::TraceId => Arc::new(ids(16)),
        ColumnKind::SpanId => Arc::new(ids(8)),
        ColumnKind::Label => {
            let labels: DictionaryArray<Int32Type> = texts.iter().copied().collect();
            Arc::new(labels)
        }
        ColumnKind::Text => Arc::new(StringArray::from(texts.to_vec())),
        ColumnKind::UInt8 => Arc::new(UInt8Array::from(vec![7; rows])),
        ColumnKind::UInt64 => Arc::new(UInt64Array::from(vec![9; rows])),
        ColumnKind::Number(number) => plain_numbers(number, rows),
        ColumnKind::SharedAttributes => {
            let value = empty_nested(&crate::schema::attributes_type(), 1);
            let keys = Int32Array::from(vec![0; rows]);
            Arc::new(DictionaryArray::new(keys, value))
        }
        ColumnKind::Attributes
        | ColumnKind::TimestampList
        | ColumnKind::SecondsList
        | ColumnKind::NumberList(_)
        | ColumnKind::LabelList
        | ColumnKind::TextList
        | ColumnKind::AttributesList => empty_nested(&kind.write_type(), rows),
    }
}

/// `rows` equal numbers.
fn plain_numbers(number: NumberType, rows: usize) -> ArrayRef {
    match number {
        NumberType::Bool => Arc::new(BooleanArray::from(vec![true; rows])),
        NumberType::Int32 => Arc::new(Int32Array::from(vec![-3; rows])),
        NumberType::UInt32 => Arc::new(UInt32Array::from(vec![3; rows])),
        NumberType::UInt64 => Arc::new(UInt64Array::from(vec![5; rows])),
        NumberType::Float64 => Arc::new(Float64Array::from(vec![0.5; rows])),
    }
}

/// `rows` empty maps or lists.
fn empty_nested(kind: &DataType, rows: usize) -> ArrayRef {
    let offsets = OffsetBuffer::new_zeroed(rows);
    if let DataType::Map(field, ordered) = kind {
        let entries = new_empty_array(field.data_type()).as_struct().clone();
        let field = Arc::clone(field);
        return Arc::new(MapArray::new(field, offsets, entries, None, *ordered));
    }
    let DataType::List(field) = kind else {
        panic!("{kind} is not nested");
    };
    let items = new_empty_array(field.data_type());
    Arc::new(ListArray::new(Arc::clone(field), offsets, items, None))
}

/// Small bounds, so that a few rows rotate files and seal memtables only when a test asks for it.
pub(super) fn config() -> StorageConfig {
    StorageConfig {
        data_dir: Path::new("/data").to_owned(),
        wal_file_bytes: 600,
        lock_wait_ms: 0,
        ack_deadline_ms: 60_000,
        // Only when a test asks for it: histories have to be the same every time.
        compaction: CompactionConfig {
            enabled: false,
            level0_count: 2,
            level1_count: 2,
            ..CompactionConfig::default()
        },
        ..StorageConfig::default()
    }
}

/// A store on `disk` whose clock stands still.
pub(super) fn open(disk: &FaultDisk) -> Result<Arc<Store>> {
    open_with(disk, config(), &Arc::new(ManualClock::new(Nanos(1))))
}

/// A store on `disk` with its own settings and clock.
pub(super) fn open_with(
    disk: &FaultDisk,
    config: StorageConfig,
    clock: &Arc<ManualClock>,
) -> Result<Arc<Store>> {
    let clock = Arc::clone(clock);
    let parts = Parts {
        clock,
        disk: Arc::new(disk.clone()),
        decoder: Arc::new(LineDecoder),
    };
    Store::open(config, parts)
}

/// Appends `rows` as one request.
pub(super) async fn append(store: &Store, rows: &[Row]) -> Result<WalSeq> {
    store.append(record(rows), batches(rows)).await
}

/// A row of `otel_logs`.
pub(super) fn log(at: i64, text: impl Into<String>) -> Row {
    (TableId::Logs, at, text.into())
}

/// A row of `otel_traces`.
pub(super) fn span(at: i64, text: impl Into<String>) -> Row {
    (TableId::Traces, at, text.into())
}

/// Every visible row, sorted.
pub(super) fn rows_of(store: &Store) -> Vec<Row> {
    read(&store.snapshot()).unwrap()
}

/// Every row of `snapshot`, sorted.
pub(super) fn read(snapshot: &Snapshot) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for table in TableId::ALL {
        let plan = snapshot.scan(&ScanRequest {
            table,
            projection: vec![
                ScanColumn::stored(TableDef::of(table).time_column()),
                ScanColumn::stored(text_column(table)),
            ],
            predicate: Predicate::And(Vec::new()),
            top: None,
        })?;
        for unit in &plan.units {
            for batch in unit.open()? {
                let batch = batch?;
                let times = batch.column(0).as_primitive::<TimestampNanosecondType>();
                let texts = batch.column(1).as_string_view();
                for (at, text) in times.values().iter().zip(texts) {
                    rows.push((table, *at, text.unwrap().to_owned()));
                }
            }
        }
    }
    rows.sort();
    Ok(rows)
}
