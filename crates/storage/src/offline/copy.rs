//! A verified copy of a data directory, which is a data directory itself: backup and restore in one.
//!
//! Order makes it consistent beside a running server: first the WAL, then the manifest's state, then the segments it
//! names. A row is in the copied WAL, or was in a segment by then. A repeated copy takes only what is new.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::{dirs_of, open_manifest};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::SegmentId;
use crate::io::atomic::{self, StagedFile};
use crate::io::{Disk, acquire_lock};
use crate::manifest::{State, encode_checkpoint};
use crate::names::{DataDir, ManifestFile, WalFileName, parse_segment};
use crate::segment::{LiveSegment, SegmentAccess, SegmentMeta};

/// Bytes that are copied at once.
const PIECE_BYTES: u64 = 1 << 20;

/// How often segments that a running server merged away are looked up anew.
const ATTEMPTS: u32 = 8;

/// What was copied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// Segments of the copy.
    pub segment_count: u64,
    /// Those that were there already.
    pub kept_count: u64,
    /// Bytes that were written, or that would be.
    pub copied_bytes: u64,
    /// WAL files copied.
    pub wal_file_count: u64,
}

impl CopyReport {
    fn count(&mut self, meta: &SegmentMeta, copied: bool) {
        if copied {
            self.copied_bytes = self.copied_bytes.saturating_add(meta.file_bytes);
        } else {
            self.kept_count += 1;
        }
    }
}

/// How to copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Write nothing, only say what would be.
    pub dry_run: bool,
    /// The target must not hold a store yet.
    pub fresh: bool,
}

/// Makes `to` a copy of the data directory `from`. Every byte of a copied segment is compared with its checksum.
/// `progress` hears of every segment, and whether it had to be copied.
///
/// # Errors
/// When `from` cannot be read or is damaged, `to` cannot be written, or a server has `to` open.
pub fn copy_store(
    disk: &Arc<dyn Disk>,
    (from, to): (&Path, &Path),
    options: CopyOptions,
    progress: &mut dyn FnMut(&SegmentMeta, bool),
) -> Result<CopyReport> {
    let (from, to) = (dirs_of(from), dirs_of(to));
    if from.root() == to.root() {
        return Err(Error::Invalid("a copy needs another directory".to_owned()));
    }
    let job = CopyJob {
        disk,
        from: &from,
        to: &to,
        dry_run: options.dry_run,
        fresh: options.fresh,
    };
    job.check_target()?;
    let mut report = CopyReport::default();
    let lock = if options.dry_run {
        None
    } else {
        Some(job.prepare()?)
    };
    let wal_files = job.copy_wal(&mut report)?;
    let state = job.copy_segments(&mut report, progress)?;
    if !options.dry_run {
        job.finish(&state, &wal_files)?;
    }
    drop(lock);
    Ok(report)
}

struct CopyJob<'a> {
    disk: &'a Arc<dyn Disk>,
    from: &'a DataDir,
    to: &'a DataDir,
    dry_run: bool,
    /// A restored directory is no copy that may be replaced.
    fresh: bool,
}

impl CopyJob<'_> {
    /// What is in the target is removed in the end unless it is part of the copy: it must not be something else.
    fn check_target(&self) -> Result<()> {
        let (_, source) = open_manifest(self.disk, self.from)?;
        let Ok((_, target)) = open_manifest(self.disk, self.to) else {
            return Ok(());
        };
        let refuse = |why: &str| {
            let to = self.to.root().display();
            Err(Error::Invalid(format!("`{to}` {why}")))
        };
        if self.fresh {
            return refuse("holds a store already; name an empty directory");
        }
        let marked = self.disk.open(&self.to.copy_marker()).is_ok();
        if !marked || target.version > source.version {
            return refuse("holds no earlier copy of this store; name another directory");
        }
        Ok(())
    }

    fn prepare(&self) -> Result<Box<dyn crate::io::LockGuard>> {
        let disk = self.disk.as_ref();
        atomic::make_root(disk, self.to.root())?;
        let lock = acquire_lock(disk, &self.to.lock_file(), self.to.root(), 0)?;
        for dir in [
            self.to.tmp_dir(),
            self.to.quarantine_dir(),
            self.to.wal_dir(),
            self.to.manifest_dir(),
            self.to.segments_dir(),
        ] {
            atomic::make_dirs(disk, self.to.root(), &dir)?;
        }
        let marker = self.to.copy_marker();
        if !self.fresh && disk.open(&marker).is_err() {
            atomic::write_file(disk, self.to, &marker, b"a copy made by `cairn backup`\n")?;
        }
        Ok(lock)
    }

    /// Copies the WAL as it is now; returns the names.
    fn copy_wal(&self, report: &mut CopyReport) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for entry in self.disk.list(&self.from.wal_dir())? {
            if WalFileName::parse(&entry.name).is_none() {
                continue;
            }
            let source = self.from.wal_dir().join(&entry.name);
            let file = match self.disk.open(&source) {
                Ok(file) => file,
                // Released meanwhile: its rows are in segments.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            report.wal_file_count += 1;
            report.copied_bytes = report.copied_bytes.saturating_add(file.size_bytes());
            names.insert(entry.name.clone());
            if !self.dry_run {
                // It may have grown since an earlier copy.
                self.copy_file(file.as_ref(), &self.to.wal_dir().join(&entry.name))?;
            }
        }
        Ok(names)
    }

    fn copy_segments(
        &self,
        report: &mut CopyReport,
        progress: &mut dyn FnMut(&SegmentMeta, bool),
    ) -> Result<Arc<State>> {
        let access = SegmentAccess::new(Arc::clone(self.disk));
        let mut done: BTreeSet<SegmentId> = BTreeSet::new();
        let mut attempt = 0;
        'state: loop {
            let (_, state) = open_manifest(self.disk, self.from)?;
            for meta in state.segments.values() {
                if done.contains(&meta.id) {
                    continue;
                }
                match self.copy_segment(meta, &access) {
                    Ok(copied) => {
                        done.insert(meta.id);
                        report.count(meta, copied);
                        progress(meta, copied);
                    }
                    // A running server has merged or dropped it: start from what there is now.
                    Err(error) if error.kind() == ErrorKind::NotFound && attempt < ATTEMPTS => {
                        attempt += 1;
                        continue 'state;
                    }
                    Err(error) => return Err(error),
                }
            }
            report.segment_count = u64::try_from(state.segments.len()).unwrap_or(u64::MAX);
            return Ok(state);
        }
    }

    /// Copies a segment unless it is there; says whether it did.
    fn copy_segment(&self, meta: &SegmentMeta, access: &Arc<SegmentAccess>) -> Result<bool> {
        let source = self.from.segment_file(meta.table, meta.day, meta.id);
        let target = self.to.segment_file(meta.table, meta.day, meta.id);
        let there = LiveSegment::open(meta.clone(), target.clone(), access);
        if there.verify().is_ok() {
            return Ok(false);
        }
        LiveSegment::open(meta.clone(), source.clone(), access).verify()?;
        if self.dry_run {
            return Ok(true);
        }
        let day_dir = self.to.day_dir(meta.day);
        atomic::make_dirs(self.disk.as_ref(), self.to.root(), &day_dir)?;
        self.copy_file(self.disk.open(&source)?.as_ref(), &target)?;
        LiveSegment::open(meta.clone(), target, access).verify()?;
        Ok(true)
    }

    fn copy_file(&self, source: &dyn crate::io::ReadFile, target: &Path) -> Result<()> {
        let mut staged = StagedFile::create(self.disk.as_ref(), self.to)?;
        let size = source.size_bytes();
        while staged.written_bytes() < size {
            let at = staged.written_bytes();
            let len = PIECE_BYTES.min(size.saturating_sub(at));
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            staged.append(&source.read_at(at, len)?)?;
        }
        staged.commit(target)
    }

    /// Makes the copy what `state` says, then removes what is not part of it any more.
    fn finish(&self, state: &State, wal_files: &BTreeSet<String>) -> Result<()> {
        let disk = self.disk.as_ref();
        let checkpoint = ManifestFile::Checkpoint(state.version);
        let bytes = encode_checkpoint(state).map_err(|what| Error::Internal { what })?;
        let target = self.to.manifest_file(checkpoint);
        atomic::write_file(disk, self.to, &target, &bytes)?;
        for entry in disk.list(&self.to.manifest_dir())? {
            let other = ManifestFile::parse(&entry.name).is_some_and(|file| file != checkpoint);
            if other {
                disk.remove(&self.to.manifest_dir().join(&entry.name))?;
            }
        }
        for entry in disk.list(&self.to.wal_dir())? {
            let old = WalFileName::parse(&entry.name).is_some();
            if old && !wal_files.contains(&entry.name) {
                disk.remove(&self.to.wal_dir().join(&entry.name))?;
            }
        }
        for day in disk.list_dirs(&self.to.segments_dir())? {
            let day_dir = self.to.segments_dir().join(&day);
            for entry in disk.list(&day_dir)? {
                let gone = parse_segment(&entry.name)
                    .is_some_and(|(_, id)| !state.segments.contains_key(&id));
                if gone {
                    disk.remove(&day_dir.join(&entry.name))?;
                }
            }
        }
        Ok(())
    }
}
