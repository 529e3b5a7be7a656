//! The time by which data is old. A wall clock that jumps ahead is not believed at once: what is deleted on its word does
//! not come back when the clock is set right.

use crate::time::Nanos;

/// The wall clock may differ so much from the time that has passed, and is followed all the same.
const TOLERANCE_NS: i64 = 3_600_000_000_000;

/// A store whose newest segment is older than this was either off for long, or the clock is wrong.
const GAP_NS: i64 = 24 * TOLERANCE_NS;

/// A clock that has been ahead for so long, in time that has passed, is believed.
const BELIEVE_AFTER_NS: i64 = 24 * TOLERANCE_NS;

/// Follows the wall clock as long as it goes like a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TrustedClock {
    now: Nanos,
    /// Time that has passed since the wall clock and this one parted.
    apart_ns: i64,
}

impl TrustedClock {
    /// Starts at `wall`, or at the time of the newest segment when that is long before.
    pub(crate) fn new(wall: Nanos, newest_segment: Option<Nanos>) -> Self {
        let now = newest_segment.filter(|newest| wall.since(*newest) > GAP_NS);
        Self {
            now: now.unwrap_or(wall),
            apart_ns: 0,
        }
    }

    /// Moves on by the time that has passed, and to `wall` when that is credible.
    pub(crate) fn advance(&mut self, wall: Nanos, passed_ns: i64) {
        let now = Nanos(self.now.0.saturating_add(passed_ns.max(0)));
        let ahead = wall.since(now) > TOLERANCE_NS;
        let apart_ns = self.apart_ns.saturating_add(passed_ns.max(0));
        *self = if ahead && apart_ns < BELIEVE_AFTER_NS {
            Self { now, apart_ns }
        } else {
            // A clock that was set back deletes nothing early: it is followed at once.
            Self {
                now: wall,
                apart_ns: 0,
            }
        };
    }

    /// The time by which data is old.
    pub(crate) fn now(self) -> Nanos {
        self.now
    }

    /// Whether `wall` is not believed.
    pub(crate) fn doubts(self, wall: Nanos) -> bool {
        wall.since(self.now) > TOLERANCE_NS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = TOLERANCE_NS;
    const YEAR: i64 = 365 * 24 * HOUR;

    #[test]
    fn a_clock_that_goes_like_a_clock_is_followed() {
        let mut clock = TrustedClock::new(Nanos(100 * HOUR), Some(Nanos(99 * HOUR)));
        assert_eq!(clock.now(), Nanos(100 * HOUR));
        clock.advance(Nanos(101 * HOUR), HOUR);
        assert_eq!(clock.now(), Nanos(101 * HOUR));
        // Set right by some minutes, in both directions.
        clock.advance(Nanos(101 * HOUR + HOUR / 2), 1);
        assert_eq!(clock.now(), Nanos(101 * HOUR + HOUR / 2));
        clock.advance(Nanos(100 * HOUR), 1);
        assert_eq!(clock.now(), Nanos(100 * HOUR));
    }

    #[test]
    fn a_jump_of_years_is_not_believed_for_a_day_and_forgotten_when_it_ends() {
        let start = 10 * YEAR;
        let mut clock = TrustedClock::new(Nanos(start), None);
        for hour in 1..24 {
            let wall = Nanos(start + 10 * YEAR + hour * HOUR);
            clock.advance(wall, HOUR);
            assert_eq!(clock.now(), Nanos(start + hour * HOUR));
            assert!(clock.doubts(wall));
        }
        let mut set_right = clock;
        set_right.advance(Nanos(start + 24 * HOUR), HOUR);
        assert_eq!(set_right.now(), Nanos(start + 24 * HOUR));
        // The count starts anew.
        set_right.advance(Nanos(start + YEAR), HOUR);
        assert_eq!(set_right.now(), Nanos(start + 25 * HOUR));
        // A clock that stays there for a day is right.
        let wall = Nanos(start + 10 * YEAR + 24 * HOUR);
        clock.advance(wall, HOUR);
        assert_eq!(clock.now(), wall);
        assert!(!clock.doubts(wall));
    }

    #[test]
    fn years_between_the_newest_segment_and_the_start_are_doubted_too() {
        let wall = Nanos(20 * YEAR);
        let clock = TrustedClock::new(wall, Some(Nanos(10 * YEAR)));
        assert_eq!(clock.now(), Nanos(10 * YEAR));
        assert!(clock.doubts(wall));
        // A clock behind the newest segment is taken as it is: nothing is old by it.
        let behind = TrustedClock::new(Nanos(YEAR), Some(Nanos(10 * YEAR)));
        assert_eq!(behind.now(), Nanos(YEAR));
    }
}
