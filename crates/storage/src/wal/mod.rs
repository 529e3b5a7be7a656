//! The WAL: acknowledged means here. One log for all tables, one thread, one fsync for everybody who waits.
//!
//! It hands durable records to a sink in the order of their sequences and knows nothing of what becomes of them.

mod commit;
mod format;
mod reader;
mod replay;
mod stats;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use commit::{Committed, Sink, Wal};
pub use replay::ReplayReport;
pub(crate) use replay::{Recovered, keep_bytes, replay};
pub use stats::{LATENCY_BOUNDS_NS, LatencyHistogram, WalStats};
pub(crate) use writer::WalParts;
