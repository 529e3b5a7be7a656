//! The read path: snapshot (what exists), prune (pure choice), open (I/O).
//!
//! A scan returns exactly the rows that meet its predicate, as record batches made here; who asks sees neither files nor
//! memtables.

mod condition;
mod evaluate;
mod ids;
mod job;
mod key_rows;
mod memtable_unit;
mod operand;
mod pages;
mod places;
mod plan;
mod prune;
mod request;
mod segment_unit;
mod snapshot;
#[cfg(test)]
pub(crate) mod tests;
mod top;

pub use key_rows::KeyRows;
pub use plan::{MAX_TOP_ROWS, ScanEstimate, ScanPlan, ScanUnit, UnitReader};
pub use request::{ScanRequest, Top, read_field};
pub use snapshot::Snapshot;

fn kernel_error(what: &'static str, source: arrow::error::ArrowError) -> crate::error::Error {
    crate::error::Error::Arrow { what, source }
}
