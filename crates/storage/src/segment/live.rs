//! A segment that exists, ready to be read: opened on first use, every block of it verified before anybody sees it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use super::checksum::block_bytes;
use super::footer::{Footer, FooterCache};
use super::meta::SegmentMeta;
use crate::error::{Error, Result};
use crate::ids::SegmentId;
use crate::io::{Disk, ReadFile};

/// What all segments of a store share: the disk, the cache of footers, and the list of damaged segments.
#[derive(Debug)]
pub struct SegmentAccess {
    disk: Arc<dyn Disk>,
    footers: FooterCache,
    damaged: Mutex<Vec<(SegmentId, String)>>,
}

/// A segment and what is known about its file. Holding it in an `Arc` pins the file.
pub struct LiveSegment {
    meta: SegmentMeta,
    path: PathBuf,
    access: Arc<SegmentAccess>,
    /// One bit per block: set once the block was read and its checksum fitted.
    verified: Vec<AtomicU64>,
    damage: Mutex<Option<String>>,
}

impl SegmentAccess {
    /// Access through `disk`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Arc<Self> {
        Arc::new(Self {
            disk,
            footers: FooterCache::default(),
            damaged: Mutex::new(Vec::new()),
        })
    }

    /// Segments that were found damaged since the last call, with what was found. The store quarantines them.
    #[must_use]
    pub fn take_damaged(&self) -> Vec<(SegmentId, String)> {
        std::mem::take(&mut *self.damaged.lock())
    }

    /// Bytes that cached footers take.
    #[must_use]
    pub fn footer_bytes(&self) -> u64 {
        self.footers.used_bytes()
    }
}

impl LiveSegment {
    /// The segment of `meta` in the file `path`. Nothing is read yet.
    #[must_use]
    pub fn open(meta: SegmentMeta, path: PathBuf, access: &Arc<SegmentAccess>) -> Arc<Self> {
        let words = meta.block_checksums.len().div_ceil(64);
        Arc::new(Self {
            meta,
            path,
            access: Arc::clone(access),
            verified: (0..words).map(|_| AtomicU64::new(0)).collect(),
            damage: Mutex::new(None),
        })
    }

    /// What the manifest knows of it.
    #[must_use]
    pub fn meta(&self) -> &SegmentMeta {
        &self.meta
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is wrong with it, when something was found.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.damage.lock().clone()
    }

    /// Its footer, from the cache or from the file.
    pub(crate) fn footer(self: &Arc<Self>) -> Result<Arc<Footer>> {
        if let Some(what) = self.damage() {
            return Err(self.corrupt(what));
        }
        self.access.footers.get_or_read(self.meta.id, || {
            let file = self.access.disk.open(&self.path)?;
            if file.size_bytes() != self.meta.file_bytes {
                return Err(self.mark_damaged(format!(
                    "it has {} bytes instead of {}",
                    file.size_bytes(),
                    self.meta.file_bytes
                )));
            }
            Footer::read(self, file)
        })
    }

    /// Remembers that the file is damaged and makes the error that says so.
    pub(crate) fn mark_damaged(&self, what: String) -> Error {
        let mut damage = self.damage.lock();
        if damage.is_none() {
            *damage = Some(what.clone());
            self.access
                .damaged
                .lock()
                .push((self.meta.id, what.clone()));
        }
        drop(damage);
        self.access.footers.forget(self.meta.id);
        self.corrupt(what)
    }

    fn corrupt(&self, what: String) -> Error {
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

impl fmt::Debug for LiveSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSegment")
            .field("id", &self.meta.id)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
