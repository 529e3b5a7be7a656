//! A memtable that takes no more rows and waits for its flush.

use arrow::record_batch::RecordBatch;

use crate::budget::Permit;
use crate::ids::{TableId, WalSeq};

/// Rows of one table between two seals. Its memory comes back when it is dropped.
#[derive(Debug)]
pub(crate) struct SealedMemtable {
    table: TableId,
    batches: Vec<RecordBatch>,
    permits: Vec<Permit>,
    seqs: (WalSeq, WalSeq),
}

impl SealedMemtable {
    pub(super) fn new(
        table: TableId,
        batches: Vec<RecordBatch>,
        permits: Vec<Permit>,
        seqs: (WalSeq, WalSeq),
    ) -> Self {
        Self {
            table,
            batches,
            permits,
            seqs,
        }
    }

    pub(crate) fn table(&self) -> TableId {
        self.table
    }

    pub(crate) fn batches(&self) -> &[RecordBatch] {
        &self.batches
    }

    /// First and last WAL record with rows in it.
    pub(crate) fn seqs(&self) -> (WalSeq, WalSeq) {
        self.seqs
    }

    pub(crate) fn rows(&self) -> u64 {
        let rows: usize = self.batches.iter().map(RecordBatch::num_rows).sum();
        u64::try_from(rows).unwrap_or(u64::MAX)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.permits.iter().map(Permit::bytes).sum()
    }
}
