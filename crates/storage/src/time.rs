//! Time as the engine sees it: nanoseconds since 1970 in UTC, inclusive ranges, and the only clock.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};

/// Nanoseconds in one second.
pub const NANOS_PER_SECOND: i64 = 1_000_000_000;
/// Nanoseconds in the 5-minute bucket that heads every sort key.
pub const NANOS_PER_BUCKET: i64 = 300 * NANOS_PER_SECOND;
/// Nanoseconds in a UTC day; segments never cross one.
pub const NANOS_PER_DAY: i64 = 86_400 * NANOS_PER_SECOND;

/// A point in time: nanoseconds since 1970-01-01 00:00:00 UTC. Valid data lies in `[0, i64::MAX]`, which ends in 2262.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Nanos(pub i64);

impl Nanos {
    /// Number of the UTC day (0 = 1970-01-01).
    #[must_use]
    pub fn day(self) -> i64 {
        self.0.div_euclid(NANOS_PER_DAY)
    }

    /// Number of the 5-minute bucket.
    #[must_use]
    pub fn bucket(self) -> i64 {
        self.0.div_euclid(NANOS_PER_BUCKET)
    }

    /// Nanoseconds from `earlier` to `self`, 0 when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0)
    }
}

/// An inclusive range of time. Empty ranges do not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    /// First instant.
    pub min: Nanos,
    /// Last instant.
    pub max: Nanos,
}

impl TimeRange {
    /// The range that covers both.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    /// Whether the two share an instant.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.min <= other.max && other.min <= self.max
    }
}

/// Where "now" comes from. Injected, so that tests need no sleep.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Wall-clock time.
    fn now(&self) -> Nanos;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Nanos {
        let since_epoch = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Nanos(i64::try_from(since_epoch.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// Measures how long something took, for statistics only: nothing is decided by it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    pub(crate) fn elapsed_ns(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

/// A clock that a test moves.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        Self(AtomicI64::new(now.0))
    }

    /// Moves the clock to `now`, backwards too.
    pub fn set(&self, now: Nanos) {
        self.0.store(now.0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Nanos {
        Nanos(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_days_are_aligned_to_utc() {
        assert_eq!(Nanos(NANOS_PER_DAY - 1).day(), 0);
        assert_eq!(Nanos(NANOS_PER_DAY).day(), 1);
        assert_eq!(Nanos(-1).day(), -1);
        assert_eq!(Nanos(NANOS_PER_BUCKET * 7 + 1).bucket(), 7);
    }

    #[test]
    fn ranges_overlap_when_they_share_an_instant() {
        let range = |min, max| TimeRange {
            min: Nanos(min),
            max: Nanos(max),
        };
        assert!(range(1, 5).overlaps(range(5, 9)));
        assert!(!range(1, 4).overlaps(range(5, 9)));
        assert_eq!(range(1, 4).union(range(2, 9)), range(1, 9));
    }
}
