//! The trait that every format implements.

use std::time::Duration;

use arrow::record_batch::RecordBatch;

use super::FormatError;

/// What is known when all rows are out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    /// Time since the query began.
    pub elapsed: Duration,
    /// Rows that scans have read.
    pub rows_read: u64,
    /// Bytes that scans have read.
    pub bytes_read: u64,
    /// Rows before the outer LIMIT, at least; none without a LIMIT.
    pub rows_before_limit: Option<u64>,
}

/// Prints one answer: `head` once, `rows` for each batch, then `tail` or `exception` once.
pub(crate) trait FormatWriter: Send {
    /// What comes before the rows; also when there are none.
    fn head(&mut self, out: &mut Vec<u8>);

    /// One batch.
    ///
    /// # Errors
    /// When the batch does not fit the columns; nothing of it may be sent then.
    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError>;

    /// The row of WITH TOTALS, after all others. Formats without a place for it leave it out.
    ///
    /// # Errors
    /// As for [`Self::rows`].
    fn totals(&mut self, _batch: &RecordBatch, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        Ok(())
    }

    /// What comes after the rows.
    fn tail(&mut self, totals: &Totals, out: &mut Vec<u8>);

    /// Ends the answer with an error inside the format. Answers whether the format has a place for
    /// it.
    fn exception(&mut self, _message: &str, _out: &mut Vec<u8>) -> bool {
        false
    }
}
