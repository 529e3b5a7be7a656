//! Writes groups of records and makes them durable. Owns the current file; a file that failed once is never touched
//! again. Knows nothing of queues, threads or waiting clients.

use std::sync::Arc;

use parking_lot::Mutex;

use super::format::{FileHeader, RECORD_HEADER_BYTES, RecordHeader, Salt};
use super::replay::{ClosedFile, Recovered};
use super::stats::WalCounters;
use crate::error::{Error, Result};
use crate::ids::WalSeq;
use crate::io::{Disk, WriteFile};
use crate::limits;
use crate::names::{DataDir, WalFileName};
use crate::record::RawRecord;
use crate::time::{Clock, Stopwatch};

/// What the writer works with.
#[derive(Debug, Clone)]
pub(crate) struct WalParts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dirs: DataDir,
    /// Size from which a file is closed and the next one begins.
    pub(crate) file_bytes: u64,
}

#[derive(Debug)]
pub(super) struct WalWriter {
    parts: WalParts,
    current: Option<OpenFile>,
    closed: Arc<Mutex<Vec<ClosedFile>>>,
    next_number: u64,
    /// Last sequence that was given out.
    last_seq: WalSeq,
    /// Last sequence that was acknowledged.
    durable_seq: WalSeq,
    counters: Arc<WalCounters>,
    gather: Vec<u8>,
}

#[derive(Debug)]
struct OpenFile {
    file: Box<dyn WriteFile>,
    name: WalFileName,
    salt: Salt,
    bytes: u64,
    last_seq: WalSeq,
    /// Its directory entry is durable and a group was synced: it may hold acknowledged records.
    proven: bool,
}

impl WalWriter {
    pub(super) fn new(
        parts: WalParts,
        recovered: Recovered,
        closed: Arc<Mutex<Vec<ClosedFile>>>,
        counters: Arc<WalCounters>,
    ) -> Self {
        *closed.lock() = recovered.files;
        Self {
            parts,
            current: None,
            closed,
            next_number: recovered.next_number,
            last_seq: recovered.last_seq,
            durable_seq: recovered.last_seq,
            counters,
            gather: Vec::new(),
        }
    }

    /// Gives every record its sequence and makes them all durable, in a second file when the first one fails.
    ///
    /// # Errors
    /// None of the records is acknowledged; each may or may not come back at replay, once.
    pub(super) fn commit(&mut self, records: &[&RawRecord]) -> Result<WalSeq> {
        let first = self.last_seq.next();
        let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
        // Numbers are spent even when the write fails: what a failed file holds must never share one with a later record.
        self.last_seq = WalSeq(self.last_seq.0.saturating_add(count));
        if let Err(error) = self.attempt(first, records) {
            tracing::error!(%error, "writing the WAL failed, trying a new file");
            self.poison();
            if let Err(error) = self.attempt(first, records) {
                self.poison();
                return Err(error);
            }
        }
        self.durable_seq = self.last_seq;
        Ok(first)
    }

    /// Whether the disk takes a file and makes it durable.
    pub(super) fn probe(&mut self) -> Result<()> {
        let probed = self.attempt(self.last_seq.next(), &[]);
        if probed.is_err() {
            self.poison();
        }
        probed
    }

    fn attempt(&mut self, first: WalSeq, records: &[&RawRecord]) -> Result<()> {
        let full = self
            .current
            .as_ref()
            .is_some_and(|file| file.bytes >= self.parts.file_bytes);
        if full {
            self.close_current();
        }
        let mut open = match self.current.take() {
            Some(open) => open,
            None => self.create(first)?,
        };
        let written = self.write(&mut open, first, records);
        let synced = written.and_then(|()| self.sync(&mut open));
        self.counters.set_open_file(open.bytes);
        self.current = Some(open);
        synced
    }

    fn create(&mut self, first: WalSeq) -> Result<OpenFile> {
        let space = self.parts.disk.space(&self.parts.dirs.wal_dir())?;
        let reserve = limits::RESERVE_BYTES.min(space.total_bytes / limits::RESERVE_PARTS);
        if space.available_bytes < reserve || space.available_bytes == 0 {
            return Err(Error::DiskFull {
                what: format!(
                    "a new WAL file needs {} free bytes, the volume has {}",
                    reserve.max(1),
                    space.available_bytes
                ),
            });
        }
        let name = WalFileName {
            number: self.next_number,
            id: uuid::Uuid::new_v4().as_u128(),
        };
        self.next_number = self.next_number.saturating_add(1);
        let file = self.parts.disk.create(&self.parts.dirs.wal_file(name))?;
        let header = FileHeader {
            first_seq: first,
            durable_seq: self.durable_seq,
            created_at: self.parts.clock.now(),
        };
        self.gather.clear();
        self.gather.extend_from_slice(&header.encode(name));
        Ok(OpenFile {
            file,
            name,
            salt: Salt::of(name),
            bytes: 0,
            last_seq: WalSeq(0),
            proven: false,
        })
    }

    fn write(&mut self, open: &mut OpenFile, first: WalSeq, records: &[&RawRecord]) -> Result<()> {
        let mut seq = first;
        for record in records {
            let header =
                RecordHeader::of(record, seq, open.salt).ok_or_else(|| Error::Internal {
                    what: format!("a WAL record of {} bytes", record.payload.len()),
                })?;
            header.encode_into(open.salt, &mut self.gather);
            open.last_seq = seq;
            seq = seq.next();
            if record.payload.len() <= limits::GATHER_BYTES {
                self.gather.extend_from_slice(&record.payload);
                if self.gather.len() >= limits::GATHER_BYTES {
                    self.put(open)?;
                }
            } else {
                self.put(open)?;
                open.file.append(&record.payload)?;
                open.bytes = open.bytes.saturating_add(len_u64(record.payload.len()));
            }
        }
        self.put(open)
    }

    fn put(&mut self, open: &mut OpenFile) -> Result<()> {
        if !self.gather.is_empty() {
            open.file.append(&self.gather)?;
            open.bytes = open.bytes.saturating_add(len_u64(self.gather.len()));
            self.gather.clear();
        }
        Ok(())
    }

    fn sync(&self, open: &mut OpenFile) -> Result<()> {
        let watch = Stopwatch::start();
        open.file.sync()?;
        if !open.proven {
            self.parts.disk.sync_dir(&self.parts.dirs.wal_dir())?;
            open.proven = true;
        }
        self.counters.synced(watch.elapsed_ns());
        Ok(())
    }

    /// Ends the current file after a failure: no second fsync, no further byte.
    fn poison(&mut self) {
        self.gather.clear();
        let Some(open) = self.current.take() else {
            return;
        };
        self.counters.file_failed();
        self.counters.set_open_file(0);
        if open.proven {
            self.remember(&open);
        } else {
            // Nothing in it was ever acknowledged. On a full disk its bytes are needed elsewhere.
            let path = self.parts.dirs.wal_file(open.name);
            drop(open.file);
            if self.parts.disk.remove(&path).is_err() {
                tracing::warn!(path = %path.display(), "cannot remove a failed WAL file");
            }
        }
    }

    fn close_current(&mut self) {
        if let Some(open) = self.current.take() {
            self.counters.set_open_file(0);
            self.remember(&open);
            // Everything in it is synced: closing has nothing left to report.
            if let Err(error) = open.file.close() {
                tracing::warn!(%error, "closing a synced WAL file failed");
            }
        }
    }

    fn remember(&self, open: &OpenFile) {
        self.closed.lock().push(ClosedFile {
            name: open.name,
            last_seq: open.last_seq,
            bytes: open.bytes,
        });
    }
}

/// Bytes that `record` takes in a file.
pub(super) fn record_bytes(record: &RawRecord) -> u64 {
    len_u64(record.payload.len()).saturating_add(len_u64(RECORD_HEADER_BYTES))
}

fn len_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
