//! Dropping segments: by age, by size, by need; on a full volume; with a clock that jumps; across crashes.

use std::collections::BTreeSet;
use std::io::ErrorKind as Io;
use std::sync::Arc;

use super::support::{Row, append, config, log, open_with, read, rows_of, span};
use crate::config::{RetentionConfig, StorageConfig, TableRetention};
use crate::error::ErrorKind;
use crate::ids::TableId;
use crate::io::Disk;
use crate::io::fault::FaultDisk;
use crate::store::Store;
use crate::time::{Clock, ManualClock, NANOS_PER_SECOND, Nanos};

const HOUR: i64 = 3_600 * NANOS_PER_SECOND;

fn limited(table: TableRetention) -> StorageConfig {
    StorageConfig {
        retention: RetentionConfig {
            tables: [(TableId::Logs, table)].into(),
            ..RetentionConfig::default()
        },
        ..config()
    }
}

async fn flush_row(store: &Store, row: Row) {
    append(store, &[row]).await.unwrap();
    store.flush().await.unwrap();
}

/// Moves the clock as time does: by less than an hour at once, with a look at what is due in between.
async fn pass(store: &Store, clock: &ManualClock, hours: i64) {
    for _ in 0..hours * 2 {
        clock.set(Nanos(clock.now().0 + HOUR / 2));
        store.flush().await.unwrap();
    }
}

fn segment_files(disk: &FaultDisk) -> usize {
    let files = disk.files().into_iter();
    files
        .filter(|(path, _)| path.to_string_lossy().ends_with(".parquet"))
        .count()
}

#[tokio::test]
async fn rows_go_when_all_of_their_segment_are_too_old_and_readers_go_on() {
    let disk = FaultDisk::new();
    let start = 1_000 * HOUR;
    let clock = Arc::new(ManualClock::new(Nanos(start)));
    let two_hours = limited(TableRetention {
        max_age_ns: Some(2 * HOUR),
        max_bytes: None,
    });
    let store = open_with(&disk, two_hours.clone(), &clock).unwrap();
    flush_row(&store, log(start, "first")).await;
    flush_row(&store, log(start + HOUR, "second")).await;
    flush_row(&store, span(start, "kept: another table")).await;
    // So old when it comes that it goes with its flush.
    flush_row(&store, log(start - 3 * HOUR, "late")).await;
    let kept = span(start, "kept: another table");
    let second = log(start + HOUR, "second");
    assert_eq!(
        rows_of(&store),
        [log(start, "first"), second.clone(), kept.clone()]
    );
    let snapshot = store.snapshot();
    pass(&store, &clock, 3).await;
    assert_eq!(rows_of(&store), [second.clone(), kept.clone()]);
    assert_eq!(read(&snapshot).unwrap().len(), 3);
    assert_eq!(
        segment_files(&disk),
        3,
        "a reader still needs the dropped one"
    );
    drop(snapshot);
    store.flush().await.unwrap();
    assert_eq!(segment_files(&disk), 2);
    let stats = store.stats().retention;
    assert_eq!((stats.by_age.segment_count, stats.by_age.row_count), (2, 2));
    assert!(!stats.clock_doubted);
    drop(store);
    let store = open_with(&disk.crash(None), two_hours, &clock).unwrap();
    assert_eq!(rows_of(&store), [second, kept]);
}

#[tokio::test]
async fn a_clock_that_jumps_by_years_drops_nothing() {
    let disk = FaultDisk::new();
    let start = 1_000 * HOUR;
    let clock = Arc::new(ManualClock::new(Nanos(start)));
    let two_hours = limited(TableRetention {
        max_age_ns: Some(2 * HOUR),
        max_bytes: None,
    });
    let store = open_with(&disk, two_hours.clone(), &clock).unwrap();
    flush_row(&store, log(start, "kept")).await;
    for wall in [start + 90_000 * HOUR, 0, i64::MAX, start + 5 * HOUR] {
        clock.set(Nanos(wall));
        store.flush().await.unwrap();
        assert_eq!(rows_of(&store), [log(start, "kept")], "{wall}");
        assert_eq!(store.stats().retention.clock_doubted, wall > start);
        clock.set(Nanos(start));
        store.flush().await.unwrap();
    }
    drop(store);
    // The same when it has jumped while the store was closed.
    clock.set(Nanos(start + 90_000 * HOUR));
    let store = open_with(&disk.crash(None), two_hours, &clock).unwrap();
    store.flush().await.unwrap();
    assert_eq!(rows_of(&store), [log(start, "kept")]);
    assert!(store.stats().retention.clock_doubted);
}

#[tokio::test]
async fn a_table_keeps_its_newest_bytes_and_other_tables_theirs() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let store = open_with(&disk, config(), &clock).unwrap();
    for number in 0..4 {
        flush_row(&store, log(number, format!("{number}"))).await;
        flush_row(&store, span(number, format!("{number}"))).await;
    }
    let segments = store.live.segments();
    let logs = segments.iter().filter(|s| s.meta().table == TableId::Logs);
    let largest = logs.map(|s| s.meta().file_bytes).max().unwrap();
    drop(segments);
    drop(store);
    let two = limited(TableRetention {
        max_age_ns: None,
        max_bytes: Some(2 * largest),
    });
    let disk = disk.crash(None);
    let store = open_with(&disk, two, &clock).unwrap();
    store.flush().await.unwrap();
    let rows = rows_of(&store);
    let logs: Vec<&Row> = rows.iter().filter(|row| row.0 == TableId::Logs).collect();
    assert_eq!(logs, [&log(2, "2"), &log(3, "3")]);
    assert_eq!(rows.len(), 2 + 4);
    assert_eq!(store.stats().retention.by_table_bytes.segment_count, 2);
}

#[tokio::test]
async fn the_disk_limit_is_kept_by_dropping_the_oldest_and_ingest_goes_on() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let limit = 200_000;
    let small = StorageConfig {
        max_disk_bytes: Some(limit),
        ..config()
    };
    let store = open_with(&disk, small, &clock).unwrap();
    for number in 0..60 {
        flush_row(&store, log(number, format!("{number}"))).await;
        let used = store.stats().disk_bytes;
        assert!(used < limit, "{used} bytes after {number}");
    }
    let stats = store.stats();
    assert!(stats.retention.by_space.segment_count > 10);
    let rows = rows_of(&store);
    let dropped = i64::try_from(60 - rows.len()).unwrap();
    let expected: Vec<Row> = (dropped..60)
        .map(|number| log(number, format!("{number}")))
        .collect();
    assert_eq!(rows, expected, "the newest stay");
    // What others put into the directory counts as well.
    disk.overwrite_or_create(
        &config().data_dir.join("tmp").join("huge"),
        &vec![0; 200_000],
    );
    store.flush().await.unwrap();
    let refused = append(&store, &[log(99, "refused")]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DiskFull);
    disk.remove(&config().data_dir.join("tmp").join("huge"))
        .unwrap();
    store.flush().await.unwrap();
    append(&store, &[log(99, "taken")]).await.unwrap();
}

#[tokio::test]
async fn segments_can_be_dropped_when_not_a_byte_is_free() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let guarded = StorageConfig {
        retention: RetentionConfig {
            min_free_bytes: 20_000,
            ballast_bytes: 30_000,
            ..RetentionConfig::default()
        },
        ..config()
    };
    let store = open_with(&disk, guarded.clone(), &clock).unwrap();
    for number in 0..6 {
        flush_row(&store, log(number, format!("{number}"))).await;
    }
    let ballast = config().data_dir.join("ballast");
    assert_eq!(disk.contents(&ballast).unwrap().len(), 30_000);
    let full = |disk: &FaultDisk| disk.files().iter().map(|(_, bytes)| bytes).sum::<u64>();
    append(&store, &[log(100, "only in the log")])
        .await
        .unwrap();
    drop(store);

    // Everything is taken, the start has to make room by itself.
    let disk = disk.crash(None);
    disk.set_capacity(Some(full(&disk)));
    let store = open_with(&disk, guarded, &clock).unwrap();
    clock.set(Nanos(clock.now().0 + HOUR));
    store.flush().await.unwrap();
    let rows = rows_of(&store);
    assert!(rows.contains(&log(100, "only in the log")), "{rows:?}");
    assert!(!rows.contains(&log(0, "0")), "the oldest went");
    assert!(store.stats().retention.by_space.segment_count > 0);
    append(&store, &[log(101, "and it takes more")])
        .await
        .unwrap();
    assert!(store.stats().read_only.is_none());
}

#[tokio::test]
async fn a_crash_while_dropping_loses_only_what_was_to_go() {
    let history = async |disk: &FaultDisk| {
        let clock = Arc::new(ManualClock::new(Nanos(1)));
        let one = limited(TableRetention {
            max_age_ns: None,
            max_bytes: Some(30_000),
        });
        let mut acknowledged = Vec::new();
        let Ok(store) = open_with(disk, one, &clock) else {
            return acknowledged;
        };
        for number in 0..5 {
            let row = log(number, format!("{number}"));
            if append(&store, std::slice::from_ref(&row)).await.is_ok() {
                acknowledged.push(row);
            }
            store.flush().await.ok();
        }
        acknowledged
    };
    let disk = FaultDisk::new();
    history(&disk).await;
    let operations = disk.operation_count();
    assert!(operations > 50);
    for at in 0..operations {
        let disk = FaultDisk::new();
        disk.break_from(at, Io::BrokenPipe);
        let acknowledged = history(&disk).await;
        let disk = disk.crash(Some(at));
        let clock = Arc::new(ManualClock::new(Nanos(1)));
        let store = open_with(&disk, config(), &clock).unwrap();
        let rows = rows_of(&store);
        let distinct: BTreeSet<&Row> = rows.iter().collect();
        assert_eq!(distinct.len(), rows.len(), "operation {at}");
        if let Some(newest) = acknowledged.last() {
            assert!(rows.contains(newest), "operation {at}: {rows:?}");
        }
        assert_eq!(store.stats().quarantined_count, 0, "operation {at}");
    }
}
