//! Admission by bytes in flight: what is let in is counted until its permit is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_storage::PayloadCompression;

use crate::error::IngestError;
use crate::limits::{COMPRESSED_GROWTH_ESTIMATE, MAX_REQUEST_BYTES};

/// Counts the bytes of requests in flight against a limit. Clones share the count.
#[derive(Debug, Clone)]
pub struct Admission {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

/// Bytes that were let in; given back when dropped.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    shared: Arc<Shared>,
    bytes: u64,
}

/// Bytes to admit for a request of `payload_bytes` before it is decoded: the body itself, and twice
/// its decompressed size for the columns built from it. A guess for compressed bodies; their permit
/// grows if it was too low.
#[must_use]
pub fn admission_bytes(payload_bytes: u64, compression: PayloadCompression) -> u64 {
    let request_max = u64::try_from(MAX_REQUEST_BYTES).unwrap_or(u64::MAX);
    let decoded = match compression {
        PayloadCompression::None => payload_bytes,
        PayloadCompression::Gzip | PayloadCompression::Zstd | PayloadCompression::Deflate => {
            payload_bytes
                .saturating_mul(COMPRESSED_GROWTH_ESTIMATE)
                .min(request_max.max(payload_bytes))
        }
    };
    payload_bytes.saturating_add(decoded.saturating_mul(2))
}

impl Admission {
    /// Admits up to `limit_bytes` at a time.
    #[must_use]
    pub fn new(limit_bytes: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                limit_bytes,
                used_bytes: AtomicU64::new(0),
            }),
        }
    }

    /// Lets `bytes` in, or says at once that there is no room. A request alone is always let in,
    /// whatever its size: its own bounds hold, and refusing it for ever would help nobody.
    ///
    /// # Errors
    ///
    /// `Overloaded` when other requests are in flight and the limit would be passed.
    pub fn try_admit(&self, bytes: u64) -> Result<Permit, IngestError> {
        self.shared.take(bytes, 0)?;
        Ok(Permit {
            shared: Arc::clone(&self.shared),
            bytes,
        })
    }

    /// Bytes in flight.
    #[must_use]
    pub fn used_bytes(&self) -> u64 {
        self.shared.used_bytes.load(Ordering::Relaxed)
    }

    /// The limit.
    #[must_use]
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit_bytes
    }
}

impl Shared {
    /// Takes `bytes` for someone who holds `held` already.
    fn take(&self, bytes: u64, held: u64) -> Result<(), IngestError> {
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                let total = used.checked_add(bytes)?;
                (total <= self.limit_bytes || used == held).then_some(total)
            })
            .map(drop)
            .map_err(|used_bytes| IngestError::Overloaded {
                used_bytes,
                limit_bytes: self.limit_bytes,
            })
    }
}

impl Permit {
    /// Grows the permit to at least `bytes`.
    ///
    /// # Errors
    ///
    /// `Overloaded` when there is no room; the permit keeps its size.
    pub fn grow_to(&mut self, bytes: u64) -> Result<(), IngestError> {
        let more = bytes.saturating_sub(self.bytes);
        if more > 0 {
            self.shared.take(more, self.bytes)?;
            self.bytes += more;
        }
        Ok(())
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared
            .used_bytes
            .fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_counted_until_they_are_dropped() {
        let admission = Admission::new(100);
        let first = admission.try_admit(60).unwrap();
        let error = admission.try_admit(41).unwrap_err();
        assert_eq!(
            error,
            IngestError::Overloaded {
                used_bytes: 60,
                limit_bytes: 100
            }
        );
        let second = admission.try_admit(40).unwrap();
        assert_eq!(admission.used_bytes(), 100);
        drop(first);
        assert_eq!(admission.used_bytes(), 40);
        drop(second);
        assert_eq!(admission.used_bytes(), 0);
    }

    #[test]
    fn a_permit_grows_while_there_is_room() {
        let admission = Admission::new(100);
        let mut permit = admission.try_admit(10).unwrap();
        permit.grow_to(5).unwrap();
        assert_eq!(permit.bytes(), 10);
        permit.grow_to(50).unwrap();
        let other = admission.try_admit(50).unwrap();
        assert!(permit.grow_to(51).is_err());
        assert_eq!(permit.bytes(), 50);
        drop(other);
        permit.grow_to(51).unwrap();
        drop(permit);
        assert_eq!(admission.used_bytes(), 0);
    }

    #[test]
    fn a_request_alone_is_admitted_even_if_it_is_larger_than_the_limit() {
        let admission = Admission::new(100);
        let mut large = admission.try_admit(500).unwrap();
        large.grow_to(600).unwrap();
        assert!(admission.try_admit(1).is_err());
        drop(large);
        drop(admission.try_admit(1).unwrap());
    }

    #[test]
    fn compressed_requests_are_estimated_larger() {
        assert_eq!(admission_bytes(100, PayloadCompression::None), 300);
        assert_eq!(admission_bytes(100, PayloadCompression::Zstd), 1_700);
        let body = 60 * 1024 * 1024;
        assert_eq!(
            admission_bytes(body, PayloadCompression::Gzip),
            body + 2 * 64 * 1024 * 1024
        );
    }
}
