//! Pushing, merging and sealing keep every row, its order and its memory.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;

use super::active::{ActiveMemtable, bytes_of};
use crate::budget::Governor;
use crate::ids::{TableId, WalSeq};
use crate::limits;
use crate::time::Nanos;

fn batch(from: i64, rows: i64) -> RecordBatch {
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + rows));
    RecordBatch::try_from_iter([("n", column)]).unwrap()
}

fn numbers<'a>(batches: impl Iterator<Item = &'a RecordBatch>) -> Vec<i64> {
    batches
        .flat_map(|batch| {
            batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        })
        .collect()
}

fn push(memtable: &mut ActiveMemtable, governor: &Arc<Governor>, from: i64, rows: i64) {
    let batch = batch(from, rows);
    let permit = governor.take_anyway(bytes_of(&batch));
    let seq = WalSeq(u64::try_from(from).unwrap() + 1);
    memtable.push(batch, seq, permit, Nanos(from));
}

#[test]
fn tiny_chunks_are_merged_a_few_times_and_nothing_is_lost() {
    let governor = Governor::new(1 << 30);
    let mut memtable = ActiveMemtable::new(TableId::Logs);
    let mut copied = 0;
    for from in 0..10_000 {
        push(&mut memtable, &governor, from, 1);
        while let Some(task) = memtable.merge_task() {
            let merged = task.run().unwrap();
            copied += merged.rows();
            memtable.replace(merged);
        }
    }
    assert_eq!(numbers(memtable.batches()), (0..10_000).collect::<Vec<_>>());
    assert!(
        memtable.chunk_count() < 100,
        "{} chunks",
        memtable.chunk_count()
    );
    assert!(copied < 30_000, "{copied} rows were copied for 10 000");
    assert_eq!(memtable.bytes(), governor.used_bytes());
    let sealed = memtable.seal().unwrap();
    assert_eq!(
        numbers(sealed.batches().iter()),
        (0..10_000).collect::<Vec<_>>()
    );
    assert_eq!(sealed.seqs(), (WalSeq(1), WalSeq(10_000)));
    assert_eq!(sealed.bytes(), governor.used_bytes());
    assert!(memtable.seal().is_none());
    drop(sealed);
    assert_eq!(governor.used_bytes(), 0);
}

#[test]
fn a_merge_that_comes_after_the_seal_changes_nothing() {
    let governor = Governor::new(1 << 30);
    let mut memtable = ActiveMemtable::new(TableId::Logs);
    let count = i64::try_from(limits::MERGE_CHUNK_COUNT).unwrap();
    for from in 0..count {
        push(&mut memtable, &governor, from, 1);
    }
    let late = memtable.merge_task().unwrap();
    let sealed = memtable.seal().unwrap();
    for from in 0..count {
        push(&mut memtable, &governor, 1_000 + from, 1);
    }
    memtable.replace(late.run().unwrap());
    assert_eq!(
        numbers(memtable.batches()),
        (1_000..1_000 + count).collect::<Vec<_>>()
    );
    assert_eq!(
        numbers(sealed.batches().iter()),
        (0..count).collect::<Vec<_>>()
    );
}

#[test]
fn large_chunks_are_left_alone() {
    let governor = Governor::new(1 << 30);
    let mut memtable = ActiveMemtable::new(TableId::Logs);
    let rows = i64::try_from(limits::SMALL_CHUNK_ROWS).unwrap();
    for chunk in 0..100 {
        push(&mut memtable, &governor, chunk * rows, rows);
    }
    assert!(memtable.merge_task().is_none());
}
