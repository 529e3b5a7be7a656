//! Damaged files: found, named, set aside; what does not depend on them stays.

use std::path::{Path, PathBuf};

use super::support::{Row, append, batches, log, open, read, record, rows_of, span};
use crate::io::fault::FaultDisk;

/// A store with several manifest versions, a checkpoint, segments, and rows that are only in the WAL.
async fn small_store() -> (FaultDisk, Vec<Row>) {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let mut rows = Vec::new();
    for number in 0..7 {
        let pair = [
            log(number, format!("l{number}")),
            span(number, format!("s{number}")),
        ];
        append(&store, &pair).await.unwrap();
        rows.extend(pair);
        if number < 6 {
            store.flush().await.unwrap();
        }
    }
    rows.sort();
    drop(store);
    (disk.kill(), rows)
}

/// Something that goes wrong with a file.
type Damage<'a> = Box<dyn Fn(&FaultDisk) + 'a>;

fn files_in(disk: &FaultDisk, dir: &str) -> Vec<(PathBuf, u64)> {
    let mut files = disk.files();
    files.retain(|(path, _)| path.starts_with(dir));
    files
}

#[tokio::test]
async fn any_single_damaged_manifest_file_loses_nothing() {
    let (disk, rows) = small_store().await;
    let files = files_in(&disk, "/data/manifest");
    assert!(files.len() > 3);
    for (path, bytes) in files {
        let mut ways: Vec<Damage<'_>> = vec![
            Box::new(|disk| disk.overwrite(&path, b"")),
            Box::new(|disk| disk.overwrite(&path, b"{}\ncrc32c 00000000\n")),
        ];
        for bit in (0..bytes * 8).step_by(1_201) {
            let path = &path;
            ways.push(Box::new(move |disk| disk.flip_bit(path, bit)));
        }
        for damage in ways {
            let disk = disk.kill();
            damage(&disk);
            let store = open(&disk).unwrap();
            assert_eq!(rows_of(&store), rows, "{}", path.display());
            append(&store, &[log(100, "more")]).await.unwrap();
            store.flush().await.unwrap();
            drop(store);
            let store = open(&disk.kill()).unwrap();
            assert_eq!(rows_of(&store).len(), rows.len() + 1, "{}", path.display());
        }
    }
}

#[tokio::test]
async fn a_missing_or_short_segment_is_reported_and_the_rest_stays() {
    let (disk, rows) = small_store().await;
    for (path, _) in files_in(&disk, "/data/data") {
        let disk = disk.kill();
        let whole = disk.contents(&path).unwrap();
        disk.overwrite(&path, &whole[..whole.len() / 2]);
        let store = open(&disk).unwrap();
        let left = rows_of(&store);
        assert_eq!(left.len(), rows.len() - 1, "{}", path.display());
        assert!(left.iter().all(|row| rows.contains(row)));
        assert_eq!(store.stats().quarantined_count, 1);
        let kept = Path::new("/data/quarantine").join(path.file_name().unwrap());
        assert_eq!(disk.contents(&kept).unwrap().len(), whole.len() / 2);
    }
}

#[tokio::test]
async fn a_segment_that_rots_is_met_once_then_set_aside() {
    let (disk, rows) = small_store().await;
    let (path, bytes) = files_in(&disk, "/data/data").remove(0);
    let store = open(&disk).unwrap();
    disk.flip_bit(&path, bytes * 4);
    let error = read(&store.snapshot()).unwrap_err();
    assert!(
        error.to_string().contains(path.to_str().unwrap()),
        "{error}"
    );
    store.flush().await.unwrap();
    assert_eq!(rows_of(&store).len(), rows.len() - 1);
    assert_eq!(store.stats().quarantined_count, 1);
    assert!(disk.contents(&path).is_none());
    // It stays away, and its file is not swept.
    drop(store);
    let disk = disk.crash(None);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store).len(), rows.len() - 1);
    let kept = files_in(&disk, "/data/quarantine");
    assert!(
        kept.iter()
            .any(|(kept, _)| kept.file_name() == path.file_name())
    );
}

#[tokio::test]
async fn rot_inside_the_wal_costs_only_the_record_that_it_hits() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    let rows: Vec<Row> = (0..3).map(|n| log(n, format!("row {n}"))).collect();
    for row in &rows {
        append(&store, std::slice::from_ref(row)).await.unwrap();
    }
    drop(store);
    let (path, _) = files_in(&disk, "/data/wal").remove(0);
    let whole = disk.contents(&path).unwrap();
    let at = memchr::memmem::find(&whole, b"row 1").unwrap();
    let disk = disk.kill();
    disk.flip_bit(&path, u64::try_from(at).unwrap() * 8);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), [rows[0].clone(), rows[2].clone()]);
    let report = store.stats().replay;
    assert_eq!((report.damaged_count, report.torn_bytes), (1, 0));
    assert_eq!(files_in(&disk, "/data/quarantine").len(), 1);
    // A new record gets a number of its own.
    append(&store, &[log(9, "new")]).await.unwrap();
    drop(store);
    let store = open(&disk.kill()).unwrap();
    assert_eq!(rows_of(&store).len(), 3);
}

#[tokio::test]
async fn foreign_files_are_left_alone_and_leftovers_are_swept() {
    let (disk, rows) = small_store().await;
    let foreign = [
        "/data/manifest/.nfs01",
        "/data/wal/notes.txt",
        "/data/data/readme",
    ];
    let leftovers = [
        "/data/tmp/0123",
        "/data/data/1970-01-01/otel_logs-00000000000000000000000000000001.parquet",
    ];
    for path in foreign.iter().chain(&leftovers) {
        use crate::io::Disk;
        disk.create(Path::new(path)).unwrap().append(b"?").unwrap();
    }
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), rows);
    for path in foreign {
        assert!(disk.contents(Path::new(path)).is_some(), "{path}");
    }
    for path in leftovers {
        assert!(disk.contents(Path::new(path)).is_none(), "{path}");
    }
}

#[tokio::test]
async fn the_loser_of_a_manifest_version_stops_writing() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    append(&store, &[log(1, "a")]).await.unwrap();
    // Another writer, which the lock did not keep away, takes the next version.
    disk.overwrite_or_create(
        Path::new("/data/manifest/00000000000000000001"),
        b"not ours",
    );
    let error = store.flush().await.unwrap_err();
    assert!(matches!(error, crate::Error::Locked { .. }), "{error}");
    append(&store, &[log(2, "b")]).await.unwrap_err();
    assert_eq!(rows_of(&store), [log(1, "a")]);
}

#[tokio::test]
async fn records_that_no_decoder_takes_are_kept_and_the_rest_is_replayed() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    for payload in ["garbage", "panic"] {
        let rows = [log(1, payload)];
        let mut broken = record(&rows);
        broken.payload = bytes::Bytes::from_static(payload.as_bytes());
        store.append(broken, batches(&rows)).await.unwrap();
    }
    append(&store, &[log(2, "good")]).await.unwrap();
    drop(store);
    let disk = disk.crash(None);
    let store = open(&disk).unwrap();
    assert_eq!(rows_of(&store), [log(2, "good")]);
    assert_eq!(store.stats().replay.undecodable_count, 2);
    let kept: Vec<_> = files_in(&disk, "/data/quarantine")
        .into_iter()
        .map(|(path, _)| disk.contents(&path).unwrap())
        .collect();
    assert_eq!(kept, [b"garbage".to_vec(), b"panic".to_vec()]);
}
