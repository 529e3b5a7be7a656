//! A segment that exists, ready to be read: its footer is read on first use and cached.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;

use super::file::{DamageList, SegmentFile};
use super::footer::{Footer, FooterCache};
use super::meta::SegmentMeta;
use crate::error::{Error, Result};
use crate::ids::SegmentId;
use crate::io::Disk;

/// What all segments of a store share: the disk, the cache of footers, and the list of damaged segments.
#[derive(Debug)]
pub struct SegmentAccess {
    disk: Arc<dyn Disk>,
    footers: FooterCache,
    damaged: Arc<DamageList>,
    doomed: Doomed,
}

/// Files that are in the way of nobody but still there.
#[derive(Debug, Default)]
struct Doomed {
    /// Nobody reads them any more: they may go.
    unused: Mutex<Vec<(PathBuf, u64)>>,
    /// Bytes of these and of those that somebody still reads.
    bytes: AtomicU64,
}

/// A segment and what is known about its file. Holding it in an `Arc` pins the file.
pub struct LiveSegment {
    file: Arc<SegmentFile>,
    access: Arc<SegmentAccess>,
    doomed: AtomicBool,
}

impl SegmentAccess {
    /// Access through `disk`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Arc<Self> {
        Arc::new(Self {
            disk,
            footers: FooterCache::default(),
            damaged: Arc::new(Mutex::new(Vec::new())),
            doomed: Doomed::default(),
        })
    }

    /// Removes the files of doomed segments that nobody reads any more. A file that cannot be removed now is tried
    /// again at the next call.
    pub(crate) fn remove_doomed(&self) {
        let unused = std::mem::take(&mut *self.doomed.unused.lock());
        for (path, bytes) in unused {
            match self.disk.remove(&path) {
                Ok(()) => drop(self.doomed.bytes.fetch_sub(bytes, Ordering::Relaxed)),
                Err(error) => {
                    tracing::warn!(path = %path.display(), %error, "cannot remove a replaced segment yet");
                    self.doomed.unused.lock().push((path, bytes));
                }
            }
        }
    }

    /// Bytes of files that are no longer part of the store but still there.
    pub(crate) fn doomed_bytes(&self) -> u64 {
        self.doomed.bytes.load(Ordering::Relaxed)
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
        Arc::new(Self {
            file: Arc::new(SegmentFile::new(meta, path, &access.damaged)),
            access: Arc::clone(access),
            doomed: AtomicBool::new(false),
        })
    }

    /// Lets the file go when the last reader has let go of it: no manifest names it any more.
    pub(crate) fn doom(&self) {
        if !self.doomed.swap(true, Ordering::Relaxed) {
            let bytes = self.meta().file_bytes;
            self.access.doomed.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// What the manifest knows of it.
    #[must_use]
    pub fn meta(&self) -> &SegmentMeta {
        self.file.meta()
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// What is wrong with it, when something was found.
    #[must_use]
    pub fn damage(&self) -> Option<String> {
        self.file.damage()
    }

    /// Reads the whole file and compares every checksum.
    ///
    /// # Errors
    /// [`Error::Corrupt`] with what is wrong; errors of the disk.
    pub(crate) fn verify(&self) -> Result<()> {
        // The footer has its own checks, of the size and of the row groups among them.
        self.footer()?;
        let file = self.access.disk.open(self.path())?;
        self.file.verify_all(file.as_ref())
    }

    /// Its footer, from the cache or from the file.
    pub(crate) fn footer(&self) -> Result<Arc<Footer>> {
        if let Some(what) = self.damage() {
            return Err(self.file.corrupt(what));
        }
        let meta = self.meta();
        self.access.footers.get_or_read(meta.id, || {
            let file = self.access.disk.open(self.path())?;
            if file.size_bytes() != meta.file_bytes {
                return Err(self.mark_damaged(format!(
                    "it has {} bytes instead of {}",
                    file.size_bytes(),
                    meta.file_bytes
                )));
            }
            Footer::read(&self.file, &file)
        })
    }

    /// Remembers that the file is damaged and makes the error that says so.
    pub(crate) fn mark_damaged(&self, what: String) -> Error {
        self.file.mark_damaged(what)
    }
}

impl Drop for LiveSegment {
    /// A cached footer holds the file open, and the space of a removed file is free only when the last handle closes.
    fn drop(&mut self) {
        self.access.footers.forget(self.meta().id);
        if self.doomed.load(Ordering::Relaxed) {
            // Unlinking a large file takes a while: not on the thread of whoever happens to be the last reader.
            let file = (self.path().to_owned(), self.meta().file_bytes);
            self.access.doomed.unused.lock().push(file);
        }
    }
}

impl fmt::Debug for LiveSegment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LiveSegment")
            .field("id", &self.meta().id)
            .field("path", &self.path())
            .finish_non_exhaustive()
    }
}
