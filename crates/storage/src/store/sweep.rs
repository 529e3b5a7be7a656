//! Tidies a data directory before anything is read: leftovers go, files that the manifest misses are found.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::ids::SegmentId;
use crate::invariants;
use crate::io::{Disk, atomic};
use crate::manifest::{Recovery, State};
use crate::names::{self, DataDir};

/// Removes temporary files and files of segments that are not part of the store, except those in `kept`, and returns
/// the segments whose file is missing or short, with what is wrong.
///
/// Files that a lost manifest edit may have added, or that left the store as damaged, are moved to quarantine.
pub(super) fn sweep(
    disk: &dyn Disk,
    dirs: &DataDir,
    recovery: &Recovery,
    kept: &BTreeSet<SegmentId>,
) -> Result<BTreeMap<SegmentId, String>> {
    for entry in disk.list(&dirs.tmp_dir())? {
        disk.remove(&dirs.tmp_dir().join(&entry.name)).ok();
    }
    let state = &recovery.state;
    let quarantined: BTreeSet<SegmentId> = state.quarantined.iter().map(|s| s.id).collect();
    let keep_orphans = recovery.report.lost_edit_count > 0;
    let mut found: BTreeMap<SegmentId, u64> = BTreeMap::new();
    for day in disk.list_dirs(&dirs.segments_dir())? {
        if !names::is_day_dir(&day) {
            continue;
        }
        let day_dir = dirs.segments_dir().join(&day);
        for entry in disk.list(&day_dir)? {
            let Some((_, id)) = names::parse_segment(&entry.name) else {
                continue;
            };
            if state.segments.contains_key(&id) {
                found.insert(id, entry.size_bytes);
                continue;
            }
            if kept.contains(&id) {
                continue;
            }
            let path = day_dir.join(&entry.name);
            let cleared = if keep_orphans || quarantined.contains(&id) {
                tracing::warn!(path = %path.display(), "moved an unknown segment to quarantine");
                atomic::move_file(disk, &path, &dirs.quarantine_dir().join(&entry.name))
            } else {
                tracing::info!(path = %path.display(), "removed a segment that is not part of the store");
                disk.remove(&path)
            };
            if let Err(error) = cleared {
                tracing::warn!(path = %path.display(), %error, "cannot clear a leftover segment");
            }
        }
    }
    Ok(incomplete(state, &found))
}

fn incomplete(state: &State, found: &BTreeMap<SegmentId, u64>) -> BTreeMap<SegmentId, String> {
    let complete =
        |id: SegmentId, bytes| invariants::st2_file_is_complete(id, bytes, found.get(&id).copied());
    state
        .segments
        .values()
        .filter_map(|meta| {
            let error = complete(meta.id, meta.file_bytes).err()?;
            Some((meta.id, error.to_string()))
        })
        .collect()
}
