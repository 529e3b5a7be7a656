//! From the batches of a memtable to segment files: sort, cut into days, gather slice by slice, encode, checksum.
//!
//! Publishes nothing: the files are complete and durable, but no manifest names them yet.

use std::io;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::datatypes::SchemaRef;
use parking_lot::Mutex;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use super::checksum::BlockChecksums;
use super::columns::FlushColumn;
use super::gather::Location;
use super::layout::{PAGE_ROWS, SegmentSizes, writer_properties};
use super::meta::{RowGroupMeta, SEGMENT_FORMAT, SegmentMeta};
use super::shape::Shape;
use super::sort::{DayRun, SortedRows, sort_rows};
use super::statistics::{StatsBuilder, union};
use crate::error::{Error, Result};
use crate::ids::{SegmentId, TableId, WalSeq};
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
    let columns: Vec<FlushColumn> = table
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            FlushColumn::prepare(column, index, source.batches, source.sizes.promote)
        })
        .collect::<Result<_>>()?;
    let cluster = table
        .index_of(table.cluster_column)
        .and_then(|index| columns.get(index))
        .and_then(FlushColumn::as_label);
    let sorted = sort_rows(table, source.batches, cluster)?;
    let mut metas = Vec::with_capacity(sorted.days.len());
    for run in &sorted.days {
        let job = DayJob {
            disk,
            dirs,
            table,
            source,
            columns: &columns,
            slice_rows: slice_rows(source.batches),
        };
        match job.write(&sorted, *run) {
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

fn slice_rows(batches: &[RecordBatch]) -> usize {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let row_bytes = bytes.checked_div(rows).unwrap_or_default().max(1);
    (SLICE_BYTES / row_bytes).clamp(1, PAGE_ROWS)
}

struct DayJob<'a> {
    disk: &'a dyn Disk,
    dirs: &'a DataDir,
    table: &'static TableDef,
    source: FlushSource<'a>,
    columns: &'a [FlushColumn],
    slice_rows: usize,
}

impl DayJob<'_> {
    fn write(&self, sorted: &SortedRows, run: DayRun) -> Result<SegmentMeta> {
        let id = SegmentId::generate();
        let path = self.dirs.segment_file(self.table.id, run.day, id);
        make_dirs(self.disk, self.dirs.root(), &self.dirs.day_dir(run.day))?;
        let sink = SegmentSink::create(self.disk, self.dirs)?;
        let mut file = SegmentFile::start(self, (id, run.time), sink)?;
        let rows = sorted
            .order
            .get(run.start..run.start.saturating_add(run.rows));
        for slice in rows.unwrap_or_default().chunks(self.slice_rows) {
            file.push(slice)?;
        }
        let (row_groups, sink) = file.finish()?;
        let (file_bytes, block_checksums) = sink.commit(&path)?;
        let mut groups = row_groups.iter();
        let first = groups
            .next()
            .map(|group| group.columns.clone())
            .unwrap_or_default();
        Ok(SegmentMeta {
            id,
            table: self.table.id,
            format: SEGMENT_FORMAT,
            level: 0,
            day: run.day,
            rows: row_groups.iter().map(|group| group.rows).sum(),
            file_bytes,
            time: run.time,
            first_seq: self.source.seqs.0,
            last_seq: self.source.seqs.1,
            created_at: self.source.created_at,
            columns: groups.fold(first, |all, group| union(&all, &group.columns)),
            row_groups,
            block_checksums,
        })
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

/// A segment file being written, row group by row group.
struct SegmentFile<'a> {
    job: &'a DayJob<'a>,
    schema: SchemaRef,
    writer: ArrowWriter<SegmentSink<'a>>,
    failure: Failure,
    group: Group,
    row_groups: Vec<RowGroupMeta>,
}

struct Group {
    rows: usize,
    bytes: usize,
    time: Option<TimeRange>,
    stats: StatsBuilder,
}

impl Group {
    fn new(job: &DayJob<'_>) -> Self {
        Self {
            rows: 0,
            bytes: 0,
            time: None,
            stats: StatsBuilder::new(job.table, job.columns),
        }
    }
}

impl<'a> SegmentFile<'a> {
    fn start(
        job: &'a DayJob<'a>,
        name: (SegmentId, TimeRange),
        sink: SegmentSink<'a>,
    ) -> Result<Self> {
        let shape = Shape::of_flush(job.table, job.columns);
        let schema = shape.file_schema();
        let columns = (&shape, job.columns);
        let properties = writer_properties(job.table, name, columns, job.source.sizes);
        let properties = properties.map_err(write_error)?;
        // Without Arrow's own schema in the footer: readers must see plain text columns, not our dictionaries.
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_skip_arrow_metadata(true);
        let failure = Arc::clone(&sink.failure);
        let writer = ArrowWriter::try_new_with_options(sink, Arc::clone(&schema), options)
            .map_err(write_error)?;
        Ok(Self {
            job,
            schema,
            writer,
            failure,
            group: Group::new(job),
            row_groups: Vec::new(),
        })
    }

    fn push(&mut self, mut rows: &[Location]) -> Result<()> {
        let sizes = self.job.source.sizes;
        while !rows.is_empty() {
            let room = sizes.row_group_rows.saturating_sub(self.group.rows).max(1);
            let (now, later) = rows.split_at(room.min(rows.len()));
            self.add(now)?;
            rows = later;
            if self.group.rows >= sizes.row_group_rows || self.group.bytes >= sizes.row_group_bytes
            {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn add(&mut self, rows: &[Location]) -> Result<()> {
        let arrays = self.job.gather(rows)?;
        self.group.stats.add(self.job.columns, rows, &arrays)?;
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
        let group = std::mem::replace(&mut self.group, Group::new(self.job));
        let Some(time) = group.time else {
            return Ok(());
        };
        self.row_groups.push(RowGroupMeta {
            rows: u64::try_from(group.rows).unwrap_or_default(),
            time,
            columns: group.stats.finish(self.job.columns),
        });
        Ok(())
    }

    fn finish(mut self) -> Result<(Vec<RowGroupMeta>, SegmentSink<'a>)> {
        self.end_group()?;
        let failure = Arc::clone(&self.failure);
        let sink = self
            .writer
            .into_inner()
            .map_err(|error| cause(&failure, error))?;
        Ok((self.row_groups, sink))
    }

    fn checked(&self, result: std::result::Result<(), ParquetError>) -> Result<()> {
        result.map_err(|error| cause(&self.failure, error))
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
