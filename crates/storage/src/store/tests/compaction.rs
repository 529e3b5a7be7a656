//! Merging segments of a running store: what readers see, when files go, what happens on damage and on a full disk.

use std::path::PathBuf;
use std::sync::Arc;

use super::support::{Row, append, config, log, open, open_with, read, record, rows_of, span};
use crate::config::{CompactionConfig, StorageConfig};
use crate::error::Error;
use crate::ids::TableId;
use crate::io::Disk;
use crate::io::fault::FaultDisk;
use crate::record::TableBatch;
use crate::scan::tests::round_trip::{self, batch_of};
use crate::schema::TableDef;
use crate::segment::SegmentMeta;
use crate::store::Store;
use crate::time::{ManualClock, NANOS_PER_DAY, NANOS_PER_SECOND, Nanos};

/// Rows of both tables and several buckets in any order, flushed into `flushes` segments a table.
async fn fill(store: &Store, flushes: i64) -> Vec<Row> {
    let mut all = Vec::new();
    for flush in 0..flushes {
        let at = |number: i64| (number * 7_919 + flush) % 40 * 60 * NANOS_PER_SECOND;
        let mut rows: Vec<Row> = (0..50)
            .map(|number| log(at(number), format!("{flush}-{number}")))
            .collect();
        rows.extend((0..9).map(|number| span(at(number), format!("{flush}-{number}"))));
        append(store, &rows).await.unwrap();
        store.flush().await.unwrap();
        all.extend(rows);
    }
    all.sort();
    all
}

fn metas(store: &Store) -> Vec<SegmentMeta> {
    let segments = store.live.segments();
    segments
        .iter()
        .map(|segment| segment.meta().clone())
        .collect()
}

fn files(disk: &FaultDisk) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let root = config().data_dir.join("data");
    for day in disk.list_dirs(&root).unwrap() {
        let entries = disk.list(&root.join(&day)).unwrap().into_iter();
        found.extend(entries.map(|entry| root.join(&day).join(entry.name)));
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_merge_keeps_every_row_and_leaves_one_sealed_segment_a_table_and_day() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 5).await;
    let before = metas(&store);
    assert_eq!(before.len(), 10);
    assert_eq!(store.compact(true).await.unwrap(), 2);
    assert_eq!(rows_of(&store), rows);
    let after = metas(&store);
    let levels: Vec<(TableId, u8)> = after.iter().map(|meta| (meta.table, meta.level)).collect();
    assert_eq!(after.len(), 2, "{levels:?}");
    for meta in &after {
        let inputs = before.iter().filter(|input| input.table == meta.table);
        let expected = inputs
            .clone()
            .map(|input| input.time)
            .reduce(|a, b| a.union(b));
        assert_eq!(Some(meta.time), expected);
        assert_eq!(
            meta.rows,
            inputs.clone().map(|input| input.rows).sum::<u64>()
        );
        assert_eq!(
            Some(meta.first_seq),
            inputs.clone().map(|input| input.first_seq).min()
        );
        assert_eq!(
            Some(meta.last_seq),
            inputs.map(|input| input.last_seq).max()
        );
    }
    assert_eq!(files(&disk).len(), 2, "what was merged is gone");
    let stats = store.stats();
    assert_eq!(stats.compaction.merge_count, 2);
    assert_eq!(
        stats.compaction.row_count,
        u64::try_from(rows.len()).unwrap()
    );
    assert_eq!(stats.level0_count, 0);
    // Nothing is left to do, and asking costs nothing.
    let operations = disk.operation_count();
    assert_eq!(store.compact(true).await.unwrap(), 0);
    assert_eq!(disk.operation_count(), operations);
    drop(store);
    let disk = disk.crash(None);
    assert_eq!(rows_of(&open(&disk).unwrap()), rows);
}

#[tokio::test]
async fn every_kind_of_column_comes_out_of_two_merges_as_it_went_in() {
    for table in TableId::ALL.map(TableDef::of) {
        let disk = FaultDisk::new();
        let store = open(&disk).unwrap();
        let rows = batch_of(table, 240);
        for piece in 0..6 {
            let batch = TableBatch {
                table: table.id,
                rows: rows.slice(piece * 40, 40),
            };
            store.append(record(&[]), vec![batch]).await.unwrap();
            store.flush().await.unwrap();
            if piece == 2 {
                store.compact(false).await.unwrap();
            }
        }
        let expected = round_trip::read(&store.snapshot(), table);
        store.compact(false).await.unwrap();
        let merged = metas(&store);
        assert_eq!(merged.len(), 1);
        assert_eq!(round_trip::read(&store.snapshot(), table), expected);
        // Statistics of the merged rows are as exact as those of the same rows flushed at once.
        let other = open(&FaultDisk::new()).unwrap();
        let batch = TableBatch {
            table: table.id,
            rows,
        };
        other.append(record(&[]), vec![batch]).await.unwrap();
        other.flush().await.unwrap();
        let at_once = metas(&other);
        assert_eq!(merged[0].columns, at_once[0].columns);
        assert_eq!(merged[0].time, at_once[0].time);
        assert_eq!(merged[0].row_groups, at_once[0].row_groups);
    }
}

#[tokio::test]
async fn a_snapshot_reads_on_and_its_files_go_when_it_is_gone() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 2).await;
    let snapshot = store.snapshot();
    store.compact(true).await.unwrap();
    assert_eq!(files(&disk).len(), 2 + 4);
    assert!(store.stats().disk_bytes >= metas(&store).iter().map(|m| m.file_bytes).sum());
    assert_eq!(read(&snapshot).unwrap(), rows);
    drop(snapshot);
    store.flush().await.unwrap();
    assert_eq!(files(&disk).len(), 2);
    assert_eq!(rows_of(&store), rows);
}

#[tokio::test]
async fn replaced_files_stay_until_the_manifest_says_twice_that_they_are_replaced() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 3).await;
    // The publish of the merge works; the version after it, which would let the files go, does not.
    let versions = |disk: &FaultDisk| {
        let operations = disk.operations();
        operations.iter().filter(|o| o.op == "link").count()
    };
    let before = versions(&disk);
    store.compact(true).await.unwrap();
    assert_eq!(versions(&disk), before + 3, "two merges and one repetition");
    drop(store);
    // The merge's own version is damaged: its successor repeats it.
    let disk = disk.crash(None);
    let manifest = config().data_dir.join("manifest");
    let mut names: Vec<String> = disk
        .list(&manifest)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .filter(|name| !name.contains('.'))
        .collect();
    names.sort();
    let merge = &names[names.len() - 2];
    disk.flip_bit(&manifest.join(merge), 999);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), rows);
    assert_eq!(store.stats().quarantined_count, 0);
}

#[tokio::test]
async fn a_damaged_newest_version_brings_the_replaced_segments_back() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 2).await;
    // Everything after the first merge's version fails: the repetition that would free the files, too.
    let wanted = disk.operations().iter().filter(|o| o.op == "link").count() + 2;
    let probe = FaultDisk::new();
    let probed = open(&probe).unwrap();
    fill(&probed, 2).await;
    probed.compact(true).await.unwrap();
    let operations = probe.operations();
    let mut links = operations
        .iter()
        .enumerate()
        .filter(|(_, o)| o.op == "link");
    let (at, _) = links.nth(wanted - 1).unwrap();
    // The link itself and the sync of its folder still work.
    disk.break_from(u64::try_from(at + 2).unwrap(), std::io::ErrorKind::Other);
    store.compact(true).await.unwrap_err();
    drop(store);
    let disk = disk.crash(None);
    let manifest = config().data_dir.join("manifest");
    let newest = disk
        .list(&manifest)
        .unwrap()
        .into_iter()
        .map(|entry| entry.name);
    let newest = newest.filter(|name| !name.contains('.')).max().unwrap();
    disk.flip_bit(&manifest.join(newest), 999);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), rows);
    assert_eq!(store.stats().quarantined_count, 0);
}

#[tokio::test]
async fn a_damaged_input_stops_its_merge_and_nothing_else() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 3).await;
    drop(store);
    let disk = disk.crash(None);
    let damaged = files(&disk)
        .into_iter()
        .find(|path| path.to_string_lossy().contains("logs"));
    disk.flip_bit(&damaged.unwrap(), 801);
    let store = open(&disk).unwrap();
    let refused = store.compact(true).await.unwrap_err();
    assert!(matches!(refused, Error::Corrupt { .. }), "{refused}");
    assert_eq!(store.stats().compaction.failure_count, 1);
    // The damaged one is set aside; the rest merges.
    store.flush().await.unwrap();
    assert_eq!(store.stats().quarantined_count, 1);
    assert_eq!(store.compact(true).await.unwrap(), 2);
    assert_eq!(rows_of(&store).len(), rows.len() - 50);
}

#[tokio::test]
async fn a_full_disk_stops_merges_and_keeps_the_segments() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows = fill(&store, 3).await;
    disk.set_capacity(Some(0));
    // No room is known beforehand: not even tried.
    assert_eq!(store.compact(true).await.unwrap(), 0);
    disk.set_capacity(None);
    disk.break_from(disk.operation_count() + 4, std::io::ErrorKind::StorageFull);
    store.compact(true).await.unwrap_err();
    disk.mend();
    assert_eq!(rows_of(&store), rows);
    assert_eq!(metas(&store).len(), 6);
    assert_eq!(files(&disk).len(), 6, "nothing half written is left");
    assert_eq!(store.compact(true).await.unwrap(), 2);
    assert_eq!(rows_of(&store), rows);
}

#[tokio::test]
async fn days_are_merged_apart_and_a_quiet_day_to_the_end() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let lazy = StorageConfig {
        compaction: CompactionConfig {
            enabled: false,
            ..CompactionConfig::default()
        },
        ..config()
    };
    let store = open_with(&disk, lazy, &clock).unwrap();
    for number in 0..3 {
        let rows = [
            log(number, "today"),
            log(NANOS_PER_DAY + number, "tomorrow"),
        ];
        append(&store, &rows).await.unwrap();
        store.flush().await.unwrap();
    }
    assert_eq!(store.compact(false).await.unwrap(), 0);
    clock.set(Nanos(NANOS_PER_DAY + 2 * 3_600 * NANOS_PER_SECOND));
    assert_eq!(store.compact(false).await.unwrap(), 1);
    let mut days: Vec<(i64, u8)> = metas(&store).iter().map(|m| (m.day, m.level)).collect();
    days.sort_unstable();
    assert_eq!(days, [(0, 2), (1, 0), (1, 0), (1, 0)]);
    // Years later, or with a clock that was set back, nothing is lost.
    clock.set(Nanos(i64::MAX));
    store.compact(false).await.unwrap();
    clock.set(Nanos(0));
    store.compact(false).await.unwrap();
    assert_eq!(rows_of(&store).len(), 6);
}

#[tokio::test]
async fn too_many_unmerged_segments_refuse_writes_until_they_are_merged() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let store = open(&disk).unwrap();
    let limit = i64::try_from(crate::limits::MAX_LEVEL0_COUNT).unwrap();
    for number in 0..limit {
        append(&store, &[log(number, "x")]).await.unwrap();
        store.flush().await.unwrap();
    }
    drop(store);
    let disk = disk.crash(None);
    let eager = StorageConfig {
        compaction: CompactionConfig {
            // Nothing is due by itself, so that the refusal can be seen.
            level0_count: 10_000,
            ..CompactionConfig::default()
        },
        ..config()
    };
    let store = open_with(&disk, eager, &clock).unwrap();
    let refused = append(&store, &[log(1, "refused")]).await.unwrap_err();
    assert!(matches!(refused, Error::Backlog { .. }), "{refused}");
    assert_eq!(refused.kind(), crate::ErrorKind::Overloaded);
    store.compact(true).await.unwrap();
    append(&store, &[log(1, "taken")]).await.unwrap();
}

#[tokio::test]
async fn merging_happens_by_itself() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let eager = StorageConfig {
        compaction: CompactionConfig {
            enabled: true,
            level0_count: 4,
            ..CompactionConfig::default()
        },
        ..config()
    };
    let store = open_with(&disk, eager, &clock).unwrap();
    let rows = fill(&store, 4).await;
    let done = async {
        while store.stats().compaction.merge_count < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    let deadline = std::time::Duration::from_secs(60);
    tokio::time::timeout(deadline, done).await.unwrap();
    assert_eq!(metas(&store).len(), 2);
    assert_eq!(rows_of(&store), rows);
    store.shutdown().await.unwrap();
}
