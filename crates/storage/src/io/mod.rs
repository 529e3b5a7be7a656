//! The only door to the disk. Everything the engine does to files goes through [`Disk`], so that a test can make any
//! single operation fail.

use std::fmt::Debug;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::error::Result;

pub(crate) mod atomic;
pub(crate) mod ballast;
#[cfg(test)]
pub(crate) mod fault;
mod local;
mod lock;

pub use local::LocalDisk;
pub(crate) use lock::acquire as acquire_lock;

/// A file system, or one that lies in a scripted way. All paths are absolute or relative to the process.
pub trait Disk: Send + Sync + Debug {
    /// Creates a file that must not exist yet (`O_EXCL`) for appending.
    ///
    /// # Errors
    /// [`crate::Error::Io`] with the path, here and below.
    fn create(&self, path: &Path) -> Result<Box<dyn WriteFile>>;
    /// Opens a file for positioned reads.
    fn open(&self, path: &Path) -> Result<Arc<dyn ReadFile>>;
    /// Renames a file; callers only ever rename to names that were never used.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    /// Gives a file a second name; fails when that name exists. The portable exclusive publish.
    fn link(&self, from: &Path, to: &Path) -> Result<()>;
    /// Removes a file; one that is already gone is not an error.
    fn remove(&self, path: &Path) -> Result<()>;
    /// Creates a directory whose parent exists; an existing one is not an error.
    fn create_dir(&self, path: &Path) -> Result<()>;
    /// Makes the entries of a directory durable.
    fn sync_dir(&self, path: &Path) -> Result<()>;
    /// Files (not directories) of a directory, in no order.
    fn list(&self, path: &Path) -> Result<Vec<FileEntry>>;
    /// Names of the directories inside a directory, in no order.
    fn list_dirs(&self, path: &Path) -> Result<Vec<String>>;
    /// Makes the contents of an existing file durable: after a crash it may be readable but not yet safe.
    fn sync_file(&self, path: &Path) -> Result<()>;
    /// Space on the volume that holds `path`.
    fn space(&self, path: &Path) -> Result<Space>;
    /// Takes the lock file `path` for this process without waiting. The lock ends with the process or the guard.
    fn try_lock(&self, path: &Path) -> Result<TryLock>;
}

/// A file being written, front to back.
pub trait WriteFile: Send + Debug {
    /// Appends all of `bytes`.
    fn append(&mut self, bytes: &[u8]) -> Result<()>;
    /// Makes everything appended so far durable (`fdatasync`). After an error the file must not be used again.
    fn sync(&mut self) -> Result<()>;
    /// Makes everything durable, then closes: what close could still report (on NFS a full disk shows there) has
    /// been reported by the sync.
    fn close(self: Box<Self>) -> Result<()>;
}

/// A file opened for reading.
pub trait ReadFile: Send + Sync + Debug {
    /// Size in bytes when it was opened.
    fn size_bytes(&self) -> u64;
    /// Exactly `len` bytes from `offset`; a short file is an error.
    fn read_at(&self, offset: u64, len: usize) -> Result<Bytes>;
}

/// Outcome of [`Disk::try_lock`].
#[derive(Debug)]
pub enum TryLock {
    /// Ours until the guard is dropped.
    Held(Box<dyn LockGuard>),
    /// Somebody else's; what they wrote into the file about themselves.
    Busy(String),
}

/// A held lock; dropping it lets go.
pub trait LockGuard: Send + Sync + Debug {}

/// A file in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileEntry {
    /// Name without the directory.
    pub name: String,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// Space on a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that an ordinary user may still write.
    pub available_bytes: u64,
    /// Size of the volume.
    pub total_bytes: u64,
}
