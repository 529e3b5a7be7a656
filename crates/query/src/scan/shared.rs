//! What the scans of one query have in common: the rows they see, who may stop them, what they count.

use std::sync::Arc;

use cairn_storage::Snapshot;

use crate::control::{Cancel, Progress};

/// What every scan of one query shares.
#[derive(Debug, Clone)]
pub(crate) struct ScanShared {
    /// The rows.
    pub(crate) snapshot: Snapshot,
    /// Stops the scans.
    pub(crate) cancel: Cancel,
    /// Counts what they read.
    pub(crate) progress: Arc<Progress>,
    /// How many partitions a scan has.
    pub(crate) threads: usize,
}
