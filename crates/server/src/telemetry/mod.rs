//! What the server says about itself: log lines and counters. It neither serves nor stores them.

mod counters;
mod histogram;
mod trace;

pub(crate) use counters::{IngestCounters, Outcome, Protocol};
pub(crate) use histogram::{Histogram, HistogramReading};

pub(crate) use trace::{TelemetryError, init};
