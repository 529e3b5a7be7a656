//! Reads every block of every segment and compares its checksum; takes damaged segments out when asked to.

use std::path::Path;
use std::sync::Arc;

use super::{dirs_of, open_manifest};
use crate::error::{Error, Result};
use crate::ids::{SegmentId, TableId};
use crate::io::{Disk, acquire_lock, atomic};
use crate::manifest::{Edit, QuarantinedSegment};
use crate::segment::{LiveSegment, SegmentAccess, SegmentMeta};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Segments that were read.
    pub segment_count: u64,
    /// Their rows.
    pub row_count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments that are not as they were written.
    pub damaged: Vec<DamagedSegment>,
    /// Whether these were taken out of the store and moved to quarantine.
    pub repaired: bool,
}

/// A segment that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedSegment {
    /// Its name.
    pub id: SegmentId,
    /// Whose rows it holds.
    pub table: TableId,
    /// How many.
    pub row_count: u64,
    /// What is wrong.
    pub what: String,
}

/// Verifies all segments of `data_dir`; with `repair`, takes damaged ones out. `progress` hears of every segment.
///
/// # Errors
/// When it is no data directory, cannot be read, or, with `repair`, when a server has it open.
pub fn check(
    disk: &Arc<dyn Disk>,
    data_dir: &Path,
    repair: bool,
    progress: &mut dyn FnMut(&SegmentMeta, Option<&str>),
) -> Result<CheckReport> {
    let dirs = dirs_of(data_dir);
    let lock = if repair {
        Some(acquire_lock(
            disk.as_ref(),
            &dirs.lock_file(),
            dirs.root(),
            0,
        )?)
    } else {
        None
    };
    let (manifest, state) = open_manifest(disk, &dirs)?;
    let access = SegmentAccess::new(Arc::clone(disk));
    let mut report = CheckReport::default();
    for meta in state.segments.values() {
        let path = dirs.segment_file(meta.table, meta.day, meta.id);
        let segment = LiveSegment::open(SegmentMeta::clone(meta), path, &access);
        let what = segment.verify().err().map(|error| error.to_string());
        // A running server may have merged or dropped it since.
        if what.is_some()
            && lock.is_none()
            && !open_manifest(disk, &dirs)?
                .1
                .segments
                .contains_key(&meta.id)
        {
            continue;
        }
        progress(meta, what.as_deref());
        report.segment_count += 1;
        report.row_count = report.row_count.saturating_add(meta.rows);
        report.bytes = report.bytes.saturating_add(meta.file_bytes);
        report.damaged.extend(what.map(|what| DamagedSegment {
            id: meta.id,
            table: meta.table,
            row_count: meta.rows,
            what,
        }));
    }
    if repair && !report.damaged.is_empty() {
        let quarantined = report.damaged.iter().map(|damaged| QuarantinedSegment {
            id: damaged.id,
            table: damaged.table,
            rows: damaged.row_count,
            why: damaged.what.clone(),
        });
        manifest.publish(&Edit {
            quarantined: quarantined.collect(),
            ..Edit::default()
        })?;
        for damaged in &report.damaged {
            if let Some(meta) = state.segments.get(&damaged.id) {
                let path = dirs.segment_file(meta.table, meta.day, meta.id);
                let name = path.file_name().unwrap_or_default();
                match atomic::move_file(disk.as_ref(), &path, &dirs.quarantine_dir().join(name)) {
                    // A missing file is damage too, and there is nothing to move.
                    Err(Error::Io { .. }) | Ok(()) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        report.repaired = true;
    }
    Ok(report)
}
