//! The order of rows in a segment: 5-minute bucket, cluster column, timestamp. Keys are integers, so that comparing two
//! rows costs one machine instruction and never touches their text.

use arrow::array::{
    Array, AsArray, DictionaryArray, FixedSizeBinaryArray, RecordBatch, StringArray,
};
use arrow::datatypes::{Int32Type, TimestampNanosecondType};

use super::gather::{Location, downcast, primitive};
use super::labels::LabelColumn;
use crate::error::{Error, Result};
use crate::schema::{ColumnKind, TableDef};
use crate::time::{NANOS_PER_BUCKET, NANOS_PER_DAY, Nanos, TimeRange};

/// Bits of a time inside its bucket: 300 s are less than 2^39 ns.
const OFFSET_BITS: u32 = 39;
/// Bits of a row number.
const ROW_BITS: u32 = 32;

/// Bucket, time in the bucket and number of each row, in order.
type Keys = Box<dyn Iterator<Item = (i64, i64, u32)>>;

/// Where a row stands in the order of a segment. Compares as the files are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RowKey<'a> {
    bucket: i64,
    cluster: &'a [u8],
    time: i64,
}

/// The keys of a batch's rows, made one by one: a merge compares few of them.
#[derive(Debug)]
pub(crate) struct RowKeys<'a> {
    times: &'a [i64],
    cluster: Cluster<'a>,
}

#[derive(Debug)]
enum Cluster<'a> {
    Label(&'a DictionaryArray<Int32Type>, &'a StringArray),
    Id(&'a FixedSizeBinaryArray),
}

impl<'a> RowKeys<'a> {
    /// The keys of `batch`, whose labels are codes.
    pub(crate) fn new(table: &TableDef, batch: &'a RecordBatch) -> Result<Self> {
        let column = table.index_of(table.cluster_column).unwrap_or_default();
        let column = batch.columns().get(column).ok_or_else(|| Error::Internal {
            what: format!("a batch of `{}` without its cluster column", table.id),
        })?;
        let cluster = match column.as_dictionary_opt::<Int32Type>() {
            Some(codes) => Cluster::Label(codes, downcast(codes.values())?),
            None => Cluster::Id(downcast(column)?),
        };
        Ok(Self {
            times: times(batch)?,
            cluster,
        })
    }

    /// The key of row `row`; none behind the last one.
    pub(crate) fn get(&self, row: usize) -> Option<RowKey<'a>> {
        let time = *self.times.get(row)?;
        let cluster: &'a [u8] = match self.cluster {
            Cluster::Label(codes, values) => {
                let code = codes.key(row).filter(|code| values.is_valid(*code));
                code.map_or(&[], |code| values.value(code).as_bytes())
            }
            // An absent id sorts first.
            Cluster::Id(ids) if ids.is_valid(row) => ids.value(row),
            Cluster::Id(_) => &[],
        };
        Some(RowKey {
            bucket: Nanos(time).bucket(),
            cluster,
            time,
        })
    }

    /// How many of the first rows do not come after `bound`.
    pub(crate) fn rows_through(&self, bound: &RowKey<'_>) -> usize {
        let (mut low, mut high) = (0, self.times.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.get(middle).is_some_and(|key| key <= *bound) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

/// All rows of a flush in the order of the segment files, cut into UTC days.
#[derive(Debug)]
pub(super) struct SortedRows {
    /// The rows in order.
    pub(super) order: Vec<Location>,
    /// One run of `order` per day, oldest first.
    pub(super) days: Vec<DayRun>,
}

/// The rows of one UTC day.
#[derive(Debug, Clone, Copy)]
pub(super) struct DayRun {
    pub(super) day: i64,
    pub(super) start: usize,
    pub(super) rows: usize,
    pub(super) time: TimeRange,
}

/// Sorts the rows of `batches`. `cluster` is the label column to group by, none when the table groups by trace.
pub(super) fn sort_rows(
    table: &TableDef,
    batches: &[RecordBatch],
    cluster: Option<&LabelColumn>,
) -> Result<SortedRows> {
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if u32::try_from(total).is_err() {
        return Err(Error::Internal {
            what: format!("a flush of {total} rows is too large to sort"),
        });
    }
    let locations = locations(batches)?;
    let rows = match (cluster, table.column(table.cluster_column).map(|c| c.kind)) {
        (Some(labels), _) => sorted_by_label(batches, labels)?,
        (None, Some(ColumnKind::TraceId)) => sorted_by_trace(table, batches)?,
        (None, _) => {
            return Err(Error::Internal {
                what: format!("table `{}` has no usable cluster column", table.id),
            });
        }
    };
    let mut order = Vec::with_capacity(total);
    let mut days: Vec<DayRun> = Vec::new();
    for (bucket, offset, row) in rows {
        let location = usize::try_from(row).ok().and_then(|row| locations.get(row));
        let Some(location) = location else {
            return Err(Error::Internal {
                what: "a sorted row is out of range".to_owned(),
            });
        };
        let time = Nanos(bucket * NANOS_PER_BUCKET + offset);
        extend_days(&mut days, order.len(), time);
        order.push(*location);
    }
    Ok(SortedRows { order, days })
}

fn extend_days(days: &mut Vec<DayRun>, at: usize, time: Nanos) {
    if let Some(run) = days.last_mut().filter(|run| run.day == time.day()) {
        run.rows += 1;
        run.time.min = run.time.min.min(time);
        run.time.max = run.time.max.max(time);
        return;
    }
    days.push(DayRun {
        day: time.day(),
        start: at,
        rows: 1,
        time: TimeRange {
            min: time,
            max: time,
        },
    });
}

fn locations(batches: &[RecordBatch]) -> Result<Vec<Location>> {
    let mut locations = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (number, batch) in batches.iter().enumerate() {
        let number = narrow(number)?;
        locations.extend((0..narrow(batch.num_rows())?).map(|row| (number, row)));
    }
    Ok(locations)
}

/// bucket (25 bits) · rank of the label (32) · time in the bucket (39) · row (32): exactly one `u128`.
fn sorted_by_label(batches: &[RecordBatch], labels: &LabelColumn) -> Result<Keys> {
    let ranks = labels.ranks();
    let mut keys: Vec<u128> = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for (batch, codes) in batches.iter().zip(labels.batches()) {
        for (time, code) in times(batch)?.iter().zip(codes) {
            let (bucket, offset) = split_time(*time);
            let rank = usize::try_from(*code).ok().and_then(|code| ranks.get(code));
            let rank = u128::from(rank.copied().unwrap_or_default());
            let row = u128::from(narrow(keys.len())?);
            let head = (u128::from(bucket) << 32) | rank;
            keys.push((((head << OFFSET_BITS) | u128::from(offset)) << ROW_BITS) | row);
        }
    }
    keys.sort_unstable();
    Ok(Box::new(keys.into_iter().map(|key| {
        let bucket = key >> (32 + OFFSET_BITS + ROW_BITS);
        unpack(bucket, key)
    })))
}

/// bucket (25 bits) · first 103 bits of the trace id, then its last 25 bits · time in the bucket · row.
fn sorted_by_trace(table: &TableDef, batches: &[RecordBatch]) -> Result<Keys> {
    const LOW_BITS: u32 = 25;
    let column = table.index_of(table.cluster_column).unwrap_or_default();
    let mut keys: Vec<(u128, u128)> =
        Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches {
        let ids: &FixedSizeBinaryArray = downcast(batch.column(column))?;
        for (time, id) in times(batch)?.iter().zip(ids.iter()) {
            let (bucket, offset) = split_time(*time);
            // An absent id sorts first; an all-zero id does not exist.
            let id = id
                .and_then(|id| <[u8; 16]>::try_from(id).ok())
                .map_or(0, u128::from_be_bytes);
            let row = u128::from(narrow(keys.len())?);
            let low = id & ((1 << LOW_BITS) - 1);
            keys.push((
                (u128::from(bucket) << (128 - LOW_BITS)) | (id >> LOW_BITS),
                (((low << OFFSET_BITS) | u128::from(offset)) << ROW_BITS) | row,
            ));
        }
    }
    keys.sort_unstable();
    let rows = keys.into_iter();
    Ok(Box::new(rows.map(|(head, tail)| {
        unpack(head >> (128 - LOW_BITS), tail)
    })))
}

/// Bucket and time inside it. Times before 1970 do not exist; they would sort as 1970.
fn split_time(time: i64) -> (u32, u64) {
    let time = time.max(0);
    let bucket = u32::try_from(time / NANOS_PER_BUCKET).unwrap_or(u32::MAX);
    (bucket, (time % NANOS_PER_BUCKET).unsigned_abs())
}

fn unpack(bucket: u128, tail: u128) -> (i64, i64, u32) {
    let offset = (tail >> ROW_BITS) & ((1 << OFFSET_BITS) - 1);
    let row = tail & u128::from(u32::MAX);
    (
        i64::try_from(bucket).unwrap_or_default(),
        i64::try_from(offset).unwrap_or_default(),
        u32::try_from(row).unwrap_or_default(),
    )
}

fn times(batch: &RecordBatch) -> Result<&[i64]> {
    let column = batch.columns().first().ok_or_else(|| Error::Internal {
        what: "a batch without columns".to_owned(),
    })?;
    let times = primitive::<TimestampNanosecondType>(column)?;
    if times.null_count() > 0 {
        return Err(Error::Invalid("a row has no timestamp".to_owned()));
    }
    if let Some(time) = times.values().iter().find(|time| **time < 0) {
        return Err(Error::Invalid(format!("timestamp `{time}` is before 1970")));
    }
    Ok(times.values())
}

fn narrow(number: usize) -> Result<u32> {
    u32::try_from(number).map_err(|_| Error::Internal {
        what: format!("`{number}` rows are too many"),
    })
}

const _: () = assert!(NANOS_PER_BUCKET < 1 << OFFSET_BITS);
const _: () = assert!(NANOS_PER_DAY % NANOS_PER_BUCKET == 0);
