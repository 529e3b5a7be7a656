//! How a file becomes visible: unique temporary file, write, fdatasync, close, move to a never-used name, fsync of the
//! directory. Every step may be repeated; after an error the disk is asked what really happened.

use std::io;
use std::path::{Path, PathBuf};

use super::{Disk, WriteFile};
use crate::error::{Error, Result};
use crate::names::DataDir;

/// A file that nobody sees yet. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct StagedFile<'a> {
    disk: &'a dyn Disk,
    tmp: PathBuf,
    file: Option<Box<dyn WriteFile>>,
    written_bytes: u64,
}

/// Outcome of an exclusive publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    /// The name stands for our bytes.
    Ours,
    /// Somebody else took the name first.
    Taken,
}

impl<'a> StagedFile<'a> {
    /// Starts a temporary file in `dirs`' own place for them.
    pub(crate) fn create(disk: &'a dyn Disk, dirs: &DataDir) -> Result<Self> {
        let tmp = dirs.new_tmp_file();
        let file = disk.create(&tmp)?;
        Ok(Self {
            disk,
            tmp,
            file: Some(file),
            written_bytes: 0,
        })
    }

    /// Appends `bytes`.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let file = self.file.as_mut().ok_or_else(|| closed(&self.tmp))?;
        file.append(bytes)?;
        self.written_bytes = self
            .written_bytes
            .saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Bytes appended so far.
    pub(crate) fn written_bytes(&self) -> u64 {
        self.written_bytes
    }

    /// Makes what was appended so far durable, so that a long write does not pile up dirty pages.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.file.as_mut().ok_or_else(|| closed(&self.tmp))?.sync()
    }

    /// Makes the file durable under the name `target`, which must never have been used. Its directory must exist.
    pub(crate) fn commit(mut self, target: &Path) -> Result<()> {
        self.finish_writing()?;
        if let Err(error) = self.disk.rename(&self.tmp, target) {
            // A timeout on a network volume may report failure for a rename that happened.
            if self.size_of(target)? != Some(self.written_bytes) {
                return Err(error);
            }
        }
        let size_bytes = self.size_of(target)?;
        if size_bytes != Some(self.written_bytes) {
            return Err(Error::Corrupt {
                path: target.to_owned(),
                what: format!(
                    "{} bytes were written but {size_bytes:?} are there",
                    self.written_bytes
                ),
            });
        }
        sync_parent(self.disk, target)
    }

    fn finish_writing(&mut self) -> Result<()> {
        let mut file = self.file.take().ok_or_else(|| closed(&self.tmp))?;
        file.sync()?;
        file.close()
    }

    fn size_of(&self, path: &Path) -> Result<Option<u64>> {
        match self.disk.open(path) {
            Ok(file) => Ok(Some(file.size_bytes())),
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Drop for StagedFile<'_> {
    fn drop(&mut self) {
        // Gone already after a rename. A failure leaves a file that the sweep at the next start removes.
        self.file = None;
        self.disk.remove(&self.tmp).ok();
    }
}

fn closed(path: &Path) -> Error {
    Error::Internal {
        what: format!("`{}` is written after it was closed", path.display()),
    }
}

/// Writes `bytes` to a new file `target` in one go.
pub(crate) fn write_file(
    disk: &dyn Disk,
    dirs: &DataDir,
    target: &Path,
    bytes: &[u8],
) -> Result<()> {
    let mut staged = StagedFile::create(disk, dirs)?;
    staged.append(bytes)?;
    staged.commit(target)
}

/// Creates `target` with `bytes` if and only if nobody has created it. May be repeated with the same bytes, which
/// must be unlike anybody else's.
///
/// # Errors
/// Any error leaves open whether `target` exists; repeat the call to find out.
pub(crate) fn publish_exclusive(
    disk: &dyn Disk,
    dirs: &DataDir,
    target: &Path,
    bytes: &[u8],
) -> Result<Published> {
    let mut staged = StagedFile::create(disk, dirs)?;
    staged.append(bytes)?;
    staged.finish_writing()?;
    if let Err(error) = disk.link(&staged.tmp, target) {
        // The link may exist all the same: ours, when a reply got lost, or somebody else's.
        match read_whole(disk, target, staged.written_bytes) {
            Ok(Some(found)) if found == bytes => {}
            Ok(Some(_)) => return Ok(Published::Taken),
            Ok(None) | Err(_) => return Err(error),
        }
    }
    sync_parent(disk, target)?;
    Ok(Published::Ours)
}

/// The first bytes of `path`, at most one more than `expected_bytes` (enough to see that it is longer).
fn read_whole(disk: &dyn Disk, path: &Path, expected_bytes: u64) -> Result<Option<Vec<u8>>> {
    let file = match disk.open(path) {
        Ok(file) => file,
        Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let len = file.size_bytes().min(expected_bytes.saturating_add(1));
    let len = usize::try_from(len).unwrap_or(usize::MAX);
    Ok(Some(file.read_at(0, len)?.to_vec()))
}

/// Moves a file and makes its new name durable, so that it cannot vanish from both places.
pub(crate) fn move_file(disk: &dyn Disk, from: &Path, to: &Path) -> Result<()> {
    disk.rename(from, to)?;
    sync_parent(disk, to)
}

fn sync_parent(disk: &dyn Disk, path: &Path) -> Result<()> {
    path.parent().map_or(Ok(()), |parent| disk.sync_dir(parent))
}

/// Creates `dir` and whatever is missing between it and `root`, which exists, and makes each new entry durable.
pub(crate) fn make_dirs(disk: &dyn Disk, root: &Path, dir: &Path) -> Result<()> {
    let mut levels: Vec<&Path> = dir
        .ancestors()
        .take_while(|level| level.starts_with(root) && *level != root)
        .collect();
    levels.reverse();
    for level in levels {
        disk.create_dir(level)?;
        sync_parent(disk, level)?;
    }
    Ok(())
}

/// Creates the data directory itself, and its parents, as far as they do not exist yet. The entries of existing ones
/// are made durable too: an earlier start may have died before it did that.
pub(crate) fn make_root(disk: &dyn Disk, root: &Path) -> Result<()> {
    let mut levels: Vec<(&Path, &Path)> = root
        .ancestors()
        .filter_map(|level| Some((level, level.parent()?)))
        .collect();
    levels.reverse();
    for (level, parent) in levels {
        let exists = disk.list(level).is_ok();
        if !exists {
            disk.create_dir(level)?;
        }
        let parent = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
        match disk.sync_dir(parent) {
            // Directories far above may be none of our business, and then we have not created anything in them.
            Err(Error::Io { source, .. })
                if exists
                    && matches!(
                        source.kind(),
                        io::ErrorKind::PermissionDenied | io::ErrorKind::InvalidInput
                    ) => {}
            synced => synced?,
        }
    }
    Ok(())
}
