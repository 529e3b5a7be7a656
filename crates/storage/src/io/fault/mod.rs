//! A disk in memory that fails by script and forgets at a crash whatever was not made durable.
//!
//! It keeps, per file and per directory entry, what has been synced. It does not model performance or permissions.

mod model;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use self::model::Model;
use super::{Disk, FileEntry, LockGuard, ReadFile, Space, TryLock, WriteFile};
use crate::error::{Error, Result};

/// What goes wrong at one operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing happens but the error.
    Error(io::ErrorKind),
    /// The operation takes effect, and the error is reported all the same: a lost reply.
    ErrorAfter(io::ErrorKind),
    /// A write lands in part and fails; other operations fail.
    Torn,
    /// A sync reports success and does nothing; other operations work.
    LostSync,
}

/// One operation that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    /// Its name, as in [`Error::Io`].
    pub(crate) op: &'static str,
    /// Its file.
    pub(crate) path: PathBuf,
}

/// The scripted disk. Clones share everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultDisk {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    model: Model,
    script: BTreeMap<u64, Fault>,
    /// From this operation on everything fails like this, until lifted.
    broken: Option<(u64, io::ErrorKind)>,
    operations: Vec<Operation>,
    capacity_bytes: Option<u64>,
    locked: bool,
    dead: bool,
}

impl FaultDisk {
    /// An empty disk without faults.
    #[must_use]
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Operations that may fail, so far.
    #[must_use]
    pub(crate) fn operation_count(&self) -> u64 {
        u64::try_from(self.shared.lock().operations.len()).unwrap_or(u64::MAX)
    }

    /// The operations so far, in order.
    #[must_use]
    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.shared.lock().operations.clone()
    }

    /// Lets operation `at` (counted from 0) go wrong.
    pub(crate) fn fail_at(&self, at: u64, fault: Fault) {
        self.shared.lock().script.insert(at, fault);
    }

    /// Lets every changing operation from number `at` on fail, until [`Self::mend`].
    pub(crate) fn break_from(&self, at: u64, kind: io::ErrorKind) {
        self.shared.lock().broken = Some((at, kind));
    }

    /// Ends what [`Self::break_from`] started and forgets the script.
    pub(crate) fn mend(&self) {
        let mut shared = self.shared.lock();
        shared.broken = None;
        shared.script.clear();
    }

    /// Bounds the bytes of all files; writes beyond it fail with `StorageFull`.
    pub(crate) fn set_capacity(&self, bytes: Option<u64>) {
        self.shared.lock().capacity_bytes = bytes;
    }

    /// Flips one bit of a file, durably.
    pub(crate) fn flip_bit(&self, path: &Path, bit: u64) {
        self.shared.lock().model.edit(path, |data| {
            let at = usize::try_from(bit / 8).unwrap_or(usize::MAX);
            if let Some(byte) = data.get_mut(at) {
                *byte ^= 1 << (bit % 8);
            }
        });
    }

    /// Replaces the contents of a file, durably.
    pub(crate) fn overwrite(&self, path: &Path, bytes: &[u8]) {
        self.shared.lock().model.edit(path, |data| {
            data.clear();
            data.extend_from_slice(bytes);
        });
    }

    /// Writes a whole file, durably, whether or not it exists.
    pub(crate) fn overwrite_or_create(&self, path: &Path, bytes: &[u8]) {
        let mut shared = self.shared.lock();
        shared.model.create(path).ok();
        if let Some(dir) = path.parent() {
            shared.model.sync_dir(dir);
        }
        drop(shared);
        self.overwrite(path, bytes);
    }

    /// Contents of a file as a reader sees them.
    #[must_use]
    pub(crate) fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        self.shared.lock().model.read(path).map(<[u8]>::to_vec)
    }

    /// Every file with its size, in order.
    #[must_use]
    pub(crate) fn files(&self) -> Vec<(PathBuf, u64)> {
        self.shared.lock().model.files()
    }

    /// Cuts the power: this disk is dead from now on, and the returned one has what was durable. With a `seed`, a
    /// part of the rest survives as well (any subset of directory changes, any prefix of unsynced bytes).
    #[must_use]
    pub(crate) fn crash(&self, seed: Option<u64>) -> Self {
        let mut shared = self.shared.lock();
        shared.dead = true;
        self.successor(shared.model.after_crash(seed), shared.capacity_bytes)
    }

    /// Kills the process but not the machine: everything written is still there, durable or not.
    #[must_use]
    pub(crate) fn kill(&self) -> Self {
        let mut shared = self.shared.lock();
        shared.dead = true;
        self.successor(shared.model.clone(), shared.capacity_bytes)
    }

    #[expect(clippy::unused_self, reason = "reads as what becomes of this disk")]
    fn successor(&self, model: Model, capacity_bytes: Option<u64>) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                model,
                capacity_bytes,
                ..Shared::default()
            })),
        }
    }

    /// Runs `effect` as a counted operation with whatever the script has for it.
    fn run<T>(
        &self,
        op: &'static str,
        path: &Path,
        effect: impl FnOnce(&mut Model, Gentle) -> io::Result<T>,
    ) -> Result<T> {
        let mut shared = self.shared.lock();
        let fail = |kind: io::ErrorKind| Error::Io {
            op,
            path: path.to_owned(),
            source: io::Error::new(kind, "scripted"),
        };
        if shared.dead {
            return Err(fail(io::ErrorKind::BrokenPipe));
        }
        let at = u64::try_from(shared.operations.len()).unwrap_or(u64::MAX);
        shared.operations.push(Operation {
            op,
            path: path.to_owned(),
        });
        if let Some((from, kind)) = shared.broken
            && at >= from
        {
            shared.model.on_failed(op, path);
            return Err(fail(kind));
        }
        let fault = shared.script.remove(&at);
        let mut gentle = Gentle::No;
        match fault {
            Some(Fault::Error(kind)) => {
                shared.model.on_failed(op, path);
                return Err(fail(kind));
            }
            Some(Fault::Torn) => gentle = Gentle::Torn,
            Some(Fault::LostSync) => gentle = Gentle::LostSync,
            Some(Fault::ErrorAfter(_)) | None => {}
        }
        let done = effect(&mut shared.model, gentle).map_err(|source| Error::Io {
            op,
            path: path.to_owned(),
            source,
        })?;
        match fault {
            Some(Fault::ErrorAfter(kind)) => Err(fail(kind)),
            Some(Fault::Torn) => Err(fail(io::ErrorKind::Other)),
            Some(Fault::Error(_) | Fault::LostSync) | None => Ok(done),
        }
    }

    /// Reads are not scripted: they fail only on a dead disk.
    fn look<T>(
        &self,
        op: &'static str,
        path: &Path,
        look: impl FnOnce(&Model) -> Option<T>,
    ) -> Result<T> {
        let shared = self.shared.lock();
        let kind = if shared.dead {
            io::ErrorKind::BrokenPipe
        } else {
            io::ErrorKind::NotFound
        };
        let found = if shared.dead {
            None
        } else {
            look(&shared.model)
        };
        found.ok_or_else(|| Error::Io {
            op,
            path: path.to_owned(),
            source: io::Error::new(kind, "scripted"),
        })
    }
}

/// How an operation is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gentle {
    No,
    Torn,
    LostSync,
}

impl Disk for FaultDisk {
    fn create(&self, path: &Path) -> Result<Box<dyn WriteFile>> {
        let inode = self.run("create", path, |model, gentle| match gentle {
            Gentle::Torn => Ok(0),
            Gentle::No | Gentle::LostSync => model.create(path),
        })?;
        Ok(Box::new(FaultWriteFile {
            disk: self.clone(),
            path: path.to_owned(),
            inode,
        }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn ReadFile>> {
        let data = self.look("open", path, |model| model.read(path).map(<[u8]>::to_vec))?;
        Ok(Arc::new(FaultReadFile {
            path: path.to_owned(),
            data: Bytes::from(data),
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.run("rename to", to, |model, gentle| match gentle {
            Gentle::Torn => Ok(()),
            Gentle::No | Gentle::LostSync => model.rename(from, to),
        })
    }

    fn link(&self, from: &Path, to: &Path) -> Result<()> {
        self.run("link", to, |model, gentle| match gentle {
            Gentle::Torn => Ok(()),
            Gentle::No | Gentle::LostSync => model.link(from, to),
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.run("remove", path, |model, gentle| {
            if gentle != Gentle::Torn {
                model.remove(path);
            }
            Ok(())
        })
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        self.run("create directory", path, |model, gentle| {
            if gentle != Gentle::Torn {
                model.create_dir(path);
            }
            Ok(())
        })
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.run("fsync directory", path, |model, gentle| {
            if gentle == Gentle::No {
                model.sync_dir(path);
            }
            Ok(())
        })
    }

    fn list(&self, path: &Path) -> Result<Vec<FileEntry>> {
        self.look("list", path, |model| model.list(path))
    }

    fn list_dirs(&self, path: &Path) -> Result<Vec<String>> {
        self.look("list", path, |model| model.list_dirs(path))
    }

    fn sync_file(&self, path: &Path) -> Result<()> {
        self.run("fsync", path, |model, gentle| {
            if gentle == Gentle::No {
                model.sync_path(path)?;
            }
            Ok(())
        })
    }

    fn space(&self, path: &Path) -> Result<Space> {
        let capacity = self.shared.lock().capacity_bytes;
        let total_bytes = capacity.unwrap_or(1 << 40);
        let used = self.look("statvfs", path, |model| Some(model.used_bytes()))?;
        Ok(Space {
            available_bytes: total_bytes.saturating_sub(used),
            total_bytes,
        })
    }

    fn try_lock(&self, _path: &Path) -> Result<TryLock> {
        let mut shared = self.shared.lock();
        if shared.locked {
            return Ok(TryLock::Busy("another store of this test".to_owned()));
        }
        shared.locked = true;
        Ok(TryLock::Held(Box::new(FaultLock(self.clone()))))
    }
}

#[derive(Debug)]
struct FaultLock(FaultDisk);

impl LockGuard for FaultLock {}

impl Drop for FaultLock {
    fn drop(&mut self) {
        self.0.shared.lock().locked = false;
    }
}

#[derive(Debug)]
struct FaultWriteFile {
    disk: FaultDisk,
    path: PathBuf,
    inode: usize,
}

impl WriteFile for FaultWriteFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let capacity = self.disk.shared.lock().capacity_bytes;
        self.disk.run("write", &self.path, |model, gentle| {
            let landed = if gentle == Gentle::Torn {
                bytes.len() / 2
            } else {
                bytes.len()
            };
            let landed = bytes.get(..landed).unwrap_or(bytes);
            let after = model.used_bytes().saturating_add(bytes.len() as u64);
            if capacity.is_some_and(|capacity| after > capacity) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            model.append(self.inode, landed);
            Ok(())
        })
    }

    fn sync(&mut self) -> Result<()> {
        self.disk.run("fsync", &self.path, |model, gentle| {
            if gentle == Gentle::No {
                model.sync(self.inode);
            }
            Ok(())
        })
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        self.sync()
    }
}

#[derive(Debug)]
struct FaultReadFile {
    path: PathBuf,
    data: Bytes,
}

impl ReadFile for FaultReadFile {
    fn size_bytes(&self) -> u64 {
        u64::try_from(self.data.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        let end = start.saturating_add(len);
        if end > self.data.len() {
            return Err(Error::Io {
                op: "read",
                path: self.path.clone(),
                source: io::Error::from(io::ErrorKind::UnexpectedEof),
            });
        }
        Ok(self.data.slice(start..end))
    }
}
