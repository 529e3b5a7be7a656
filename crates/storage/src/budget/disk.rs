//! How much of the disk may be used, how much is, and what follows: evict, refuse. Counts nothing itself.

use parking_lot::Mutex;

use crate::limits;

/// Eviction starts when less than this part of the allowed bytes is left, at most [`START_BYTES`].
const START_PARTS: u64 = 10;

/// See [`START_PARTS`].
const START_BYTES: u64 = 2 << 30;

/// It frees this part more, so that the next flush does not start it again.
const STEP_PARTS: u64 = 2;

/// Writes are refused when less than this part of the allowed bytes is left, at most [`REFUSE_BYTES`]: a flush holds rows
/// twice for a moment, in the WAL and in the segment that it writes.
const REFUSE_LEFT_PARTS: u64 = 32;

/// See [`REFUSE_LEFT_PARTS`].
const REFUSE_BYTES: u64 = 256 << 20;

/// Free bytes on the volume at which writes are refused, as a part of those at which eviction starts.
const REFUSE_PARTS: u64 = 2;

/// What may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskLimits {
    /// Bytes of everything that is ours.
    pub(crate) max_bytes: Option<u64>,
    /// Bytes that stay free on the volume.
    pub(crate) min_free_bytes: u64,
}

/// The figures as last measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DiskUsage {
    /// Bytes of everything that is ours.
    pub used_bytes: u64,
    /// Bytes of temporary, quarantined and spilled files and of the ballast among them.
    pub other_bytes: u64,
    /// Bytes among them that go as soon as the queries end that still read them.
    pub leaving_bytes: u64,
    /// Bytes that may still be written to the volume; none when it is not known.
    pub available_bytes: Option<u64>,
}

/// The disk budget.
#[derive(Debug)]
pub(crate) struct DiskBudget {
    limits: DiskLimits,
    usage: Mutex<DiskUsage>,
}

impl DiskBudget {
    pub(crate) fn new(limits: DiskLimits) -> Self {
        Self {
            limits,
            usage: Mutex::new(DiskUsage::default()),
        }
    }

    /// Takes new figures.
    pub(crate) fn measured(&self, usage: DiskUsage) {
        *self.usage.lock() = usage;
    }

    /// The figures as last measured.
    pub(crate) fn usage(&self) -> DiskUsage {
        *self.usage.lock()
    }

    /// Bytes that have to be evicted.
    pub(crate) fn missing_bytes(&self) -> u64 {
        let usage = self.usage();
        // What was dropped already is as good as free: nothing more goes because a query still reads it.
        let used_bytes = usage.used_bytes.saturating_sub(usage.leaving_bytes);
        let available = usage
            .available_bytes
            .map(|bytes| bytes.saturating_add(usage.leaving_bytes));
        let over = self.limits.max_bytes.map_or(0, |max| {
            let slack = (max / START_PARTS).min(START_BYTES);
            let over = used_bytes.saturating_sub(max.saturating_sub(slack));
            if over > 0 {
                over.saturating_add(slack / STEP_PARTS)
            } else {
                0
            }
        });
        let min_free = self.limits.min_free_bytes;
        let under = match available {
            Some(free) if free < min_free => {
                // A little more, so that the next flush does not start it again.
                min_free
                    .saturating_sub(free)
                    .saturating_add(min_free / START_PARTS)
            }
            Some(_) | None => 0,
        };
        over.max(under)
    }

    /// Bytes that a merge may write without bringing eviction on.
    pub(crate) fn room_bytes(&self) -> u64 {
        let usage = self.usage();
        let allowed = self.limits.max_bytes.map_or(u64::MAX, |max| {
            max.saturating_sub((max / START_PARTS).min(START_BYTES))
                .saturating_sub(usage.used_bytes)
        });
        let reserve = self.limits.min_free_bytes.max(limits::RESERVE_BYTES);
        let free = usage.available_bytes.unwrap_or(u64::MAX);
        allowed.min(free.saturating_sub(reserve))
    }

    /// Why nothing more may be written, when `used_bytes` are used by now.
    pub(crate) fn refusal(&self, used_bytes: u64) -> Option<String> {
        if let Some(max) = self.limits.max_bytes
            && used_bytes >= max.saturating_sub((max / REFUSE_LEFT_PARTS).min(REFUSE_BYTES))
        {
            return Some(format!(
                "{used_bytes} bytes are stored and {max} are allowed"
            ));
        }
        let least = self.limits.min_free_bytes / REFUSE_PARTS;
        let free = self.usage().available_bytes?;
        (free < least).then(|| format!("{free} bytes are free on the volume, {least} have to be"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max_bytes: Option<u64>, min_free_bytes: u64) -> DiskBudget {
        DiskBudget::new(DiskLimits {
            max_bytes,
            min_free_bytes,
        })
    }

    fn used(used_bytes: u64) -> DiskUsage {
        DiskUsage {
            used_bytes,
            ..DiskUsage::default()
        }
    }

    fn free(available_bytes: u64) -> DiskUsage {
        DiskUsage {
            available_bytes: Some(available_bytes),
            ..DiskUsage::default()
        }
    }

    #[test]
    fn eviction_starts_before_the_limit_and_goes_a_step_further() {
        let budget = budget(Some(1_000), 0);
        for (bytes, missing) in [(0, 0), (900, 0), (901, 51), (1_500, 650)] {
            budget.measured(used(bytes));
            assert_eq!(budget.missing_bytes(), missing, "{bytes}");
        }
        budget.measured(DiskUsage {
            leaving_bytes: 650,
            ..used(1_500)
        });
        assert_eq!(budget.missing_bytes(), 0, "the rest is on its way out");
        assert_eq!(budget.refusal(968), None);
        assert!(budget.refusal(969).is_some());
    }

    #[test]
    fn a_volume_that_others_fill_counts_too() {
        let budget = budget(None, 100);
        for (available, missing, refused) in [(100, 0, false), (99, 11, false), (49, 61, true)] {
            budget.measured(free(available));
            assert_eq!(budget.missing_bytes(), missing);
            assert_eq!(budget.refusal(0).is_some(), refused);
        }
        budget.measured(used(0));
        assert_eq!((budget.missing_bytes(), budget.refusal(0)), (0, None));
    }

    #[test]
    fn merges_leave_the_reserve_alone() {
        let reserve = limits::RESERVE_BYTES;
        let volume = budget(None, 0);
        volume.measured(free(reserve + 7));
        assert_eq!(volume.room_bytes(), 7);
        let allowed = budget(Some(1_000), 0);
        allowed.measured(used(850));
        assert_eq!(allowed.room_bytes(), 50);
        allowed.measured(used(2_000));
        assert_eq!(allowed.room_bytes(), 0);
    }
}
