//! Group commit: many writers share a sync, and nobody sees a row before it is durable.

use std::io::ErrorKind as Io;
use std::sync::Arc;
use std::time::Duration;

use super::support::{LineDecoder, append, batches, config, log, open, record, rows_of};
use crate::config::StorageConfig;
use crate::error::Error;
use crate::io::fault::FaultDisk;
use crate::store::{Parts, Store};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_share_syncs_and_all_rows_are_kept_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let config = StorageConfig {
        data_dir: dir.path().to_owned(),
        wal_file_bytes: 20_000,
        ..config()
    };
    let real = || Parts::real(Arc::new(LineDecoder));
    let store = Store::open(config.clone(), real()).unwrap();
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let mut last = None;
                for number in 0..20 {
                    let row = log(number, format!("{writer}-{number}"));
                    let seq = append(&store, &[row]).await.unwrap();
                    assert!(Some(seq) > last, "sequences go up for every writer");
                    last = Some(seq);
                }
            })
        })
        .collect();
    for writer in writers {
        tokio::time::timeout(Duration::from_secs(60), writer)
            .await
            .unwrap()
            .unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.wal.append_count, 640);
    assert!(stats.wal.sync_count < 640, "{} syncs", stats.wal.sync_count);
    assert_eq!(stats.wal.sync_latency.count(), stats.wal.sync_count);
    let rows = rows_of(&store);
    assert_eq!(rows.len(), 640);
    drop(store);
    let store = Store::open(config, real()).unwrap();
    assert_eq!(rows_of(&store), rows);
}

#[tokio::test]
async fn rows_that_never_became_durable_are_neither_visible_nor_flushed() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    append(&store, &[log(1, "kept")]).await.unwrap();
    disk.break_from(0, Io::Other);
    let refused = append(&store, &[log(2, "refused")]).await.unwrap_err();
    assert!(matches!(refused, Error::ReadOnly { .. }), "{refused}");
    assert_eq!(rows_of(&store), [log(1, "kept")]);
    disk.mend();
    store.flush().await.unwrap();
    assert_eq!(rows_of(&store), [log(1, "kept")]);
    assert_eq!(store.stats().row_memory_bytes, 0);
}

#[tokio::test]
async fn a_failed_sync_is_never_repeated_on_the_same_file() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    append(&store, &[log(1, "a")]).await.unwrap();
    let at = disk.operation_count();
    // The write works, its sync does not; the second file takes the record.
    disk.fail_at(at + 1, crate::io::fault::Fault::Error(Io::Other));
    append(&store, &[log(2, "b")]).await.unwrap();
    assert_eq!(store.stats().wal.failed_file_count, 1);
    append(&store, &[log(3, "c")]).await.unwrap();
    let operations = disk.operations();
    let failed = &operations[usize::try_from(at).unwrap() + 1];
    assert_eq!(failed.op, "fsync");
    let later = &operations[usize::try_from(at).unwrap() + 2..];
    assert!(later.iter().all(|o| o.path != failed.path), "{later:?}");
    // The failed sync dropped pages of `a`'s file; what was synced before is still there.
    let disk = disk.crash(None);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), [log(1, "a"), log(2, "b"), log(3, "c")]);
}

#[tokio::test]
async fn memory_and_disk_budgets_refuse_instead_of_growing() {
    let disk = FaultDisk::new();
    let clock = Arc::new(crate::time::ManualClock::default());
    let tight = StorageConfig {
        max_memtable_total_bytes: 1,
        ack_deadline_ms: 50,
        ..config()
    };
    let store = super::support::open_with(&disk, tight, &clock).unwrap();
    // One is let in alone, however large; the next has to wait for its flush and gives up.
    append(&store, &[log(1, "a")]).await.unwrap();
    let refused = append(&store, &[log(2, "b")]).await.unwrap_err();
    assert!(matches!(refused, Error::Overloaded { .. }), "{refused}");
    store.flush().await.unwrap();
    append(&store, &[log(3, "c")]).await.unwrap();
    drop(store);

    let full = StorageConfig {
        max_disk_bytes: Some(1),
        ..config()
    };
    let store = super::support::open_with(&disk, full, &clock).unwrap();
    let refused = append(&store, &[log(4, "d")]).await.unwrap_err();
    assert!(matches!(refused, Error::DiskFull { .. }), "{refused}");
    // What is in a segment was dropped for space, what is only in the WAL never is.
    assert_eq!(rows_of(&store), [log(3, "c")]);
}

#[tokio::test]
async fn batches_of_another_shape_are_refused_and_empty_requests_cost_nothing() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = [log(1, "a")];
    let mut wrong = batches(&rows);
    wrong[0].rows = wrong[0].rows.project(&[0]).unwrap();
    let refused = store.append(record(&rows), wrong).await.unwrap_err();
    assert!(matches!(refused, Error::Invalid(_)), "{refused}");
    let before = disk.operation_count();
    store.append(record(&[]), Vec::new()).await.unwrap();
    assert_eq!(disk.operation_count(), before);
}
