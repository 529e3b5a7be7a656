//! Counters of what came in over OTLP and what became of it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_ingest::Notes;
use cairn_storage::Signal;
use parking_lot::Mutex;

use super::histogram::Histogram;

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Grpc,
    Http,
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Durable, all of it.
    Accepted,
    /// Durable, but some records were refused.
    Partial,
    /// Refused: not what it claims to be.
    Malformed,
    /// Refused: over a bound.
    TooLarge,
    /// Refused: unknown content type or coding.
    Unsupported,
    /// Refused: no ingest token, or an unknown one.
    Unauthenticated,
    /// Refused for now: too many bytes in flight.
    Overloaded,
    /// Refused for now: no space.
    DiskFull,
    /// Refused for now: not durable in time.
    Timeout,
    /// Refused for now: starting, stopping, read-only or a bug.
    Unavailable,
}

const PROTOCOLS: [Protocol; 2] = [Protocol::Grpc, Protocol::Http];
const SIGNALS: [Signal; 3] = Signal::ALL;
const OUTCOMES: [Outcome; 10] = [
    Outcome::Accepted,
    Outcome::Partial,
    Outcome::Malformed,
    Outcome::TooLarge,
    Outcome::Unsupported,
    Outcome::Unauthenticated,
    Outcome::Overloaded,
    Outcome::DiskFull,
    Outcome::Timeout,
    Outcome::Unavailable,
];

/// The counters of the OTLP ports.
#[derive(Debug, Default)]
pub(crate) struct IngestCounters {
    requests: [[[AtomicU64; OUTCOMES.len()]; SIGNALS.len()]; PROTOCOLS.len()],
    signals: [SignalCounters; SIGNALS.len()],
    /// From the whole request being there to the answer.
    pub(crate) ack_latency: Histogram,
    notes: Mutex<Notes>,
}

/// Counters of one signal.
#[derive(Debug, Default)]
pub(crate) struct SignalCounters {
    pub(crate) accepted_rows: AtomicU64,
    pub(crate) rejected_rows: AtomicU64,
    pub(crate) received_bytes: AtomicU64,
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }
}

impl Outcome {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Partial => "partial",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unsupported => "unsupported",
            Self::Unauthenticated => "unauthenticated",
            Self::Overloaded => "overloaded",
            Self::DiskFull => "disk_full",
            Self::Timeout => "timeout",
            Self::Unavailable => "unavailable",
        }
    }
}

impl IngestCounters {
    /// A request has been answered.
    pub(crate) fn answered(&self, protocol: Protocol, signal: Signal, outcome: Outcome) {
        let of_protocol = position(&PROTOCOLS, protocol).and_then(|index| self.requests.get(index));
        let of_signal = of_protocol
            .and_then(|signals| position(&SIGNALS, signal).and_then(|index| signals.get(index)));
        let counter = of_signal.and_then(|outcomes| {
            position(&OUTCOMES, outcome).and_then(|index| outcomes.get(index))
        });
        if let Some(counter) = counter {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The body of a request has arrived.
    pub(crate) fn received(&self, signal: Signal, bytes: u64) {
        if let Some(counters) = self.of(signal) {
            counters.received_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// The rows of a request are durable.
    pub(crate) fn stored(&self, signal: Signal, accepted: u64, rejected: u64, notes: &Notes) {
        if let Some(counters) = self.of(signal) {
            counters
                .accepted_rows
                .fetch_add(accepted, Ordering::Relaxed);
            counters
                .rejected_rows
                .fetch_add(rejected, Ordering::Relaxed);
        }
        self.notes.lock().add(notes);
    }

    /// A request was answered `after` it was there.
    pub(crate) fn took(&self, after: Duration) {
        self.ack_latency.record(after);
    }

    /// Every combination with its count.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (Protocol, Signal, Outcome, u64)> {
        let each = PROTOCOLS.iter().zip(&self.requests);
        each.flat_map(|(protocol, of_protocol)| {
            SIGNALS
                .iter()
                .zip(of_protocol)
                .flat_map(move |(signal, of_signal)| {
                    OUTCOMES.iter().zip(of_signal).map(move |(outcome, count)| {
                        (*protocol, *signal, *outcome, count.load(Ordering::Relaxed))
                    })
                })
        })
    }

    /// The counters by signal.
    pub(crate) fn signals(&self) -> impl Iterator<Item = (Signal, &SignalCounters)> {
        SIGNALS.into_iter().zip(&self.signals)
    }

    /// What the decoder repaired, added up.
    pub(crate) fn notes(&self) -> Notes {
        *self.notes.lock()
    }

    fn of(&self, signal: Signal) -> Option<&SignalCounters> {
        position(&SIGNALS, signal).and_then(|index| self.signals.get(index))
    }
}

fn position<T: PartialEq + Copy>(all: &[T], one: T) -> Option<usize> {
    all.iter().position(|other| *other == one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_in_its_own_place() {
        let counters = IngestCounters::default();
        counters.answered(Protocol::Http, Signal::Traces, Outcome::Partial);
        counters.answered(Protocol::Http, Signal::Traces, Outcome::Partial);
        counters.answered(Protocol::Grpc, Signal::Logs, Outcome::Unavailable);
        let counted: Vec<_> = counters.requests().filter(|one| one.3 > 0).collect();
        assert_eq!(
            counted,
            [
                (Protocol::Grpc, Signal::Logs, Outcome::Unavailable, 1),
                (Protocol::Http, Signal::Traces, Outcome::Partial, 2),
            ]
        );
    }
}
