//! The promises in the ordinary case: visible when acknowledged, kept across a restart, one process at a time.

use std::sync::Arc;

use super::support::{append, config, log, open, open_with, rows_of, span};
use crate::config::StorageConfig;
use crate::error::Error;
use crate::ids::WalSeq;
use crate::io::fault::FaultDisk;
use crate::store::{Parts, Store};
use crate::time::{ManualClock, NANOS_PER_DAY, Nanos};

#[tokio::test]
async fn acknowledged_rows_are_visible_survive_a_kill_and_stay_after_a_flush() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let first = [log(5, "a"), span(6, "b")];
    assert_eq!(append(&store, &first).await.unwrap(), WalSeq(1));
    assert_eq!(append(&store, &[log(3, "c")]).await.unwrap(), WalSeq(2));
    let expected = vec![log(3, "c"), log(5, "a"), span(6, "b")];
    assert_eq!(rows_of(&store), expected);

    let disk = disk.crash(None);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), expected);
    assert_eq!(store.stats().replay.record_count, 2);

    store.flush().await.unwrap();
    assert_eq!(rows_of(&store), expected);
    assert_eq!(store.stats().row_memory_bytes, 0);
    assert_eq!(append(&store, &[log(9, "d")]).await.unwrap(), WalSeq(3));

    let disk = disk.crash(None);
    let store = open(&disk).unwrap();
    assert_eq!(store.stats().replay.row_count, 1);
    assert_eq!(rows_of(&store).len(), 4);
}

#[tokio::test]
async fn a_day_border_splits_a_flush_and_loses_nothing() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = [log(NANOS_PER_DAY - 1, "a"), log(NANOS_PER_DAY, "b")];
    append(&store, &rows).await.unwrap();
    store.flush().await.unwrap();
    assert_eq!(rows_of(&store), rows);
    let segments: u64 = store.stats().segments.iter().map(|s| s.count).sum();
    assert_eq!(segments, 2);
}

#[tokio::test]
async fn a_second_opener_is_refused_and_the_lock_ends_with_its_holder() {
    let dir = tempfile::tempdir().unwrap();
    let config = StorageConfig {
        data_dir: dir.path().join("deep/data"),
        ..config()
    };
    let real = || Parts::real(Arc::new(super::support::LineDecoder));
    let store = Store::open(config.clone(), real()).unwrap();
    append(&store, &[log(1, "a")]).await.unwrap();
    let refused = Store::open(config.clone(), real()).unwrap_err();
    assert!(matches!(refused, Error::Locked { .. }), "{refused}");
    store.shutdown().await.unwrap();
    drop(store);
    let store = Store::open(config, real()).unwrap();
    assert_eq!(rows_of(&store), [log(1, "a")]);
    // The clean stop flushed: nothing to replay.
    assert_eq!(store.stats().replay.row_count, 0);
}

#[tokio::test]
async fn full_and_old_memtables_are_flushed_in_the_background() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let config = StorageConfig {
        memtable_bytes: 1,
        ..config()
    };
    let store = open_with(&disk, config, &clock).unwrap();
    append(&store, &[log(1, "a")]).await.unwrap();
    // Sealed when it came in; the flush command waits behind the background flush.
    store.flush().await.unwrap();
    assert_eq!(store.stats().flush.flush_count, 1);
    assert_eq!(rows_of(&store), [log(1, "a")]);
}
