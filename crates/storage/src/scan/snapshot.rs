//! What exists at one moment: pinned segments and the chunks of memtables, for one reader.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;

use super::memtable_unit::Chunk;
use super::plan::ScanPlan;
use super::request::ScanRequest;
use crate::error::Result;
use crate::ids::TableId;
use crate::segment::{LiveSegment, SegmentMeta};
use crate::time::TimeRange;

/// An immutable set of rows: every acknowledged row exactly once. Cheap to clone; holding it keeps its files.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    segments: Arc<[Arc<LiveSegment>]>,
    chunks: Arc<BTreeMap<TableId, Vec<Chunk>>>,
}

impl Snapshot {
    /// The rows of `segments` and of the memtables' chunks (write-schema batches).
    #[must_use]
    pub fn new(
        segments: Arc<[Arc<LiveSegment>]>,
        memtables: Vec<(TableId, Vec<RecordBatch>)>,
    ) -> Self {
        let mut chunks: BTreeMap<TableId, Vec<Chunk>> = BTreeMap::new();
        for (table, batches) in memtables {
            let batches = batches.into_iter().filter(|batch| batch.num_rows() > 0);
            chunks
                .entry(table)
                .or_default()
                .extend(batches.map(Chunk::new));
        }
        Self {
            segments,
            chunks: Arc::new(chunks),
        }
    }

    /// What a scan has to read: pruned by what is known in memory, without any I/O.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] when the request does not fit the table.
    pub fn scan(&self, request: &ScanRequest) -> Result<ScanPlan> {
        let chunks = self
            .chunks
            .get(&request.table)
            .map_or(&[][..], Vec::as_slice);
        let segments = self.segments.iter();
        let segments = segments.filter(|segment| segment.meta().table == request.table);
        ScanPlan::new(request, segments, chunks)
    }

    /// Metadata of all segments.
    pub fn segments(&self) -> impl Iterator<Item = &SegmentMeta> {
        self.segments.iter().map(|segment| segment.meta())
    }

    /// Number of rows of a table.
    #[must_use]
    pub fn row_count(&self, table: TableId) -> u64 {
        let stored = self
            .segments()
            .filter(|meta| meta.table == table)
            .map(|meta| meta.rows);
        let chunks = self.chunks.get(&table).into_iter().flatten();
        stored.chain(chunks.map(Chunk::rows)).sum()
    }

    /// Time of the first and the last row of a table; none when it is empty.
    #[must_use]
    pub fn time_range(&self, table: TableId) -> Option<TimeRange> {
        let stored = self
            .segments()
            .filter(|meta| meta.table == table)
            .map(|meta| meta.time);
        let chunks = self.chunks.get(&table).into_iter().flatten();
        stored
            .chain(chunks.map(Chunk::time))
            .reduce(TimeRange::union)
    }
}
