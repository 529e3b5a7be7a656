//! Publishes edits: check, create the version's file exclusively, then show it. Writes checkpoints and clears up.

use std::sync::Arc;

use parking_lot::Mutex;

use super::file::{self, EditFile, VersionedEdit};
use super::recover::{self, Recovery};
use super::state::{Edit, State};
use crate::error::{Error, Result};
use crate::ids::Version;
use crate::io::Disk;
use crate::io::atomic::{self, Published};
use crate::limits;
use crate::names::{DataDir, ManifestFile};

/// What the manifest works with.
#[derive(Debug, Clone)]
pub(crate) struct ManifestParts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) dirs: DataDir,
}

/// The one writer of versions.
#[derive(Debug)]
pub(crate) struct Manifest {
    parts: ManifestParts,
    writer: String,
    log: Mutex<Log>,
}

#[derive(Debug)]
struct Log {
    state: Arc<State>,
    previous: Option<VersionedEdit>,
    /// Number of the newest file that exists, valid or not.
    newest: Version,
    /// A publish whose outcome is not known: it must be settled before anything else.
    in_doubt: Option<Prepared>,
    /// Somebody else created a version: never publish again.
    fenced: bool,
    last_checkpoint: Version,
    bytes: u64,
}

/// An edit and the exact bytes that were tried for it.
#[derive(Debug, Clone)]
struct Prepared {
    this: VersionedEdit,
    bytes: Vec<u8>,
}

impl Manifest {
    /// Finds the newest state on disk.
    pub(crate) fn open(parts: ManifestParts) -> Result<(Self, Recovery)> {
        let recovery = recover::recover(parts.disk.as_ref(), &parts.dirs)?;
        let log = Log {
            state: Arc::new(recovery.state.clone()),
            previous: recovery.previous.clone(),
            newest: recovery.newest,
            in_doubt: None,
            fenced: false,
            last_checkpoint: recovery.last_checkpoint,
            bytes: recovery.bytes,
        };
        let manifest = Self {
            parts,
            writer: uuid::Uuid::new_v4().simple().to_string(),
            log: Mutex::new(log),
        };
        Ok((manifest, recovery))
    }

    /// The state as last published.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.log.lock().state)
    }

    /// Bytes of all manifest files, roughly.
    pub(crate) fn bytes(&self) -> u64 {
        self.log.lock().bytes
    }

    /// Makes `edit` durable and visible.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process published: stop writing. After any other error it is not known whether
    /// the edit is durable: nothing it adds may be deleted, and the same edit has to be published again.
    pub(crate) fn publish(&self, edit: &Edit) -> Result<Arc<State>> {
        let mut log = self.log.lock();
        if log.fenced {
            return Err(self.locked());
        }
        let prepared = match log.in_doubt.take() {
            Some(doubt) if doubt.this.edit == *edit => doubt,
            Some(doubt) => {
                log.in_doubt = Some(doubt);
                return Err(Error::Internal {
                    what: "an edit is published while another one is in doubt".to_owned(),
                });
            }
            None => self.prepare(&log, edit)?,
        };
        let version = prepared.this.version;
        let target = self.parts.dirs.manifest_file(ManifestFile::Edit(version));
        let disk = self.parts.disk.as_ref();
        match atomic::publish_exclusive(disk, &self.parts.dirs, &target, &prepared.bytes) {
            Ok(Published::Ours) => {}
            Ok(Published::Taken) => {
                log.fenced = true;
                return Err(self.locked());
            }
            Err(error) => {
                log.in_doubt = Some(prepared);
                return Err(error);
            }
        }
        let mut state = State::clone(&log.state);
        state.apply(version, &prepared.this.edit);
        log.state = Arc::new(state);
        log.newest = version;
        log.bytes = log.bytes.saturating_add(len_u64(prepared.bytes.len()));
        log.previous = Some(prepared.this);
        self.checkpoint_if_due(&mut log);
        Ok(Arc::clone(&log.state))
    }

    fn locked(&self) -> Error {
        Error::Locked {
            path: self.parts.dirs.root().to_owned(),
            holder: "it has published a newer manifest version".to_owned(),
        }
    }

    fn prepare(&self, log: &Log, edit: &Edit) -> Result<Prepared> {
        let version = log.newest.next();
        log.state.check(version, edit)?;
        let this = VersionedEdit {
            version,
            base: log.state.version,
            edit: edit.clone(),
        };
        let bytes = EditFile::new(&self.writer, this.clone(), log.previous.clone())
            .encode()
            .map_err(|what| Error::Internal { what })?;
        Ok(Prepared { this, bytes })
    }

    /// Writes a checkpoint now and then. It only shortens the next start: failing is logged and tried again later.
    fn checkpoint_if_due(&self, log: &mut Log) {
        let version = log.state.version;
        if version.0
            < log
                .last_checkpoint
                .0
                .saturating_add(limits::CHECKPOINT_VERSIONS)
        {
            return;
        }
        let before = log.last_checkpoint;
        let target = self
            .parts
            .dirs
            .manifest_file(ManifestFile::Checkpoint(version));
        let disk = self.parts.disk.as_ref();
        let written = file::encode_checkpoint(&log.state)
            .map_err(|what| Error::Internal { what })
            .and_then(|bytes| atomic::write_file(disk, &self.parts.dirs, &target, &bytes));
        match written {
            Ok(()) => log.last_checkpoint = version,
            Err(error) => {
                tracing::warn!(%version, %error, "cannot write a manifest checkpoint");
                return;
            }
        }
        match self.clear_before(before) {
            Ok(bytes) => log.bytes = bytes,
            Err(error) => tracing::warn!(%error, "cannot remove old manifest files"),
        }
    }

    /// Removes what the checkpoint `kept` and everything after it do not need; returns what remains.
    fn clear_before(&self, kept: Version) -> Result<u64> {
        let disk = self.parts.disk.as_ref();
        let mut bytes = 0_u64;
        for entry in disk.list(&self.parts.dirs.manifest_dir())? {
            let obsolete = match ManifestFile::parse(&entry.name) {
                Some(ManifestFile::Edit(version)) => version <= kept,
                Some(ManifestFile::Checkpoint(version)) => version < kept,
                None => false,
            };
            if obsolete {
                disk.remove(&self.parts.dirs.manifest_dir().join(&entry.name))?;
            } else {
                bytes = bytes.saturating_add(entry.size_bytes);
            }
        }
        Ok(bytes)
    }
}

fn len_u64(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
