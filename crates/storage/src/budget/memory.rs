//! The governor of row memory: grants bytes, waits for bytes, counts bytes. It does not measure anything itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::error::{Error, Result};

/// Who grants memory for rows that are not in segments yet.
#[derive(Debug)]
pub(crate) struct Governor {
    used_bytes: AtomicU64,
    limit_bytes: u64,
    freed: Notify,
}

/// A grant; dropping it gives the bytes back.
#[derive(Debug)]
pub(crate) struct Permit {
    governor: Arc<Governor>,
    bytes: u64,
}

impl Governor {
    pub(crate) fn new(limit_bytes: u64) -> Arc<Self> {
        Arc::new(Self {
            used_bytes: AtomicU64::new(0),
            limit_bytes,
            freed: Notify::new(),
        })
    }

    pub(crate) fn used_bytes(&self) -> u64 {
        self.used_bytes.load(Ordering::Acquire)
    }

    /// Grants `bytes` now, or not. A request larger than the whole limit is granted when it is alone.
    pub(crate) fn try_take(self: &Arc<Self>, bytes: u64) -> Option<Permit> {
        let grant = |used: u64| {
            let after = used.saturating_add(bytes);
            (after <= self.limit_bytes || used == 0).then_some(after)
        };
        self.used_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, grant)
            .ok()?;
        Some(Permit {
            governor: Arc::clone(self),
            bytes,
        })
    }

    /// Grants `bytes` whatever the limit says: for rows that are already durable and must not be dropped.
    pub(crate) fn take_anyway(self: &Arc<Self>, bytes: u64) -> Permit {
        self.used_bytes.fetch_add(bytes, Ordering::AcqRel);
        Permit {
            governor: Arc::clone(self),
            bytes,
        }
    }

    /// Waits for `bytes`. The caller bounds the wait.
    pub(crate) async fn take(self: &Arc<Self>, bytes: u64) -> Permit {
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            // Registered before looking, so that a release in between is not missed.
            freed.as_mut().enable();
            if let Some(permit) = self.try_take(bytes) {
                return permit;
            }
            freed.await;
        }
    }

    /// The refusal for a caller that will not wait any longer.
    pub(crate) fn refusal(&self) -> Error {
        Error::Overloaded {
            what: "memory for unflushed rows",
            used_bytes: self.used_bytes(),
            limit_bytes: self.limit_bytes,
        }
    }
}

impl Permit {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Cuts `bytes` off into a permit of their own.
    ///
    /// # Errors
    /// When there are not as many.
    pub(crate) fn split(&mut self, bytes: u64) -> Result<Self> {
        self.bytes = self
            .bytes
            .checked_sub(bytes)
            .ok_or_else(|| Error::Internal {
                what: format!("{bytes} bytes split off a permit of {}", self.bytes),
            })?;
        Ok(Self {
            governor: Arc::clone(&self.governor),
            bytes,
        })
    }

    /// Takes over what `other` granted.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        other.bytes = 0;
    }

    /// Makes it a permit of exactly `bytes`: what was granted was an estimate.
    pub(crate) fn resize(&mut self, bytes: u64) {
        let used = &self.governor.used_bytes;
        if bytes > self.bytes {
            used.fetch_add(bytes - self.bytes, Ordering::AcqRel);
        } else {
            used.fetch_sub(self.bytes - bytes, Ordering::AcqRel);
            self.governor.freed.notify_waiters();
        }
        self.bytes = bytes;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.resize(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_never_exceed_the_limit_and_come_back() {
        let governor = Governor::new(100);
        let mut first = governor.try_take(80).unwrap();
        assert!(governor.try_take(21).is_none());
        let second = governor.try_take(20).unwrap();
        let part = first.split(30).unwrap();
        first.absorb(second);
        assert_eq!((first.bytes(), governor.used_bytes()), (70, 100));
        first.split(71).unwrap_err();
        drop((first, part));
        assert_eq!(governor.used_bytes(), 0);
        // Larger than the limit, but alone.
        let large = governor.try_take(1_000).unwrap();
        assert!(governor.try_take(1).is_none());
        drop(large);
    }

    #[tokio::test]
    async fn a_waiter_gets_what_another_gives_back() {
        let governor = Governor::new(10);
        let held = governor.try_take(10).unwrap();
        let waiting = tokio::spawn({
            let governor = Arc::clone(&governor);
            async move { governor.take(4).await.bytes() }
        });
        tokio::task::yield_now().await;
        drop(held);
        let waited = tokio::time::timeout(std::time::Duration::from_secs(10), waiting);
        assert_eq!(waited.await.unwrap().unwrap(), 4);
    }
}
