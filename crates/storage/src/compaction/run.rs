//! Merges segments into a new file. Publishes nothing: dropping the result deletes the file.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::merge::{Inputs, Piece};
use crate::error::{Error, Result};
use crate::ids::WalSeq;
use crate::invariants;
use crate::io::Disk;
use crate::names::DataDir;
use crate::schema::TableDef;
use crate::segment::{self, Effort, LiveSegment, NewSegment, SegmentMeta, SegmentSizes};
use crate::time::{Nanos, TimeRange};

/// Rows that are gathered and written together.
const PIECE_ROWS: usize = 8_192;

/// Memory of such rows at most, roughly.
const PIECE_BYTES: usize = 8 << 20;

/// What to merge into what.
#[derive(Debug)]
pub(crate) struct MergeJob<'a> {
    /// Of one table and day.
    pub(crate) inputs: &'a [Arc<LiveSegment>],
    /// Level of the outcome.
    pub(crate) level: u8,
    /// Whether the outcome is sealed: written as small as is reasonable.
    pub(crate) effort: Effort,
    /// Now.
    pub(crate) created_at: Nanos,
}

/// A file that is complete and durable but that nobody knows of.
#[derive(Debug)]
pub(crate) struct Merged {
    meta: Option<SegmentMeta>,
    disk: Arc<dyn Disk>,
    dirs: DataDir,
}

impl Merged {
    pub(crate) fn meta(&self) -> Option<&SegmentMeta> {
        self.meta.as_ref()
    }

    /// Keeps the file: from now on the manifest decides about it.
    pub(crate) fn keep(mut self) -> Option<SegmentMeta> {
        self.meta.take()
    }
}

impl Drop for Merged {
    fn drop(&mut self) {
        segment::discard(self.disk.as_ref(), &self.dirs, self.meta.as_slice());
    }
}

/// Merges, or gives up without a trace as soon as `stop` is set (then there is no outcome).
pub(crate) fn run(
    job: &MergeJob<'_>,
    disk: &Arc<dyn Disk>,
    dirs: &DataDir,
    stop: &AtomicBool,
) -> Result<Option<Merged>> {
    let target = target(job)?;
    let mut inputs = Inputs::new(target.table, job.inputs);
    let mut writer = segment::start_merged(disk.as_ref(), dirs, target, job.inputs)?;
    let mut more = true;
    while more {
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let mut piece = Piece::default();
        while more && piece.rows < PIECE_ROWS && piece.bytes < PIECE_BYTES {
            more = inputs.read(&mut piece)?;
        }
        writer.push(&piece.batches, piece.row_bytes())?;
    }
    let merged = Merged {
        meta: Some(writer.finish()?),
        disk: Arc::clone(disk),
        dirs: dirs.clone(),
    };
    let rows = |meta: &SegmentMeta| meta.rows;
    let before = job.inputs.iter().map(|input| rows(input.meta())).sum();
    let after = merged.meta.iter().map(rows).sum();
    invariants::st4_merge_keeps_rows(before, after)?;
    Ok(Some(merged))
}

fn target(job: &MergeJob<'_>) -> Result<NewSegment> {
    let metas = || job.inputs.iter().map(|segment| segment.meta());
    let (Some(first), Some(time)) = (
        metas().next(),
        metas().map(|meta| meta.time).reduce(TimeRange::union),
    ) else {
        return Err(Error::Internal {
            what: "a merge of nothing".to_owned(),
        });
    };
    let first_seq = metas().map(|meta| meta.first_seq).min();
    let last_seq = metas().map(|meta| meta.last_seq).max();
    Ok(NewSegment {
        table: TableDef::of(first.table),
        day: first.day,
        time,
        seqs: (
            first_seq.unwrap_or(WalSeq(0)),
            last_seq.unwrap_or(WalSeq(0)),
        ),
        level: job.level,
        effort: job.effort,
        created_at: job.created_at,
        sizes: SegmentSizes::default(),
    })
}
