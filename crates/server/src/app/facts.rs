//! What system tables show of this process.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use cairn_query::{DiskFact, FigureFact, FormatFact, LoggedFact, RunningFact, ServerFacts};
use cairn_storage::{Disk, LocalDisk};

use crate::clickhouse::{self, Processes};
use crate::config::Config;
use crate::ops::Sources;

/// Answers for the process.
#[derive(Debug)]
pub(super) struct ProcessFacts {
    data_dir: PathBuf,
    /// Weak: the figures hold the engine, and the engine holds this.
    sources: Weak<Sources>,
    processes: Arc<Processes>,
    users: Vec<String>,
}

impl ProcessFacts {
    pub(super) fn new(
        config: &Config,
        sources: &Arc<Sources>,
        processes: Arc<Processes>,
        users: Vec<String>,
    ) -> Self {
        Self {
            data_dir: config.data_dir.clone(),
            sources: Arc::downgrade(sources),
            processes,
            users,
        }
    }
}

impl ServerFacts for ProcessFacts {
    fn running(&self) -> Vec<RunningFact> {
        self.processes.running_facts()
    }

    fn logged(&self) -> Vec<LoggedFact> {
        self.processes.logged_facts()
    }

    fn formats(&self) -> Vec<FormatFact> {
        clickhouse::format_facts()
    }

    fn figures(&self) -> Vec<FigureFact> {
        let sources = self.sources.upgrade();
        sources.map_or_else(Vec::new, |sources| sources.figures())
    }

    fn disks(&self) -> Vec<DiskFact> {
        // A disk that cannot be asked is shown without figures, not left out.
        let space = LocalDisk.space(&self.data_dir).ok();
        vec![DiskFact {
            name: "default".to_owned(),
            path: self.data_dir.display().to_string(),
            free_bytes: space.map_or(0, |space| space.available_bytes),
            total_bytes: space.map_or(0, |space| space.total_bytes),
            keep_free_bytes: 0,
        }]
    }

    fn build_options(&self) -> Vec<(String, String)> {
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        vec![
            option("PRODUCT", "Cairn"),
            option("VERSION_FULL", concat!("Cairn ", env!("CARGO_PKG_VERSION"))),
            option("SYSTEM", std::env::consts::OS),
            option("SYSTEM_PROCESSOR", std::env::consts::ARCH),
        ]
    }

    fn users(&self) -> Vec<String> {
        self.users.clone()
    }
}
