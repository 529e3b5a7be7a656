//! The Null format.

use arrow::record_batch::RecordBatch;

use super::{FormatError, FormatWriter, Totals};

/// Prints nothing.
pub(super) struct Null;

impl FormatWriter for Null {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, _batch: &RecordBatch, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
