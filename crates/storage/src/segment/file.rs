//! A segment's file: every block of it is verified before anybody sees it, and damage is remembered.
//!
//! Knows nothing of Parquet.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::checksum::block_bytes;
use super::meta::SegmentMeta;
use crate::error::{Error, Result};
use crate::ids::SegmentId;
use crate::io::ReadFile;

/// Segments that were found damaged, with what was found.
pub(super) type DamageList = Mutex<Vec<(SegmentId, String)>>;

/// A segment and what is known about its file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    meta: SegmentMeta,
    path: PathBuf,
    /// One bit per block: set once the block was read and its checksum fitted.
    verified: Vec<AtomicU64>,
    damage: Mutex<Option<String>>,
    reports: Arc<DamageList>,
}

impl SegmentFile {
    pub(super) fn new(meta: SegmentMeta, path: PathBuf, reports: &Arc<DamageList>) -> Self {
        let words = meta.block_checksums.len().div_ceil(64);
        Self {
            meta,
            path,
            verified: (0..words).map(|_| AtomicU64::new(0)).collect(),
            damage: Mutex::new(None),
            reports: Arc::clone(reports),
        }
    }

    pub(super) fn meta(&self) -> &SegmentMeta {
        &self.meta
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn damage(&self) -> Option<String> {
        self.damage.lock().clone()
    }

    /// Remembers that the file is damaged and makes the error that says so.
    pub(crate) fn mark_damaged(&self, what: String) -> Error {
        let mut damage = self.damage.lock();
        if damage.is_none() {
            *damage = Some(what.clone());
            self.reports.lock().push((self.meta.id, what.clone()));
        }
        drop(damage);
        self.corrupt(what)
    }

    pub(super) fn corrupt(&self, what: String) -> Error {
        Error::Corrupt {
            path: self.path.clone(),
            what,
        }
    }

    /// `len` bytes from `offset` of `file`, verified.
    pub(super) fn read_verified(
        &self,
        file: &dyn ReadFile,
        offset: u64,
        len: usize,
    ) -> Result<Bytes> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(len);
        let size = usize::try_from(self.meta.file_bytes).unwrap_or(usize::MAX);
        if end > size {
            return Err(self.mark_damaged(format!("it refers to byte {end} of {size}")));
        }
        if len == 0 {
            return Ok(Bytes::new());
        }
        let blocks = start / block_bytes()..end.div_ceil(block_bytes());
        if blocks.clone().all(|block| self.is_verified(block)) {
            return file.read_at(offset, len);
        }
        let first = blocks.start.saturating_mul(block_bytes());
        let last = blocks.end.saturating_mul(block_bytes()).min(size);
        let whole = file.read_at(
            u64::try_from(first).unwrap_or(u64::MAX),
            last.saturating_sub(first),
        )?;
        for (block, bytes) in blocks.zip(whole.chunks(block_bytes())) {
            self.verify(block, bytes)?;
        }
        let from = start.saturating_sub(first);
        Ok(whole.slice(from..from.saturating_add(len)))
    }

    /// Compares every block of `file`, whether or not it was verified before.
    pub(super) fn verify_all(&self, file: &dyn ReadFile) -> Result<()> {
        let mut offset = 0;
        for (block, expected) in self.meta.block_checksums.iter().enumerate() {
            let left = self.meta.file_bytes.saturating_sub(offset);
            let len = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(block_bytes());
            if crc32c::crc32c(&file.read_at(offset, len)?) != *expected {
                return Err(self.mark_damaged(format!(
                    "block {block} of {len} bytes does not have the checksum it was written with"
                )));
            }
            offset = offset.saturating_add(u64::try_from(len).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn verify(&self, block: usize, bytes: &[u8]) -> Result<()> {
        if self.is_verified(block) {
            return Ok(());
        }
        let found = crc32c::crc32c(bytes);
        if self.meta.block_checksums.get(block) != Some(&found) {
            return Err(self.mark_damaged(format!(
                "block {block} of {} bytes does not have the checksum it was written with",
                bytes.len()
            )));
        }
        if let Some(word) = self.verified.get(block / 64) {
            word.fetch_or(1 << (block % 64), Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_verified(&self, block: usize) -> bool {
        let word = self.verified.get(block / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (block % 64)) != 0)
    }
}
