//! Takes the lock of a data directory, waiting a little for a predecessor that is still going away.
//!
//! The lock is an early warning. What really keeps two writers apart is the exclusive creation of manifest versions.

use std::path::Path;
use std::time::Duration;

use super::{Disk, LockGuard, TryLock};
use crate::error::{Error, Result};
use crate::limits;

/// Takes `lock_file`, trying for up to `wait_ms`.
///
/// # Errors
/// [`Error::Locked`] when another process still holds it after that.
pub(crate) fn acquire(
    disk: &dyn Disk,
    lock_file: &Path,
    data_dir: &Path,
    wait_ms: u64,
) -> Result<Box<dyn LockGuard>> {
    let attempts = wait_ms / limits::LOCK_RETRY_MS;
    let mut attempt = 0;
    loop {
        let holder = match disk.try_lock(lock_file)? {
            TryLock::Held(guard) => return Ok(guard),
            TryLock::Busy(holder) => holder,
        };
        if attempt >= attempts {
            return Err(Error::Locked {
                path: data_dir.to_owned(),
                holder,
            });
        }
        if attempt == 0 {
            tracing::warn!(
                path = %data_dir.display(),
                holder,
                wait_ms,
                "the data directory is in use by another process, waiting for it"
            );
        }
        attempt += 1;
        std::thread::sleep(Duration::from_millis(limits::LOCK_RETRY_MS));
    }
}
