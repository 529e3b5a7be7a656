//! Reads one WAL file front to back through a fixed window, and finds its way again after damage. Believes nothing:
//! any bytes give records, damaged ranges, or an end; never a panic, never an allocation larger than one record.

use std::sync::Arc;

use bytes::Bytes;
use memchr::memmem;

use super::format::{
    FILE_HEADER_BYTES, FileHeader, MARKER, RECORD_HEADER_BYTES, RecordHeader, Salt,
};
use crate::error::Result;
use crate::ids::WalSeq;
use crate::io::{Disk, ReadFile};
use crate::limits;
use crate::names::{DataDir, WalFileName};
use crate::record::RawRecord;

/// What comes next in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A whole record, exactly as written.
    Record(WalSeq, RawRecord),
    /// A whole record of a kind that this release does not know.
    Unknown(WalSeq, Damage),
    /// Bytes that are no record.
    Damaged(Damage),
}

/// A range of a file that could not be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Damage {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// Whether a valid record comes after it in the same file.
    pub(super) followed: bool,
}

#[derive(Debug)]
pub(super) struct WalReader {
    file: Arc<dyn ReadFile>,
    salt: Salt,
    header: Result<FileHeader, &'static str>,
    offset: u64,
    window: Bytes,
    window_offset: u64,
    last_seq: WalSeq,
}

impl WalReader {
    pub(super) fn open(disk: &dyn Disk, dirs: &DataDir, name: WalFileName) -> Result<Self> {
        let file = disk.open(&dirs.wal_file(name))?;
        let mut reader = Self {
            file,
            salt: Salt::of(name),
            header: Err("the file is shorter than its header"),
            offset: 0,
            window: Bytes::new(),
            window_offset: 0,
            last_seq: WalSeq(0),
        };
        if let Some(bytes) = reader.bytes_at(0, FILE_HEADER_BYTES)? {
            reader.header = FileHeader::decode(&bytes, name);
            reader.offset = len_u64(FILE_HEADER_BYTES);
        } else {
            // Created and never written: nothing was acknowledged from it.
            reader.offset = reader.size_bytes();
        }
        Ok(reader)
    }

    /// The file's header. Without one the records are still read: their salt is in the file's name.
    pub(super) fn header(&self) -> Result<FileHeader, &'static str> {
        self.header
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.file.size_bytes()
    }

    /// The next entry; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        let offset = self.offset;
        if offset >= self.size_bytes() {
            return Ok(None);
        }
        if let Some((header, payload)) = self.record_at(offset)? {
            let bytes = len_u64(RECORD_HEADER_BYTES).saturating_add(len_u64(payload.len()));
            self.offset = offset.saturating_add(bytes);
            self.last_seq = header.seq;
            let entry = match header.into_record(payload) {
                Some(record) => Entry::Record(header.seq, record),
                None => Entry::Unknown(
                    header.seq,
                    Damage {
                        offset,
                        bytes,
                        followed: self.offset < self.size_bytes(),
                    },
                ),
            };
            return Ok(Some(entry));
        }
        let resume = self.search_from(offset.saturating_add(1))?;
        self.offset = resume.unwrap_or_else(|| self.size_bytes());
        Ok(Some(Entry::Damaged(Damage {
            offset,
            bytes: self.offset.saturating_sub(offset),
            followed: resume.is_some(),
        })))
    }

    /// Bytes of the file, for keeping what is damaged.
    pub(super) fn raw(&self, offset: u64, bytes: u64) -> Result<Bytes> {
        let bytes = bytes.min(limits::MAX_RECORD_BYTES);
        self.file
            .read_at(offset, usize::try_from(bytes).unwrap_or(usize::MAX))
    }

    /// The valid record that starts at `offset` and continues the order of the file.
    fn record_at(&mut self, offset: u64) -> Result<Option<(RecordHeader, Bytes)>> {
        let Some(bytes) = self.bytes_at(offset, RECORD_HEADER_BYTES)? else {
            return Ok(None);
        };
        let Some(header) = RecordHeader::decode(&bytes, self.salt) else {
            return Ok(None);
        };
        if header.seq <= self.last_seq {
            return Ok(None);
        }
        let len = usize::try_from(header.payload_bytes).unwrap_or(usize::MAX);
        let start = offset.saturating_add(len_u64(RECORD_HEADER_BYTES));
        let Some(payload) = self.bytes_at(start, len)? else {
            return Ok(None);
        };
        Ok(header
            .matches(&payload, self.salt)
            .then_some((header, payload)))
    }

    /// Where the next valid record starts, at `offset` or later.
    fn search_from(&mut self, mut offset: u64) -> Result<Option<u64>> {
        loop {
            let left = self.size_bytes().saturating_sub(offset);
            let len = usize::try_from(left.min(limits::WAL_WINDOW_BYTES)).unwrap_or(usize::MAX);
            if len < MARKER.len() {
                return Ok(None);
            }
            let Some(window) = self.bytes_at(offset, len)? else {
                return Ok(None);
            };
            for found in memmem::find_iter(&window, &MARKER) {
                let candidate = offset.saturating_add(len_u64(found));
                if self.record_at(candidate)?.is_some() {
                    return Ok(Some(candidate));
                }
            }
            // The next window overlaps by what a cut marker may need.
            offset = offset.saturating_add(len_u64(len - (MARKER.len() - 1)));
        }
    }

    /// `len` bytes at `offset`, from the window when they are in it; `None` when the file ends before.
    fn bytes_at(&mut self, offset: u64, len: usize) -> Result<Option<Bytes>> {
        let end = offset.saturating_add(len_u64(len));
        if end > self.size_bytes() {
            return Ok(None);
        }
        let window_end = self
            .window_offset
            .saturating_add(len_u64(self.window.len()));
        if offset < self.window_offset || end > window_end {
            let wanted = limits::WAL_WINDOW_BYTES
                .max(len_u64(len))
                .min(self.size_bytes().saturating_sub(offset));
            let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
            self.window = self.file.read_at(offset, wanted)?;
            self.window_offset = offset;
        }
        let start =
            usize::try_from(offset.saturating_sub(self.window_offset)).unwrap_or(usize::MAX);
        Ok(Some(self.window.slice(start..start.saturating_add(len))))
    }
}

fn len_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
