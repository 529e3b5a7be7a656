//! The state behind the scripted disk: files, names, and which part of both would survive a power cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::FileEntry;

#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    inodes: Vec<Inode>,
    /// Names as a reader sees them, and as they would be after a power cut.
    names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    dirs: BTreeSet<PathBuf>,
    durable_dirs: BTreeSet<PathBuf>,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    data: Vec<u8>,
    /// Bytes from the front that a sync has reached.
    synced: usize,
    /// Parts of them whose pages a failed sync had dropped before: zeros after a power cut.
    lost: Vec<Range<usize>>,
}

impl Model {
    pub(super) fn create(&mut self, path: &Path) -> io::Result<usize> {
        self.need_dir(path)?;
        if self.names.contains_key(path) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        let inode = self.inodes.len();
        self.inodes.push(Inode::default());
        self.names.insert(path.to_owned(), inode);
        Ok(inode)
    }

    fn need_dir(&self, path: &Path) -> io::Result<()> {
        let known = path.parent().is_some_and(|dir| self.dirs.contains(dir));
        known
            .then_some(())
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    pub(super) fn append(&mut self, inode: usize, bytes: &[u8]) {
        if let Some(inode) = self.inodes.get_mut(inode) {
            inode.data.extend_from_slice(bytes);
        }
    }

    pub(super) fn sync(&mut self, inode: usize) {
        if let Some(inode) = self.inodes.get_mut(inode) {
            inode.synced = inode.data.len();
        }
    }

    pub(super) fn sync_path(&mut self, path: &Path) -> io::Result<()> {
        let inode = self.inode_of(path)?;
        self.sync(inode);
        Ok(())
    }

    /// A failed sync drops the dirty pages: a later one succeeds without having written them.
    pub(super) fn on_failed(&mut self, op: &str, path: &Path) {
        if op != "fsync" {
            return;
        }
        let inode = self.names.get(path).copied();
        if let Some(inode) = inode.and_then(|inode| self.inodes.get_mut(inode)) {
            inode.lost.push(inode.synced..inode.data.len());
        }
    }

    fn inode_of(&self, path: &Path) -> io::Result<usize> {
        self.names
            .get(path)
            .copied()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    pub(super) fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.need_dir(to)?;
        let inode = self.inode_of(from)?;
        self.names.remove(from);
        self.names.insert(to.to_owned(), inode);
        Ok(())
    }

    pub(super) fn link(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.need_dir(to)?;
        let inode = self.inode_of(from)?;
        if self.names.contains_key(to) {
            return Err(io::Error::from(io::ErrorKind::AlreadyExists));
        }
        self.names.insert(to.to_owned(), inode);
        Ok(())
    }

    pub(super) fn remove(&mut self, path: &Path) {
        self.names.remove(path);
    }

    pub(super) fn create_dir(&mut self, path: &Path) {
        self.dirs.insert(path.to_owned());
    }

    pub(super) fn sync_dir(&mut self, path: &Path) {
        let here = |name: &Path| name.parent() == Some(path);
        self.durable_names.retain(|name, _| !here(name));
        let current = self.names.iter().filter(|(name, _)| here(name));
        self.durable_names
            .extend(current.map(|(name, inode)| (name.clone(), *inode)));
        let dirs = self.dirs.iter().filter(|dir| here(dir)).cloned();
        self.durable_dirs.extend(dirs);
    }

    pub(super) fn read(&self, path: &Path) -> Option<&[u8]> {
        let inode = self.inodes.get(*self.names.get(path)?)?;
        Some(&inode.data)
    }

    pub(super) fn edit(&mut self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let inode = self.names.get(path).copied();
        if let Some(inode) = inode.and_then(|inode| self.inodes.get_mut(inode)) {
            change(&mut inode.data);
            inode.synced = inode.data.len();
        }
    }

    pub(super) fn files(&self) -> Vec<(PathBuf, u64)> {
        let size = |inode: &usize| self.inodes.get(*inode).map_or(0, |i| i.data.len() as u64);
        self.names
            .iter()
            .map(|(name, inode)| (name.clone(), size(inode)))
            .collect()
    }

    pub(super) fn list(&self, dir: &Path) -> Option<Vec<FileEntry>> {
        let entries = self.files().into_iter().filter_map(|(path, size_bytes)| {
            let name = path.file_name()?.to_str()?.to_owned();
            (path.parent() == Some(dir)).then_some(FileEntry { name, size_bytes })
        });
        self.dirs.contains(dir).then(|| entries.collect())
    }

    pub(super) fn list_dirs(&self, dir: &Path) -> Option<Vec<String>> {
        let below = self.dirs.iter().filter(|path| path.parent() == Some(dir));
        let names = below.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
        self.dirs.contains(dir).then(|| names.collect())
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let linked: BTreeSet<usize> = self.names.values().copied().collect();
        linked
            .into_iter()
            .filter_map(|inode| self.inodes.get(inode))
            .map(|inode| inode.data.len() as u64)
            .sum()
    }

    /// What a power cut leaves; with a seed, plus a random part of what was on its way.
    pub(super) fn after_crash(&self, seed: Option<u64>) -> Self {
        let mut luck = seed.map(Luck);
        let mut names = self.durable_names.clone();
        let mut dirs = self.durable_dirs.clone();
        if let Some(luck) = &mut luck {
            dirs.extend(self.dirs.iter().filter(|_| luck.coin()).cloned());
            let touched: BTreeSet<&PathBuf> =
                self.names.keys().chain(self.durable_names.keys()).collect();
            for name in touched {
                if self.names.get(name) != self.durable_names.get(name) && luck.coin() {
                    match self.names.get(name) {
                        Some(inode) => names.insert(name.clone(), *inode),
                        None => names.remove(name),
                    };
                }
            }
        }
        // A directory that did not make it takes its files with it.
        dirs = dirs
            .iter()
            .filter(|dir| {
                dir.ancestors()
                    .all(|a| dirs.contains(a) || !self.dirs.contains(a))
            })
            .cloned()
            .collect();
        names.retain(|name, _| name.parent().is_some_and(|dir| dirs.contains(dir)));
        let inodes = self.inodes.iter().map(|i| i.after_crash(&mut luck));
        Self {
            inodes: inodes.collect(),
            durable_names: names.clone(),
            names,
            durable_dirs: dirs.clone(),
            dirs,
        }
    }
}

impl Inode {
    fn after_crash(&self, luck: &mut Option<Luck>) -> Self {
        let mut data = self.data.clone();
        let unsynced = data.len().saturating_sub(self.synced);
        let kept = luck.as_mut().map_or(0, |luck| luck.below(unsynced + 1));
        data.truncate(self.synced.saturating_add(kept));
        for lost in &self.lost {
            let end = lost.end.min(data.len());
            if let Some(bytes) = data.get_mut(lost.start..end) {
                bytes.fill(0);
            }
        }
        Self {
            synced: data.len(),
            data,
            lost: Vec::new(),
        }
    }
}

/// A tiny generator (SplitMix64), so that a seed printed by a failing test says everything.
#[derive(Debug)]
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn coin(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % bound).unwrap_or(0)
    }
}
