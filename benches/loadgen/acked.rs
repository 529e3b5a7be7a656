//! The list of what was acknowledged, for tests that kill the server: one line a batch, written
//! before anything else happens to the acknowledgement.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};

use crate::send::Signal;

#[derive(Debug)]
pub(crate) struct AckedFile(Mutex<File>);

impl AckedFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        let file = file.with_context(|| format!("acked file `{}`", path.display()))?;
        Ok(Self(Mutex::new(file)))
    }

    pub(crate) fn note(&self, signal: Signal, batch: u64) -> Result<()> {
        let signal = match signal {
            Signal::Logs => "logs",
            Signal::Traces => "traces",
        };
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        writeln!(file, "{signal} {batch}").context("writing the acked file")
    }
}
