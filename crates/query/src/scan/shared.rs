//! What the scans of one query have in common: the rows they see, who may stop them, what they count.

use std::sync::Arc;

use cairn_storage::Snapshot;

use crate::control::{Cancel, Progress};
use crate::error::{ErrorCode, QueryError, Result};

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
    /// How much they may read.
    pub(crate) limits: ReadLimits,
}

/// Bounds of what a query's scans read together, 0 = none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ReadLimits {
    /// `max_rows_to_read`
    pub(crate) rows: u64,
    /// `max_bytes_to_read`
    pub(crate) bytes: u64,
    /// `read_overflow_mode = 'break'`: stop reading instead of failing.
    pub(crate) stop_quietly: bool,
}

impl ReadLimits {
    /// Whether reading may go on.
    ///
    /// # Errors
    /// When a bound is passed and the query shall fail for it.
    pub(crate) fn allow(self, progress: &Progress) -> Result<bool> {
        let over = |limit: u64, used: u64| limit > 0 && used > limit;
        let (code, what, unit, limit, used) = if over(self.rows, progress.read_rows()) {
            let used = progress.read_rows();
            (
                ErrorCode::TooManyRows,
                "rows",
                "max_rows_to_read",
                self.rows,
                used,
            )
        } else if over(self.bytes, progress.read_bytes()) {
            let used = progress.read_bytes();
            (
                ErrorCode::TooManyBytes,
                "bytes",
                "max_bytes_to_read",
                self.bytes,
                used,
            )
        } else {
            return Ok(true);
        };
        if self.stop_quietly {
            return Ok(false);
        }
        Err(QueryError::new(
            code,
            format!(
                "Limit for {what} (controlled by '{unit}' setting) exceeded, max {what}: {limit}, current {what}: {used}"
            ),
        ))
    }
}
