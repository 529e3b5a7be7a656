//! Streams every record of the WAL, in order and once, to whoever rebuilds the memtables; reports what it could not use.
//!
//! Decides what damage means: a tail that nothing acknowledged can be missing from was torn by the crash and is cut;
//! anything else is rot, is kept in quarantine and reported.

use super::format::FileHeader;
use super::reader::{Damage, Entry, WalReader};
use crate::error::Result;
use crate::ids::WalSeq;
use crate::io::{Disk, atomic};
use crate::names::{DataDir, WalFileName};
use crate::record::RawRecord;

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplayReport {
    /// WAL files read.
    pub file_count: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Records handed on.
    pub record_count: u64,
    /// Records that were in segments already, or written twice.
    pub skipped_record_count: u64,
    /// Rows rebuilt.
    pub row_count: u64,
    /// Bytes of a record that was being written when the process died. Nothing acknowledged is missing.
    pub torn_bytes: u64,
    /// Damaged ranges.
    pub damaged_count: u64,
    /// Bytes in damaged ranges; they are kept in `quarantine/`.
    pub damaged_bytes: u64,
    /// Records that are intact but that no decoder understood; they are kept in `quarantine/`.
    pub undecodable_count: u64,
    /// Files that could not be read to the end; they are kept in `quarantine/`.
    pub unreadable_file_count: u64,
}

/// A file that will not be written any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosedFile {
    pub(crate) name: WalFileName,
    pub(crate) last_seq: WalSeq,
    pub(crate) bytes: u64,
}

/// Where the WAL goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// In order.
    pub(crate) files: Vec<ClosedFile>,
    /// Last sequence that was ever given out, as far as the files know.
    pub(crate) last_seq: WalSeq,
    pub(crate) next_number: u64,
}

/// Where records go.
pub(crate) type OnRecord<'a> = dyn FnMut(WalSeq, RawRecord, &mut ReplayReport) -> Result<()> + 'a;

struct Replay<'a> {
    disk: &'a dyn Disk,
    dirs: &'a DataDir,
    report: ReplayReport,
    /// Last sequence seen in any file.
    last_seq: WalSeq,
}

/// Replays all WAL files.
///
/// # Errors
/// Only what `on_record` or the listing of the directory returns; damage is reported, not an error.
pub(crate) fn replay(
    disk: &dyn Disk,
    dirs: &DataDir,
    on_record: &mut OnRecord<'_>,
) -> Result<(Recovered, ReplayReport)> {
    let mut names: Vec<WalFileName> = disk
        .list(&dirs.wal_dir())?
        .iter()
        .filter_map(|entry| WalFileName::parse(&entry.name))
        .collect();
    names.sort_unstable();
    let mut replay = Replay {
        disk,
        dirs,
        report: ReplayReport::default(),
        last_seq: WalSeq(0),
    };
    let headers: Vec<Option<FileHeader>> =
        names.iter().map(|name| replay.header_of(*name)).collect();
    let mut files = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        // What the next files claim to have been durable before them must be in this file or before it.
        let later = headers.iter().skip(at.saturating_add(1)).flatten().next();
        let needed = later.map_or(WalSeq(0), |header| header.durable_seq);
        if let Some(file) = replay.file(*name, needed, on_record)? {
            files.push(file);
        }
    }
    let promised = headers.iter().flatten().map(|h| h.durable_seq).max();
    let recovered = Recovered {
        files,
        last_seq: replay.last_seq.max(promised.unwrap_or_default()),
        next_number: names.last().map_or(1, |name| name.number.saturating_add(1)),
    };
    Ok((recovered, replay.report))
}

impl Replay<'_> {
    fn header_of(&self, name: WalFileName) -> Option<FileHeader> {
        let reader = WalReader::open(self.disk, self.dirs, name).ok()?;
        reader.header().ok()
    }

    /// Replays one file; `None` when it had to be moved away.
    fn file(
        &mut self,
        name: WalFileName,
        needed: WalSeq,
        on_record: &mut OnRecord<'_>,
    ) -> Result<Option<ClosedFile>> {
        self.report.file_count += 1;
        let mut reader = match WalReader::open(self.disk, self.dirs, name) {
            Ok(reader) => reader,
            Err(error) => return Ok(self.unreadable(name, &error)),
        };
        self.report.bytes = self.report.bytes.saturating_add(reader.size_bytes());
        if let Err(what) = reader.header()
            && reader.size_bytes() > 0
        {
            tracing::warn!(file = name.print(), what, "WAL file without a valid header");
        }
        let mut file_last_seq = WalSeq(0);
        loop {
            let entry = match reader.next() {
                Ok(Some(entry)) => entry,
                Ok(None) => break,
                Err(error) => return Ok(self.unreadable(name, &error)),
            };
            match entry {
                Entry::Record(seq, record) => {
                    file_last_seq = seq;
                    if seq <= self.last_seq {
                        // Written again after a failed sync of the file before.
                        self.report.skipped_record_count += 1;
                        continue;
                    }
                    self.last_seq = seq;
                    on_record(seq, record, &mut self.report)?;
                }
                Entry::Unknown(seq, range) => {
                    file_last_seq = seq;
                    self.last_seq = self.last_seq.max(seq);
                    self.report.undecodable_count += 1;
                    self.keep(&reader, name, range, "a record of a newer release");
                }
                Entry::Damaged(range) if !range.followed && self.last_seq >= needed => {
                    self.report.torn_bytes = self.report.torn_bytes.saturating_add(range.bytes);
                    tracing::warn!(
                        file = name.print(),
                        offset = range.offset,
                        bytes = range.bytes,
                        "cut the torn end of a WAL file; nothing acknowledged is missing"
                    );
                }
                Entry::Damaged(range) => {
                    self.report.damaged_count += 1;
                    self.report.damaged_bytes =
                        self.report.damaged_bytes.saturating_add(range.bytes);
                    self.keep(&reader, name, range, "damaged bytes");
                }
            }
        }
        if let Err(error) = self.disk.sync_file(&self.dirs.wal_file(name)) {
            // The rows are in memory and go to segments; only the file itself stays doubtful.
            tracing::warn!(file = name.print(), %error, "cannot make a replayed WAL file durable");
        }
        Ok(Some(ClosedFile {
            name,
            last_seq: file_last_seq,
            bytes: reader.size_bytes(),
        }))
    }

    /// Copies what could not be used into quarantine, where it survives the deletion of the file.
    fn keep(&self, reader: &WalReader, name: WalFileName, range: Damage, what: &str) {
        tracing::error!(
            file = name.print(),
            offset = range.offset,
            bytes = range.bytes,
            what,
            "acknowledged data may be missing: skipped a part of the WAL and kept it in quarantine"
        );
        keep_bytes(
            self.disk,
            self.dirs,
            &format!("wal-{:020}-{}", name.number, range.offset),
            reader.raw(range.offset, range.bytes),
        );
    }

    fn unreadable(&mut self, name: WalFileName, error: &crate::error::Error) -> Option<ClosedFile> {
        self.report.unreadable_file_count += 1;
        tracing::error!(
            file = name.print(),
            %error,
            "acknowledged data may be missing: cannot read a WAL file, moved it to quarantine"
        );
        let target = self.dirs.quarantine_dir().join(name.print());
        if let Err(error) = atomic::move_file(self.disk, &self.dirs.wal_file(name), &target) {
            tracing::error!(file = name.print(), %error, "cannot move the WAL file");
        }
        None
    }
}

/// Keeps `bytes` as `name` in quarantine, once. Failing to is reported and goes on: the start must not fail for it.
pub(crate) fn keep_bytes(disk: &dyn Disk, dirs: &DataDir, name: &str, bytes: Result<bytes::Bytes>) {
    let target = dirs.quarantine_dir().join(name);
    if disk.open(&target).is_ok() {
        return;
    }
    let kept = bytes.and_then(|bytes| atomic::write_file(disk, dirs, &target, &bytes));
    if let Err(error) = kept {
        tracing::error!(name, %error, "cannot keep damaged bytes in quarantine");
    }
}
