//! The memtable that takes rows: a list of chunks in WAL order, small neighbours merged now and then.

use arrow::record_batch::RecordBatch;

use super::merge;
use super::sealed::SealedMemtable;
use crate::budget::Permit;
use crate::error::Result;
use crate::ids::{TableId, WalSeq};
use crate::limits;
use crate::time::Nanos;

/// Rows of one table since the last seal.
#[derive(Debug)]
pub(crate) struct ActiveMemtable {
    table: TableId,
    chunks: Vec<Chunk>,
    next_chunk: u64,
    rows: u64,
    bytes: u64,
    opened_at: Option<Nanos>,
    first_seq: WalSeq,
    last_seq: WalSeq,
}

#[derive(Debug)]
struct Chunk {
    /// Unique within the memtable's life, so that a merge finds its place again.
    number: u64,
    batch: RecordBatch,
    permit: Permit,
    /// How often its rows were merged.
    level: u8,
}

/// Neighbours worth merging: taken out under the lock, merged without it, put back under it.
#[derive(Debug)]
pub(crate) struct MergeTask {
    first_chunk: u64,
    chunk_count: usize,
    batches: Vec<RecordBatch>,
    level: u8,
}

/// What came of a [`MergeTask`].
#[derive(Debug)]
pub(crate) struct MergedChunks {
    task: MergeTask,
    batches: Vec<RecordBatch>,
}

impl ActiveMemtable {
    pub(crate) fn new(table: TableId) -> Self {
        Self {
            table,
            chunks: Vec::new(),
            next_chunk: 0,
            rows: 0,
            bytes: 0,
            opened_at: None,
            first_seq: WalSeq(0),
            last_seq: WalSeq(0),
        }
    }

    /// Adds the rows of record `seq`.
    pub(crate) fn push(&mut self, batch: RecordBatch, seq: WalSeq, permit: Permit, now: Nanos) {
        if self.opened_at.is_none() {
            self.opened_at = Some(now);
            self.first_seq = seq;
        }
        self.last_seq = seq;
        self.rows = self.rows.saturating_add(rows_of(&batch));
        self.bytes = self.bytes.saturating_add(permit.bytes());
        self.chunks.push(Chunk {
            number: self.next_chunk,
            batch,
            permit,
            level: 0,
        });
        self.next_chunk += 1;
    }

    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// When its first row came; `None` while it is empty.
    pub(crate) fn opened_at(&self) -> Option<Nanos> {
        self.opened_at
    }

    /// The rows, oldest chunk first.
    pub(crate) fn batches(&self) -> impl Iterator<Item = &RecordBatch> {
        self.chunks.iter().map(|chunk| &chunk.batch)
    }

    /// WAL record of its first row; `None` while it is empty.
    pub(crate) fn first_seq(&self) -> Option<WalSeq> {
        self.opened_at.map(|_| self.first_seq)
    }

    /// Takes everything out; `None` when there are no rows.
    pub(crate) fn seal(&mut self) -> Option<SealedMemtable> {
        let full = std::mem::replace(self, Self::new(self.table));
        // Numbers go on, so that a merge that started before never matches a chunk of the new memtable.
        self.next_chunk = full.next_chunk;
        let (batches, permits) = full
            .chunks
            .into_iter()
            .map(|chunk| (chunk.batch, chunk.permit))
            .unzip();
        (full.rows > 0).then(|| {
            SealedMemtable::new(
                self.table,
                batches,
                permits,
                (full.first_seq, full.last_seq),
            )
        })
    }

    /// A run of adjacent small chunks of one level, when there are enough to be worth it.
    pub(crate) fn merge_task(&self) -> Option<MergeTask> {
        let mut start = 0;
        let mut run = 0;
        let mut level = 0;
        for (at, chunk) in self.chunks.iter().enumerate() {
            let small = chunk.batch.num_rows() < limits::SMALL_CHUNK_ROWS;
            if !small || run == 0 || chunk.level != level {
                start = at;
                level = chunk.level;
                run = usize::from(small);
            } else {
                run += 1;
            }
            if run == limits::MERGE_CHUNK_COUNT {
                let chunks = self.chunks.get(start..=at)?;
                return Some(MergeTask {
                    first_chunk: chunks.first()?.number,
                    chunk_count: chunks.len(),
                    batches: chunks.iter().map(|chunk| chunk.batch.clone()).collect(),
                    level: level.saturating_add(1),
                });
            }
        }
        None
    }

    /// Puts merged chunks in the place of their inputs. Nothing happens when those were sealed in the meantime.
    pub(crate) fn replace(&mut self, merged: MergedChunks) {
        let wanted = merged.task.first_chunk;
        let Some(start) = self.chunks.iter().position(|chunk| chunk.number == wanted) else {
            return;
        };
        let end = start.saturating_add(merged.task.chunk_count);
        if end > self.chunks.len() {
            return;
        }
        let rest = self.chunks.split_off(end);
        let inputs = self.chunks.split_off(start);
        let mut permits = inputs.into_iter().map(|chunk| chunk.permit);
        let Some(mut pool) = permits.next() else {
            self.chunks.extend(rest);
            return;
        };
        permits.for_each(|permit| pool.absorb(permit));
        let before = pool.bytes();
        let total: u64 = merged.batches.iter().map(bytes_of).sum();
        pool.resize(total);
        self.bytes = self.bytes.saturating_sub(before).saturating_add(total);
        let last = merged.batches.len().saturating_sub(1);
        for (at, batch) in merged.batches.into_iter().enumerate() {
            // The last one keeps what is left, so that no byte is lost to rounding.
            let share = if at == last {
                pool.bytes()
            } else {
                bytes_of(&batch)
            };
            let Ok(permit) = pool.split(share) else {
                break;
            };
            self.chunks.push(Chunk {
                number: self.next_chunk,
                batch,
                permit,
                level: merged.task.level,
            });
            self.next_chunk += 1;
        }
        self.chunks.extend(rest);
    }
}

#[cfg(test)]
impl MergedChunks {
    /// Rows that the merge copied.
    pub(super) fn rows(&self) -> u64 {
        self.batches.iter().map(rows_of).sum()
    }
}

impl MergeTask {
    /// Merges. The only part that takes time.
    pub(crate) fn run(self) -> Result<MergedChunks> {
        let batches = merge::merge_batches(&self.batches)?;
        Ok(MergedChunks {
            task: self,
            batches,
        })
    }
}

fn rows_of(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.num_rows()).unwrap_or(u64::MAX)
}

/// Memory that a batch takes, buffers counted whole.
pub(crate) fn bytes_of(batch: &RecordBatch) -> u64 {
    u64::try_from(batch.get_array_memory_size()).unwrap_or(u64::MAX)
}
