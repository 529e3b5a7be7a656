//! From the batches of a memtable to segment files: sort, cut into days, gather slice by slice, encode, checksum.
//!
//! Publishes nothing: the files are complete and durable, but no manifest names them yet.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use super::checksum::BlockChecksums;
use super::columns::{Choice, ColumnPlan, FlushColumn};
use super::gather::Location;
use super::layout::{Effort, PAGE_ROWS, SegmentSizes, writer_properties};
use super::meta::{ColumnStats, RowGroupMeta, SEGMENT_FORMAT, SegmentMeta};
use super::shape::Shape;
use super::sort::{DayRun, SortedRows, sort_rows};
use super::statistics::{StatsBuilder, union};
use crate::error::{Error, Result};
use crate::ids::{SegmentId, TableId, WalSeq};
use crate::invariants;
use crate::io::Disk;
use crate::io::atomic::{StagedFile, make_dirs};
use crate::names::DataDir;
use crate::schema::TableDef;
use crate::time::{Nanos, TimeRange};

/// Bytes of gathered rows in memory at once, roughly: rows with large texts go in smaller slices.
const SLICE_BYTES: usize = 8 << 20;

/// Bytes after which what was written is made durable, so that dirty pages do not pile up.
const SYNC_BYTES: u64 = 32 << 20;

/// What a flush writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlushSource<'a> {
    /// Whose rows.
    pub(crate) table: TableId,
    /// The rows, in the write schema of the table.
    pub(crate) batches: &'a [RecordBatch],
    /// First and last WAL record of the rows.
    pub(crate) seqs: (WalSeq, WalSeq),
    /// Now.
    pub(crate) created_at: Nanos,
    /// Sizes of the parts of the files.
    pub(crate) sizes: SegmentSizes,
}

/// Writes the rows to one file per UTC day. On failure nothing of it is left on disk (as far as the disk allows).
///
/// # Errors
/// Of the disk; [`Error::Invalid`] when a batch does not fit the table.
pub(crate) fn write_sorted(
    disk: &dyn Disk,
    dirs: &DataDir,
    source: FlushSource<'_>,
) -> Result<Vec<SegmentMeta>> {
    let table = TableDef::of(source.table);
    let schema = table.write_schema();
    if let Some(batch) = source.batches.iter().find(|batch| batch.schema() != schema) {
        return Err(Error::Invalid(format!(
            "a batch of `{}` does not have the table's columns: {}",
            table.id,
            batch.schema()
        )));
    }
    let choice = Choice::Free(source.sizes.promote);
    let rows = PreparedRows::new(table, source.batches, choice, row_bytes(source.batches))?;
    let mut metas = Vec::with_capacity(rows.sorted.days.len());
    for run in &rows.sorted.days {
        let target = NewSegment {
            table,
            day: run.day,
            time: run.time,
            seqs: source.seqs,
            level: 0,
            effort: Effort::Quick,
            created_at: source.created_at,
            sizes: source.sizes,
        };
        let written =
            SegmentWriter::create(disk, dirs, target, rows.plans()).and_then(|mut file| {
                file.push_run(&rows, *run)?;
                file.finish()
            });
        match written {
            Ok(meta) => metas.push(meta),
            Err(error) => {
                discard(disk, dirs, &metas);
                return Err(error);
            }
        }
    }
    Ok(metas)
}

/// Removes files that will not be published. What cannot be removed is swept at the next start.
pub(crate) fn discard(disk: &dyn Disk, dirs: &DataDir, metas: &[SegmentMeta]) {
    for meta in metas {
        disk.remove(&dirs.segment_file(meta.table, meta.day, meta.id))
            .ok();
    }
}

/// Memory of a row, on average.
fn row_bytes(batches: &[RecordBatch]) -> usize {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    bytes.checked_div(rows).unwrap_or_default()
}

/// Rows sorted and ready to be gathered.
struct PreparedRows {
    columns: Vec<FlushColumn>,
    sorted: SortedRows,
    slice_rows: usize,
}

impl PreparedRows {
    fn new(
        table: &TableDef,
        batches: &[RecordBatch],
        choice: Choice<'_>,
        row_bytes: usize,
    ) -> Result<Self> {
        let columns: Vec<FlushColumn> = table
            .columns
            .iter()
            .enumerate()
            .map(|(index, column)| FlushColumn::prepare(column, index, batches, choice))
            .collect::<Result<_>>()?;
        let cluster = table
            .index_of(table.cluster_column)
            .and_then(|index| columns.get(index))
            .and_then(FlushColumn::as_label);
        Ok(Self {
            sorted: sort_rows(table, batches, cluster)?,
            columns,
            slice_rows: (SLICE_BYTES / row_bytes.max(1)).clamp(1, PAGE_ROWS),
        })
    }

    fn plans(&self) -> Vec<ColumnPlan> {
        self.columns.iter().map(FlushColumn::plan).collect()
    }

    /// The root columns of the rows.
    fn gather(&self, locations: &[Location]) -> Result<Vec<ArrayRef>> {
        let mut promoted = Vec::new();
        let mut arrays = self
            .columns
            .iter()
            .map(|column| column.gather(locations, &mut promoted))
            .collect::<Result<Vec<_>>>()?;
        arrays.append(&mut promoted);
        Ok(arrays)
    }
}

/// What is known of a segment before its first row is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewSegment {
    /// Whose rows.
    pub(crate) table: &'static TableDef,
    /// UTC day of all rows.
    pub(crate) day: i64,
    /// Exact time of the first and the last row.
    pub(crate) time: TimeRange,
    /// First and last WAL record of the rows.
    pub(crate) seqs: (WalSeq, WalSeq),
    /// How often the rows were merged.
    pub(crate) level: u8,
    /// How small the file should be.
    pub(crate) effort: Effort,
    /// Now.
    pub(crate) created_at: Nanos,
    /// Sizes of the parts of the file.
    pub(crate) sizes: SegmentSizes,
}

/// A segment file being written, row group by row group. Dropping it leaves nothing.
pub(crate) struct SegmentWriter<'a> {
    target: NewSegment,
    id: SegmentId,
    path: PathBuf,
    plans: Vec<ColumnPlan>,
    schema: SchemaRef,
    writer: ArrowWriter<SegmentSink<'a>>,
    failure: Failure,
    group: Group,
    row_groups: Vec<RowGroupMeta>,
}

#[derive(Default)]
struct Group {
    rows: usize,
    bytes: usize,
    time: Option<TimeRange>,
    stats: Option<BTreeMap<String, ColumnStats>>,
}

impl<'a> SegmentWriter<'a> {
    /// Starts a file whose columns lie as `plans` say.
    pub(super) fn create(
        disk: &'a dyn Disk,
        dirs: &DataDir,
        target: NewSegment,
        plans: Vec<ColumnPlan>,
    ) -> Result<Self> {
        let id = SegmentId::generate();
        make_dirs(disk, dirs.root(), &dirs.day_dir(target.day))?;
        let sink = SegmentSink::create(disk, dirs)?;
        let shape = Shape::of_plans(target.table, &plans);
        let schema = shape.file_schema();
        let name = (id, target.time);
        let form = (target.sizes, target.effort);
        let properties = writer_properties(target.table, name, (&shape, &plans), form);
        let properties = properties.map_err(write_error)?;
        // Without Arrow's own schema in the footer: readers must see plain text columns, not our dictionaries.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let failure = Arc::clone(&sink.failure);
        let writer = ArrowWriter::try_new_with_options(sink, Arc::clone(&schema), options)
            .map_err(write_error)?;
        Ok(Self {
            target,
            id,
            path: dirs.segment_file(target.table.id, target.day, id),
            plans,
            schema,
            writer,
            failure,
            group: Group::default(),
            row_groups: Vec::new(),
        })
    }

    /// Writes rows that come after everything pushed before; among themselves they may be in any order. A row takes
    /// about `row_bytes` of memory (slices of batches do not tell).
    pub(crate) fn push(&mut self, batches: &[RecordBatch], row_bytes: usize) -> Result<()> {
        let choice = Choice::Made(&self.plans);
        let rows = PreparedRows::new(self.target.table, batches, choice, row_bytes)?;
        for run in &rows.sorted.days {
            invariants::st3_one_day(self.id, self.target.day, run.day, run.day)?;
            self.push_run(&rows, *run)?;
        }
        Ok(())
    }

    fn push_run(&mut self, rows: &PreparedRows, run: DayRun) -> Result<()> {
        let end = run.start.saturating_add(run.rows);
        let mut left = rows.sorted.order.get(run.start..end).unwrap_or_default();
        let sizes = self.target.sizes;
        let mut stats = StatsBuilder::new(self.target.table, &rows.columns);
        while !left.is_empty() {
            let room = sizes.row_group_rows.saturating_sub(self.group.rows).max(1);
            let (now, later) = left.split_at(room.min(rows.slice_rows).min(left.len()));
            self.add(rows, now, &mut stats)?;
            left = later;
            let full = self.group.rows >= sizes.row_group_rows
                || self.group.bytes >= sizes.row_group_bytes;
            if full || left.is_empty() {
                let next = StatsBuilder::new(self.target.table, &rows.columns);
                self.group
                    .cover(std::mem::replace(&mut stats, next).finish(&rows.columns));
            }
            if full {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        rows: &PreparedRows,
        locations: &[Location],
        stats: &mut StatsBuilder,
    ) -> Result<()> {
        let arrays = rows.gather(locations)?;
        stats.add(&rows.columns, locations, &arrays)?;
        self.group.bytes += arrays.iter().map(gathered_bytes).sum::<usize>();
        if let Some(time) = time_range(&arrays)? {
            self.group.time = Some(self.group.time.map_or(time, |all| all.union(time)));
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays).map_err(|source| {
            Error::Arrow {
                what: "assembling the rows of a segment",
                source,
            }
        })?;
        self.group.rows += batch.num_rows();
        let written = self.writer.write(&batch);
        self.checked(written)
    }

    fn end_group(&mut self) -> Result<()> {
        let flushed = self.writer.flush();
        self.checked(flushed)?;
        let group = std::mem::take(&mut self.group);
        let Some(time) = group.time else {
            return Ok(());
        };
        self.row_groups.push(RowGroupMeta {
            rows: u64::try_from(group.rows).unwrap_or_default(),
            time,
            columns: group.stats.unwrap_or_default(),
        });
        Ok(())
    }

    /// Makes the file durable under its name.
    pub(crate) fn finish(mut self) -> Result<SegmentMeta> {
        self.end_group()?;
        let (target, failure, row_groups) = (self.target, self.failure, self.row_groups);
        let times = row_groups.iter().map(|group| group.time);
        let time = times.reduce(TimeRange::union);
        if time != Some(target.time) {
            return Err(Error::Internal {
                what: format!("rows of {time:?} in a segment of {:?}", target.time),
            });
        }
        let sink = self.writer.into_inner();
        let sink = sink.map_err(|error| cause(&failure, error))?;
        let (file_bytes, block_checksums) = sink.commit(&self.path)?;
        let mut groups = row_groups.iter();
        let first = groups
            .next()
            .map(|group| group.columns.clone())
            .unwrap_or_default();
        Ok(SegmentMeta {
            id: self.id,
            table: target.table.id,
            format: SEGMENT_FORMAT,
            level: target.level,
            day: target.day,
            rows: row_groups.iter().map(|group| group.rows).sum(),
            file_bytes,
            time: target.time,
            first_seq: target.seqs.0,
            last_seq: target.seqs.1,
            created_at: target.created_at,
            columns: groups.fold(first, |all, group| union(&all, &group.columns)),
            row_groups,
            block_checksums,
        })
    }

    fn checked(&self, result: std::result::Result<(), ParquetError>) -> Result<()> {
        result.map_err(|error| cause(&self.failure, error))
    }
}

impl Group {
    /// Takes the statistics of more rows in.
    fn cover(&mut self, more: BTreeMap<String, ColumnStats>) {
        self.stats = Some(match self.stats.take() {
            None => more,
            Some(stats) => union(&stats, &more),
        });
    }
}

/// The disk's own error instead of what the Parquet writer makes of it.
fn cause(failure: &Failure, error: ParquetError) -> Error {
    failure.lock().take().unwrap_or_else(|| write_error(error))
}

fn gathered_bytes(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or_default()
}

fn time_range(arrays: &[ArrayRef]) -> Result<Option<TimeRange>> {
    let Some(first) = arrays.first() else {
        return Ok(None);
    };
    let times = super::gather::primitive::<arrow::datatypes::TimestampNanosecondType>(first)?;
    let values = times.values().iter();
    let bounds = values.clone().min().zip(values.max());
    Ok(bounds.map(|(min, max)| TimeRange {
        min: Nanos(*min),
        max: Nanos(*max),
    }))
}

fn write_error(source: ParquetError) -> Error {
    Error::Parquet {
        what: "writing a segment".to_owned(),
        source,
    }
}

/// The first error of the disk, which the Parquet writer would turn into text.
type Failure = Arc<Mutex<Option<Error>>>;

/// Where the Parquet writer's bytes go: a staged file, with a checksum per block on the way.
struct SegmentSink<'a> {
    file: StagedFile<'a>,
    checksums: BlockChecksums,
    unsynced_bytes: u64,
    failure: Failure,
}

impl<'a> SegmentSink<'a> {
    fn create(disk: &'a dyn Disk, dirs: &DataDir) -> Result<Self> {
        Ok(Self {
            file: StagedFile::create(disk, dirs)?,
            checksums: BlockChecksums::default(),
            unsynced_bytes: 0,
            failure: Failure::default(),
        })
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.append(bytes)?;
        self.checksums.update(bytes);
        self.unsynced_bytes += u64::try_from(bytes.len()).unwrap_or_default();
        if self.unsynced_bytes >= SYNC_BYTES {
            self.file.sync()?;
            self.unsynced_bytes = 0;
        }
        Ok(())
    }

    fn commit(self, path: &std::path::Path) -> Result<(u64, Vec<u32>)> {
        let bytes = self.file.written_bytes();
        self.file.commit(path)?;
        Ok((bytes, self.checksums.finish()))
    }
}

impl io::Write for SegmentSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(bytes).map_err(|error| {
            let text = error.to_string();
            *self.failure.lock() = Some(error);
            io::Error::other(text)
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
