//! The real disk: plain system calls, each error with its operation and path. No buffering, no mmap, no append mode.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door that everything else has to use"
)]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use rustix::fs::FlockOperation;

use super::{Disk, FileEntry, LockGuard, ReadFile, Space, TryLock, WriteFile};
use crate::error::{Error, Result};

/// Longest text that is read from another process's lock file.
const MAX_HOLDER_BYTES: u64 = 256;

/// The machine's file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalDisk;

#[derive(Debug)]
struct LocalWriteFile {
    file: File,
    path: PathBuf,
    unsynced: bool,
}

#[derive(Debug)]
struct LocalReadFile {
    file: File,
    path: PathBuf,
    size_bytes: u64,
}

#[derive(Debug)]
struct LocalLock {
    #[expect(
        dead_code,
        reason = "the kernel holds the lock as long as the file is open"
    )]
    file: File,
}

impl LockGuard for LocalLock {}

fn failed(op: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Io { op, path, source }
}

impl Disk for LocalDisk {
    fn create(&self, path: &Path) -> Result<Box<dyn WriteFile>> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o640)
            .open(path)
            .map_err(failed("create", path))?;
        Ok(Box::new(LocalWriteFile {
            file,
            path: path.to_owned(),
            unsynced: true,
        }))
    }

    fn open(&self, path: &Path) -> Result<Arc<dyn ReadFile>> {
        let file = File::open(path).map_err(failed("open", path))?;
        let size_bytes = file.metadata().map_err(failed("stat", path))?.len();
        Ok(Arc::new(LocalReadFile {
            file,
            path: path.to_owned(),
            size_bytes,
        }))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(failed("rename to", to))
    }

    fn link(&self, from: &Path, to: &Path) -> Result<()> {
        fs::hard_link(from, to).map_err(failed("link", to))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        match fs::create_dir(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(failed("create directory", path)(error)),
            Ok(()) => Ok(()),
        }
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        let dir = File::open(path).map_err(failed("open directory", path))?;
        dir.sync_all().map_err(failed("fsync directory", path))
    }

    fn list(&self, path: &Path) -> Result<Vec<FileEntry>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(path).map_err(failed("list", path))? {
            let entry = entry.map_err(failed("list", path))?;
            // A file that vanished since the listing is not there any more: nothing to report.
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
                files.push(FileEntry {
                    name,
                    size_bytes: metadata.len(),
                });
            }
        }
        Ok(files)
    }

    fn list_dirs(&self, path: &Path) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed("list", path))? {
            let entry = entry.map_err(failed("list", path))?;
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if let (true, Ok(name)) = (is_dir, entry.file_name().into_string()) {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn sync_file(&self, path: &Path) -> Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .open(path)
            .map_err(failed("open", path))?;
        file.sync_all().map_err(failed("fsync", path))
    }

    fn space(&self, path: &Path) -> Result<Space> {
        let volume = rustix::fs::statvfs(path)
            .map_err(|errno| failed("statvfs", path)(io::Error::from(errno)))?;
        Ok(Space {
            available_bytes: volume.f_bavail.saturating_mul(volume.f_frsize),
            total_bytes: volume.f_blocks.saturating_mul(volume.f_frsize),
        })
    }

    fn try_lock(&self, path: &Path) -> Result<TryLock> {
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o640)
            .open(path)
            .map_err(failed("open", path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {
                // Only a courtesy to the next process: a full disk must not keep the store from opening.
                let named = file
                    .set_len(0)
                    .and_then(|()| file.write_all(holder_text().as_bytes()));
                if let Err(error) = named {
                    tracing::warn!(path = %path.display(), %error, "cannot write into the lock file");
                }
                Ok(TryLock::Held(Box::new(LocalLock { file })))
            }
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                let read = file.take(MAX_HOLDER_BYTES).read_to_string(&mut holder);
                Ok(TryLock::Busy(match read {
                    Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
                    Ok(_) | Err(_) => "holder unknown".to_owned(),
                }))
            }
            Err(errno) => Err(failed("lock", path)(io::Error::from(errno))),
        }
    }
}

/// What the next process is told about this one.
fn holder_text() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("pid {} on host {}", std::process::id(), host.trim())
}

impl WriteFile for LocalWriteFile {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.unsynced = true;
        self.file
            .write_all(bytes)
            .map_err(failed("write", &self.path))
    }

    fn sync(&mut self) -> Result<()> {
        rustix::fs::fdatasync(&self.file)
            .map_err(|errno| failed("fsync", &self.path)(io::Error::from(errno)))?;
        self.unsynced = false;
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<()> {
        if self.unsynced {
            self.sync()?;
        }
        Ok(())
    }
}

impl ReadFile for LocalReadFile {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read_at(&self, offset: u64, len: usize) -> Result<Bytes> {
        let mut buffer = vec![0; len];
        self.file
            .read_exact_at(&mut buffer, offset)
            .map_err(failed("read", &self.path))?;
        Ok(Bytes::from(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_created_once_written_read_back_and_removed_twice() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut file = LocalDisk.create(&path).unwrap();
        file.append(b"hello ").unwrap();
        file.append(b"world").unwrap();
        file.close().unwrap();
        let again = LocalDisk.create(&path).unwrap_err();
        assert!(again.to_string().contains("create"), "{again}");
        let file = LocalDisk.open(&path).unwrap();
        assert_eq!(file.size_bytes(), 11);
        assert_eq!(file.read_at(6, 5).unwrap(), Bytes::from_static(b"world"));
        file.read_at(6, 6).unwrap_err();
        LocalDisk.remove(&path).unwrap();
        LocalDisk.remove(&path).unwrap();
    }

    #[test]
    fn the_second_taker_of_a_lock_learns_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("LOCK");
        let TryLock::Held(guard) = LocalDisk.try_lock(&path).unwrap() else {
            panic!("the first taker was refused");
        };
        let TryLock::Busy(holder) = LocalDisk.try_lock(&path).unwrap() else {
            panic!("the second taker was let in");
        };
        assert!(holder.contains(&std::process::id().to_string()), "{holder}");
        drop(guard);
        assert!(matches!(
            LocalDisk.try_lock(&path).unwrap(),
            TryLock::Held(_)
        ));
    }
}
