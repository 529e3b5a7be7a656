//! Wire times to stored times: which of several times counts, the end of the range, and the days of
//! a request.

use std::collections::BTreeSet;

use cairn_storage::Nanos;

/// A stored time and how it was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WireTime {
    /// The time to store.
    pub(crate) nanos: i64,
    /// It lay after 2262 and was set to the end of the range.
    pub(crate) clamped: bool,
    /// The record carried no time at all; it is the fallback's.
    pub(crate) missing: bool,
}

/// The first of `candidates` that is set (0 means "not set" in OTLP), else `fallback`.
#[inline]
pub(crate) fn first_set(candidates: [u64; 2], fallback: Nanos) -> WireTime {
    match candidates.into_iter().find(|nanos| *nanos != 0) {
        Some(nanos) => {
            let stored = i64::try_from(nanos);
            WireTime {
                nanos: stored.unwrap_or(i64::MAX),
                clamped: stored.is_err(),
                missing: false,
            }
        }
        None => WireTime {
            nanos: fallback.0.max(0),
            clamped: false,
            missing: true,
        },
    }
}

/// The distinct UTC days of a request, up to a bound.
#[derive(Debug)]
pub(crate) struct DaySet {
    days: BTreeSet<i64>,
    last: i64,
    limit_count: usize,
}

impl DaySet {
    pub(crate) fn new(limit_count: usize) -> Self {
        Self {
            days: BTreeSet::new(),
            last: i64::MIN,
            limit_count,
        }
    }

    /// Adds the day of `nanos`; `false` when it is one too many.
    #[inline]
    pub(crate) fn admit(&mut self, nanos: i64) -> bool {
        let day = Nanos(nanos).day();
        day == self.last || self.admit_other(day)
    }

    fn admit_other(&mut self, day: i64) -> bool {
        if self.days.len() >= self.limit_count && !self.days.contains(&day) {
            return false;
        }
        self.days.insert(day);
        self.last = day;
        true
    }
}

#[cfg(test)]
mod tests {
    use cairn_storage::NANOS_PER_DAY;

    use super::*;

    fn check(candidates: [u64; 2], nanos: i64, clamped: bool, missing: bool) {
        assert_eq!(
            first_set(candidates, Nanos(77)),
            WireTime {
                nanos,
                clamped,
                missing
            }
        );
    }

    #[test]
    fn the_first_time_that_is_set_counts_and_far_ones_are_clamped() {
        check([5, 6], 5, false, false);
        check([0, 6], 6, false, false);
        check([0, 0], 77, false, true);
        check([1, 0], 1, false, false);
        check([u64::MAX, 6], i64::MAX, true, false);
        check([i64::MAX.unsigned_abs(), 0], i64::MAX, false, false);
        check([i64::MAX.unsigned_abs() + 1, 0], i64::MAX, true, false);
    }

    #[test]
    fn days_are_admitted_up_to_the_limit() {
        let day = |number: i64| number * NANOS_PER_DAY + 5;
        let mut days = DaySet::new(2);
        assert!(days.admit(day(1)));
        assert!(days.admit(day(3)));
        assert!(!days.admit(day(2)));
        assert!(days.admit(day(1)));
        assert!(days.admit(day(3)));
        assert!(!days.admit(day(4)));
    }
}
