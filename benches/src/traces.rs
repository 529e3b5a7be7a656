//! The shape of traces: which spans a trace has, who calls whom, in which service, and when. Logs
//! and spans ask the same questions here, so that their ids match.

use crate::random::mix;

/// Traces repeat these sizes, so that any span's place can be computed without the ones before.
const SIZES: [u64; 8] = [3, 5, 8, 4, 12, 6, 2, 8];
/// Spans in one round of [`SIZES`].
const ROUND: u64 = 48;
/// Mean spans of a trace; as many log records belong to a trace.
pub(crate) const MEAN_SPANS: u64 = 6;

/// One span's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Number of the trace in the run.
    pub(crate) trace: u64,
    /// Number of the span in its trace; 0 is the root.
    pub(crate) span: u64,
    /// Spans of the trace.
    pub(crate) size: u64,
}

/// A span's time inside its trace.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Begin after the trace's begin.
    pub(crate) offset_ns: u64,
    pub(crate) duration_ns: u64,
}

impl Place {
    /// The place of span `index` of the run.
    pub(crate) fn of_span(index: u64) -> Self {
        let round = index / ROUND;
        let mut left = index % ROUND;
        for (position, size) in (0_u64..).zip(SIZES) {
            if left < size {
                let trace = round * 8 + position;
                return Self {
                    trace,
                    span: left,
                    size,
                };
            }
            left -= size;
        }
        // Unreachable while ROUND is the sum of SIZES, which a test checks.
        Self {
            trace: round * 8,
            span: 0,
            size: 1,
        }
    }

    /// The span that wrote log record `index` of the run.
    pub(crate) fn of_log(index: u64, random: u64) -> Self {
        let trace = index / MEAN_SPANS;
        let position = usize::try_from(trace % 8).unwrap_or(0);
        let size = SIZES[position];
        Self {
            trace,
            span: random % size,
            size,
        }
    }

    /// The caller's number; `None` for the root.
    pub(crate) fn parent(self) -> Option<u64> {
        // Wide at the top, deep on the left: 1 and 2 call from the root, 3 and 4 from 1, and so on.
        self.span.checked_sub(1).map(|before| before / 2)
    }

    pub(crate) fn trace_id(self, seed: u64) -> [u8; 16] {
        let high = mix(seed ^ mix(self.trace)).to_be_bytes();
        let low = mix(seed.rotate_left(17) ^ mix(self.trace + 1)).to_be_bytes();
        let mut id = [0; 16];
        id[..8].copy_from_slice(&high);
        id[8..].copy_from_slice(&low);
        id
    }

    pub(crate) fn span_id(self, span: u64, seed: u64) -> [u8; 8] {
        mix(seed ^ mix(self.trace * 64 + span) ^ 0x5eed).to_be_bytes()
    }

    /// Which of `services` runs the span. The root is always the first service.
    pub(crate) fn service(self, seed: u64, services: usize) -> usize {
        if self.span == 0 {
            return 0;
        }
        // Callees follow from the caller, so that the service map has few edges.
        let spread = u64::try_from(services).unwrap_or(1).max(1);
        let pick = mix(seed ^ mix(self.trace % 97) ^ self.span) % spread;
        usize::try_from(pick).unwrap_or(0)
    }

    /// Children begin after their parent and end before it.
    pub(crate) fn moment(self, seed: u64) -> Moment {
        let mut path = [0_u64; 8];
        let mut depth = 0;
        let mut at = self;
        while let Some(parent) = at.parent() {
            path[depth] = at.span;
            depth += 1;
            at.span = parent;
        }
        let root = mix(seed ^ self.trace ^ 0xd00d);
        let mut moment = Moment {
            offset_ns: 0,
            duration_ns: 2_000_000 + root % 400_000_000,
        };
        for span in path[..depth].iter().rev() {
            let bits = mix(root ^ span);
            let begin = moment.duration_ns / 100 * (bits % 30 + 2);
            moment.offset_ns += begin;
            moment.duration_ns = (moment.duration_ns - begin) / 100 * (bits / 64 % 60 + 30);
        }
        moment
    }

    /// One trace in fifty fails, in its last span.
    pub(crate) fn fails(self, seed: u64) -> bool {
        self.span + 1 == self.size && mix(seed ^ self.trace ^ 0xfa11).is_multiple_of(50)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_as_long_as_their_traces() {
        assert_eq!(SIZES.iter().sum::<u64>(), ROUND);
        let last = Place::of_span(ROUND * 3 - 1);
        assert_eq!(
            last,
            Place {
                trace: 23,
                span: 7,
                size: 8
            }
        );
    }

    #[test]
    fn children_lie_inside_their_parents() {
        for index in 0..ROUND * 20 {
            let child = Place::of_span(index);
            let Some(parent) = child.parent() else {
                continue;
            };
            let outer = Place {
                span: parent,
                ..child
            }
            .moment(9);
            let inner = child.moment(9);
            assert!(inner.offset_ns >= outer.offset_ns);
            let end = |m: Moment| m.offset_ns + m.duration_ns;
            assert!(end(inner) <= end(outer));
        }
    }
}
