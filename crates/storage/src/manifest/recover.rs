//! Finds the newest state: the newest valid checkpoint, then every edit that follows it. A damaged file is kept in
//! quarantine and its edit taken from its successor's copy; what cannot be restored is reported, never fatal.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::file::{self, EditFile, VersionedEdit};
use super::state::State;
use crate::error::{Error, Result};
use crate::ids::{SegmentId, Version};
use crate::io::{Disk, atomic};
use crate::limits;
use crate::names::{DataDir, ManifestFile};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recovery {
    pub(crate) state: State,
    /// The last edit that was applied, for the next file to repeat.
    pub(super) previous: Option<VersionedEdit>,
    /// Number of the newest file, valid or not.
    pub(super) newest: Version,
    pub(super) last_checkpoint: Version,
    pub(super) bytes: u64,
    pub(crate) report: RecoveryReport,
}

/// What could not be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RecoveryReport {
    /// Files that are damaged; copies are in quarantine.
    pub(crate) damaged_file_count: u64,
    /// Damaged or missing edits that no other file could replace: what they added may be orphaned.
    pub(crate) lost_edit_count: u64,
}

pub(super) fn recover(disk: &dyn Disk, dirs: &DataDir) -> Result<Recovery> {
    let mut recovery = Recovery::default();
    let mut edit_versions = Vec::new();
    let mut checkpoint_versions = Vec::new();
    for entry in disk.list(&dirs.manifest_dir())? {
        let Some(name) = ManifestFile::parse(&entry.name) else {
            continue;
        };
        recovery.bytes = recovery.bytes.saturating_add(entry.size_bytes);
        recovery.newest = recovery.newest.max(name.version());
        match name {
            ManifestFile::Edit(version) => edit_versions.push(version),
            ManifestFile::Checkpoint(version) => checkpoint_versions.push(version),
        }
    }
    edit_versions.sort_unstable();
    checkpoint_versions.sort_unstable();
    for version in checkpoint_versions.into_iter().rev() {
        let name = ManifestFile::Checkpoint(version);
        match read(disk, dirs, name).and_then(|bytes| {
            file::decode_checkpoint(&bytes).map_err(|what| damaged(dirs, name, what))
        }) {
            Ok(state) => {
                recovery.last_checkpoint = version;
                recovery.state = state;
                break;
            }
            Err(error) => recovery.set_aside(disk, dirs, name, &error),
        }
    }
    let edits = recovery.read_edits(disk, dirs, &edit_versions);
    recovery.apply(edits);
    Ok(recovery)
}

impl Recovery {
    /// Segments that the newest edit removed. Should its file be lost, they are part of the store again: until another
    /// version repeats it, their files must stay.
    pub(crate) fn newest_removes(&self) -> BTreeSet<SegmentId> {
        let edit = self.previous.as_ref().map(|previous| &previous.edit);
        edit.map(|edit| edit.removes.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Every edit after the checkpoint, from its own file or from its successor's copy.
    fn read_edits(
        &mut self,
        disk: &dyn Disk,
        dirs: &DataDir,
        versions: &[Version],
    ) -> BTreeMap<Version, VersionedEdit> {
        let mut edits = BTreeMap::new();
        let mut copies = Vec::new();
        for version in versions {
            let name = ManifestFile::Edit(*version);
            let read = read(disk, dirs, name).and_then(|bytes| {
                EditFile::decode(&bytes).map_err(|what| damaged(dirs, name, what))
            });
            match read {
                Ok(file) => {
                    edits.insert(file.this.version, file.this);
                    copies.extend(file.previous);
                }
                // Below the checkpoint it is not needed any more.
                Err(_) if *version <= self.state.version => {}
                Err(error) => self.set_aside(disk, dirs, name, &error),
            }
        }
        for copy in copies {
            edits.entry(copy.version).or_insert(copy);
        }
        edits
    }

    fn apply(&mut self, edits: BTreeMap<Version, VersionedEdit>) {
        for (version, edit) in edits {
            if version <= self.state.version {
                self.previous = Some(edit);
                continue;
            }
            if edit.base != self.state.version {
                self.report.lost_edit_count += 1;
                tracing::error!(
                    base = %edit.base,
                    state = %self.state.version,
                    "manifest versions are missing: what they added may be missing from results"
                );
            }
            if let Err(error) = self.state.check(version, &edit.edit)
                && edit.base == self.state.version
            {
                self.report.lost_edit_count += 1;
                tracing::error!(%version, %error, "skipped a manifest edit that does not fit");
                continue;
            }
            self.state.apply(version, &edit.edit);
            self.previous = Some(edit);
        }
        // A damaged newest file: its edit was not repeated anywhere, but the WAL still has its rows.
        if self.newest > self.state.version {
            self.report.lost_edit_count += 1;
        }
    }

    fn set_aside(&mut self, disk: &dyn Disk, dirs: &DataDir, name: ManifestFile, error: &Error) {
        self.report.damaged_file_count += 1;
        tracing::error!(file = name.print(), %error, "a manifest file is damaged, kept in quarantine");
        let target = dirs
            .quarantine_dir()
            .join(format!("manifest-{}", name.print()));
        let kept = match disk.open(&target) {
            Ok(_) => Ok(()),
            Err(_) => read(disk, dirs, name)
                .and_then(|bytes| atomic::write_file(disk, dirs, &target, &bytes)),
        };
        if let Err(error) = kept {
            tracing::error!(file = name.print(), %error, "cannot keep the damaged manifest file");
        }
    }
}

fn read(disk: &dyn Disk, dirs: &DataDir, name: ManifestFile) -> Result<Bytes> {
    let file = disk.open(&dirs.manifest_file(name))?;
    let bytes = file.size_bytes();
    if bytes > limits::MAX_MANIFEST_FILE_BYTES {
        return Err(damaged(dirs, name, format!("{bytes} bytes are too many")));
    }
    file.read_at(0, usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn damaged(dirs: &DataDir, name: ManifestFile, what: String) -> Error {
    Error::Corrupt {
        path: dirs.manifest_file(name),
        what,
    }
}
