//! Footers of segment files: parsed once, kept in a cache bounded by bytes, together with the open file.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use bytes::{Buf, Bytes};
use parking_lot::Mutex;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::bloom_filter::Sbbf;
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use rustc_hash::FxHashMap;

use super::file::SegmentFile;
use super::meta::SEGMENT_FORMAT;
use super::sets::SetExpander;
use super::shape::{ReadForm, Shape};
use crate::error::{Error, Result};
use crate::ids::SegmentId;
use crate::io::ReadFile;
use crate::schema::TableDef;

/// Bytes of parsed footers that are kept.
const FOOTER_CACHE_BYTES: u64 = 64 << 20;

/// Footers, and with them open files, that are kept.
const FOOTER_CACHE_COUNT: usize = 256;

/// Bytes that a page header read fetches at once.
const HEADER_READ_BYTES: usize = 4 * 1024;

/// A parsed footer and the open file it belongs to.
#[derive(Debug)]
pub(crate) struct Footer {
    bytes: SegmentBytes,
    shape: Shape,
    whole: ArrowReaderMetadata,
    look_up: ArrowReaderMetadata,
    size_bytes: u64,
}

/// The bytes of a segment as the Parquet reader wants them. Only verified bytes leave it.
#[derive(Debug, Clone)]
pub(crate) struct SegmentBytes {
    segment: Arc<SegmentFile>,
    file: Arc<dyn ReadFile>,
    /// What went wrong below the Parquet reader, which would make mere text of it.
    failure: Arc<Mutex<Option<Error>>>,
}

/// What to read of a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowsWanted<'a> {
    /// Root columns of the file; the first are those of the table.
    pub(crate) columns: &'a BTreeSet<usize>,
    /// In which form.
    pub(crate) form: ReadForm,
    /// Of which row group.
    pub(crate) row_group: usize,
    /// Which of its rows; none = all.
    pub(crate) mask: Option<&'a BooleanBuffer>,
    /// Rows of a batch at most.
    pub(crate) batch_rows: usize,
}

/// Decoded rows of a segment.
#[derive(Debug)]
pub(crate) struct RowsRead {
    rows: ParquetRecordBatchReader,
    bytes: SegmentBytes,
    sets: SetExpander,
}

impl Iterator for RowsRead {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Result<RecordBatch>> {
        let batch = match self.rows.next()? {
            Ok(batch) => self.sets.expand(batch),
            Err(error) => return Some(Err(self.bytes.explain(&error))),
        };
        let not_a_set = || {
            let what = "a text that should be a set of attributes is none".to_owned();
            self.bytes.segment.mark_damaged(what)
        };
        Some(batch.and_then(|batch| batch.ok_or_else(not_a_set)))
    }
}

impl SegmentBytes {
    fn new(segment: &Arc<SegmentFile>, file: &Arc<dyn ReadFile>) -> Self {
        Self {
            segment: Arc::clone(segment),
            file: Arc::clone(file),
            failure: Arc::default(),
        }
    }

    /// What a failed Parquet call means: an error of the disk that passed through, or else damage.
    fn explain(&self, error: &dyn std::error::Error) -> Error {
        let passed = self.failure.lock().take();
        passed.unwrap_or_else(|| {
            self.segment
                .mark_damaged(format!("it cannot be decoded: {error}"))
        })
    }
}

impl Footer {
    pub(super) fn read(segment: &Arc<SegmentFile>, file: &Arc<dyn ReadFile>) -> Result<Self> {
        let meta = segment.meta();
        if meta.format > SEGMENT_FORMAT {
            return Err(Error::Invalid(format!(
                "`{}` has format `{}`, which this release cannot read; use the release that wrote it",
                segment.path().display(),
                meta.format
            )));
        }
        let bytes = SegmentBytes::new(segment, file);
        let parsed = ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&bytes)
            .map_err(|error| bytes.explain(&error))?;
        check_row_groups(segment, &parsed)?;
        let parsed = Arc::new(parsed);
        let table = TableDef::of(meta.table);
        let schema = parsed.file_metadata().schema_descr();
        let shape = Shape::of_file(table, schema).ok_or_else(|| {
            segment.mark_damaged("it does not have the columns of its table".to_owned())
        })?;
        let read = |form| read_as(&shape, &parsed, form).map_err(|error| bytes.explain(&error));
        let (whole, look_up) = (read(ReadForm::Whole)?, read(ReadForm::LookUp)?);
        Ok(Self {
            bytes,
            shape,
            whole,
            look_up,
            size_bytes: u64::try_from(parsed.memory_size()).unwrap_or(u64::MAX),
        })
    }

    /// Parquet's own metadata.
    pub(crate) fn parquet(&self) -> &Arc<ParquetMetaData> {
        self.whole.metadata()
    }

    /// How the columns of the table lie in the file.
    pub(crate) fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Whether a row group may have one of the values in a root column without parts. Only columns with a filter can
    /// tell that it does not.
    pub(crate) fn may_have(
        &self,
        row_group: usize,
        root: usize,
        values: &[Vec<u8>],
    ) -> Result<bool> {
        let name = self.shape.name(root);
        let group = self.parquet().row_groups().get(row_group);
        let mut chunks = group.into_iter().flat_map(|group| group.columns());
        let Some(chunk) = chunks.find(|chunk| chunk.column_path().parts() == [name]) else {
            return Ok(true);
        };
        // A reader of its own, so that it gets its own failure.
        let bytes = SegmentBytes::new(&self.bytes.segment, &self.bytes.file);
        let filter = Sbbf::read_from_column_chunk(chunk, &bytes);
        let filter = filter.map_err(|error| bytes.explain(&error))?;
        let known = |filter: &Sbbf| values.iter().any(|value| filter.check(value.as_slice()));
        Ok(filter.as_ref().is_none_or(known))
    }

    /// Starts decoding rows.
    pub(crate) fn rows(&self, wanted: RowsWanted<'_>) -> Result<RowsRead> {
        // A reader of its own, so that it gets its own failure.
        let bytes = SegmentBytes::new(&self.bytes.segment, &self.bytes.file);
        let metadata = match wanted.form {
            ReadForm::Whole => self.whole.clone(),
            ReadForm::LookUp => self.look_up.clone(),
            // Asked for once in the life of a segment: not worth keeping.
            ReadForm::Rewrite => read_as(&self.shape, self.parquet(), wanted.form)
                .map_err(|error| bytes.explain(&error))?,
        };
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes.clone(), metadata);
        let columns = wanted.columns.iter().copied();
        let projection = ProjectionMask::roots(builder.parquet_schema(), columns);
        let mut builder = builder
            .with_projection(projection)
            .with_row_groups(vec![wanted.row_group])
            .with_batch_size(wanted.batch_rows);
        if let Some(mask) = wanted.mask {
            builder = builder.with_row_selection(RowSelection::from_boolean_buffer(mask.clone()));
        }
        let rows = builder.build().map_err(|error| bytes.explain(&error))?;
        Ok(RowsRead {
            rows,
            bytes,
            sets: SetExpander::new(self.shape.set_names()),
        })
    }
}

fn read_as(
    shape: &Shape,
    parsed: &Arc<ParquetMetaData>,
    form: ReadForm,
) -> Result<ArrowReaderMetadata, ParquetError> {
    let options = ArrowReaderOptions::new().with_schema(shape.reader_schema(form));
    ArrowReaderMetadata::try_new(Arc::clone(parsed), options)
}

/// The manifest and the footer must tell the same story, or row group numbers mean different things.
fn check_row_groups(segment: &SegmentFile, parsed: &ParquetMetaData) -> Result<()> {
    let expected: Vec<u64> = segment
        .meta()
        .row_groups
        .iter()
        .map(|group| group.rows)
        .collect();
    let found: Vec<u64> = parsed
        .row_groups()
        .iter()
        .map(|group| u64::try_from(group.num_rows()).unwrap_or_default())
        .collect();
    if expected == found {
        return Ok(());
    }
    Err(segment.mark_damaged("its footer has other row groups than the manifest".to_owned()))
}

impl Length for SegmentBytes {
    fn len(&self) -> u64 {
        self.segment.meta().file_bytes
    }
}

impl ChunkReader for SegmentBytes {
    type T = SegmentStream;

    fn get_read(&self, start: u64) -> parquet::errors::Result<SegmentStream> {
        Ok(SegmentStream {
            bytes: self.clone(),
            next: start,
            window: Bytes::new(),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        self.segment
            .read_verified(&*self.file, start, length)
            .map_err(|error| {
                let text = error.to_string();
                *self.failure.lock() = Some(error);
                ParquetError::General(text)
            })
    }
}

/// Reads on from a position, a small window at a time.
#[derive(Debug)]
pub(crate) struct SegmentStream {
    bytes: SegmentBytes,
    next: u64,
    window: Bytes,
}

impl Read for SegmentStream {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.window.is_empty() {
            let left = self.bytes.len().saturating_sub(self.next);
            let len = HEADER_READ_BYTES.min(usize::try_from(left).unwrap_or(usize::MAX));
            self.window = self
                .bytes
                .get_bytes(self.next, len)
                .map_err(std::io::Error::other)?;
            self.next = self
                .next
                .saturating_add(u64::try_from(len).unwrap_or_default());
        }
        let len = buffer.len().min(self.window.len());
        if let Some(target) = buffer.get_mut(..len) {
            self.window.copy_to_slice(target);
        }
        Ok(len)
    }
}

/// The most recently used footers.
#[derive(Debug, Default)]
pub(super) struct FooterCache {
    state: Mutex<CacheState>,
}

#[derive(Debug, Default)]
struct CacheState {
    entries: FxHashMap<SegmentId, (u64, Arc<Footer>)>,
    clock: u64,
    bytes: u64,
}

impl FooterCache {
    pub(super) fn used_bytes(&self) -> u64 {
        self.state.lock().bytes
    }

    /// The footer of `id`; read outside the lock when it is not there (two readers may both read it).
    pub(super) fn get_or_read(
        &self,
        id: SegmentId,
        read: impl FnOnce() -> Result<Footer>,
    ) -> Result<Arc<Footer>> {
        {
            let mut state = self.state.lock();
            state.clock += 1;
            let now = state.clock;
            if let Some((used, footer)) = state.entries.get_mut(&id) {
                *used = now;
                return Ok(Arc::clone(footer));
            }
        }
        let footer = Arc::new(read()?);
        let mut state = self.state.lock();
        let now = state.clock;
        state.bytes += footer.size_bytes;
        if let Some((_, old)) = state.entries.insert(id, (now, Arc::clone(&footer))) {
            state.bytes -= old.size_bytes;
        }
        while state.entries.len() > FOOTER_CACHE_COUNT
            || (state.bytes > FOOTER_CACHE_BYTES && state.entries.len() > 1)
        {
            let oldest = state.entries.iter().min_by_key(|(_, (used, _))| *used);
            let Some(oldest) = oldest.map(|(id, _)| *id) else {
                break;
            };
            if let Some((_, gone)) = state.entries.remove(&oldest) {
                state.bytes -= gone.size_bytes;
            }
        }
        Ok(footer)
    }

    pub(super) fn forget(&self, id: SegmentId) {
        let mut state = self.state.lock();
        if let Some((_, gone)) = state.entries.remove(&id) {
            state.bytes -= gone.size_bytes;
        }
    }
}
