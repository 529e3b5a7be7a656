//! What the rows of system tables are made from: the state of things when the query was planned.

use std::sync::Arc;

use cairn_storage::Snapshot;

use crate::facts::ServerFacts;

/// The moment of a query.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// The rows that the query sees.
    pub(crate) snapshot: Snapshot,
    /// Settings of the request and of the statement, the last of a name counts.
    pub(crate) settings: Vec<(String, String)>,
    /// What the process around the engine knows.
    pub(crate) server: Arc<dyn ServerFacts>,
    /// Where segments are, as text.
    pub(crate) data_path: String,
    /// When the process began, seconds since 1970.
    pub(crate) started_s: u64,
}

impl Default for Moment {
    fn default() -> Self {
        Self {
            snapshot: Snapshot::default(),
            settings: Vec::new(),
            server: Arc::new(()),
            data_path: String::new(),
            started_s: 0,
        }
    }
}
