//! Writes a sealed memtable to segment files. Publishes nothing: dropping the result deletes the files.

use std::sync::Arc;

use crate::error::Result;
use crate::io::Disk;
use crate::memtable::SealedMemtable;
use crate::names::DataDir;
use crate::segment::{self, FlushSource, PromoteLimits, SegmentMeta, SegmentSizes};
use crate::time::Nanos;

/// Files that are complete and durable but that nobody knows of.
#[derive(Debug)]
pub(crate) struct Flushed {
    metas: Vec<SegmentMeta>,
    disk: Arc<dyn Disk>,
    dirs: DataDir,
}

impl Flushed {
    /// Keeps the files: from now on the manifest decides about them.
    pub(crate) fn keep(mut self) -> Vec<SegmentMeta> {
        std::mem::take(&mut self.metas)
    }
}

impl Drop for Flushed {
    fn drop(&mut self) {
        segment::discard(self.disk.as_ref(), &self.dirs, &self.metas);
    }
}

/// Sorts and writes `sealed`, one segment per UTC day.
pub(crate) fn run(
    sealed: &SealedMemtable,
    disk: &Arc<dyn Disk>,
    dirs: &DataDir,
    (now, promote): (Nanos, PromoteLimits),
) -> Result<Flushed> {
    let source = FlushSource {
        table: sealed.table(),
        batches: sealed.batches(),
        seqs: sealed.seqs(),
        created_at: now,
        sizes: SegmentSizes {
            promote,
            ..SegmentSizes::default()
        },
    };
    Ok(Flushed {
        metas: segment::write_sorted(disk.as_ref(), dirs, source)?,
        disk: Arc::clone(disk),
        dirs: dirs.clone(),
    })
}
