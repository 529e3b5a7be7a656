//! The read path: snapshot (what exists), prune (pure choice), open (I/O).

mod request;

pub use request::{ScanRequest, Top, read_field};
