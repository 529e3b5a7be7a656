//! The log by itself: what comes back of whatever bytes are on the disk.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use proptest::prelude::*;
use tokio::sync::oneshot;

use super::commit::{Committed, Wal};
use super::format::{FILE_HEADER_BYTES, RECORD_HEADER_BYTES};
use super::replay::{Recovered, ReplayReport, replay};
use super::writer::WalParts;
use crate::budget::Governor;
use crate::error::Result;
use crate::ids::{Signal, WalSeq};
use crate::io::Disk;
use crate::io::fault::FaultDisk;
use crate::names::DataDir;
use crate::record::{PayloadCompression, PayloadEncoding, RawRecord};
use crate::time::{ManualClock, Nanos};

fn record(number: u8, payload_bytes: usize) -> RawRecord {
    RawRecord {
        signal: Signal::Traces,
        encoding: PayloadEncoding::Json,
        compression: PayloadCompression::Zstd,
        options: number,
        received_at: Nanos(i64::from(number) - 3),
        payload: Bytes::from(vec![number; payload_bytes]),
    }
}

fn dirs() -> DataDir {
    DataDir::new(std::path::Path::new("/w"))
}

fn empty_disk() -> FaultDisk {
    let disk = FaultDisk::new();
    for dir in ["/w", "/w/wal", "/w/tmp", "/w/quarantine"] {
        disk.create_dir(std::path::Path::new(dir)).unwrap();
        disk.sync_dir(std::path::Path::new(dir).parent().unwrap())
            .unwrap();
    }
    disk
}

/// Writes `records`, each in a group of its own, into files of `file_bytes`.
async fn write(disk: &FaultDisk, recovered: Recovered, records: &[RawRecord], file_bytes: u64) {
    let parts = WalParts {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::default()),
        dirs: dirs(),
        file_bytes,
    };
    let seen: Arc<Mutex<Vec<WalSeq>>> = Arc::default();
    let sink_seen = Arc::clone(&seen);
    let sink = Box::new(move |committed: Vec<Committed>| {
        sink_seen.lock().extend(committed.iter().map(|c| c.seq));
        Ok(())
    });
    let wal = Wal::start(parts, recovered, sink).unwrap();
    let governor = Governor::new(1);
    for record in records {
        let permit = governor.take_anyway(0);
        let acked: oneshot::Receiver<Result<WalSeq>> =
            wal.submit(record.clone(), Vec::new(), permit).unwrap();
        let seq = acked.await.unwrap().unwrap();
        assert_eq!(
            seen.lock().last(),
            Some(&seq),
            "the sink hears of it before its sender"
        );
    }
    wal.stop();
}

fn read(disk: &FaultDisk) -> (Vec<(WalSeq, RawRecord)>, Recovered, ReplayReport) {
    let mut records = Vec::new();
    let (recovered, report) = replay(disk, &dirs(), &mut |seq, record, _| {
        records.push((seq, record));
        Ok(())
    })
    .unwrap();
    (records, recovered, report)
}

fn wal_files(disk: &FaultDisk) -> Vec<PathBuf> {
    let files = disk.files().into_iter().map(|(path, _)| path);
    files.filter(|path| path.starts_with("/w/wal")).collect()
}

fn five() -> Vec<RawRecord> {
    (1..=5).map(|n| record(n, usize::from(n) * 7)).collect()
}

#[tokio::test]
async fn records_come_back_in_order_across_files_and_sessions() {
    let disk = empty_disk();
    // One payload larger than what is gathered, and one of nothing.
    let records = vec![
        record(1, 10),
        record(2, 200_000),
        record(3, 0),
        record(4, 3_000_000),
    ];
    write(
        &disk,
        Recovered {
            next_number: 1,
            ..Recovered::default()
        },
        &records,
        100,
    )
    .await;
    let disk = disk.crash(None);
    let (found, recovered, report) = read(&disk);
    let numbered: Vec<_> = (1..).map(WalSeq).zip(records.clone()).collect();
    assert_eq!(found, numbered);
    assert_eq!(
        (recovered.last_seq, report.damaged_count, report.torn_bytes),
        (WalSeq(4), 0, 0)
    );
    assert!(wal_files(&disk).len() > 2);
    write(&disk, recovered, &records, 1 << 20).await;
    let (found, _, _) = read(&disk.crash(None));
    let twice = (1..)
        .map(WalSeq)
        .zip(records.iter().chain(&records).cloned());
    assert_eq!(found, twice.collect::<Vec<_>>());
}

#[tokio::test]
async fn a_log_cut_anywhere_gives_exactly_the_complete_records() {
    let disk = empty_disk();
    write(
        &disk,
        Recovered {
            next_number: 1,
            ..Recovered::default()
        },
        &five(),
        1 << 20,
    )
    .await;
    let path = wal_files(&disk).remove(0);
    let whole = disk.contents(&path).unwrap();
    let mut ends = vec![FILE_HEADER_BYTES];
    for record in five() {
        ends.push(ends[ends.len() - 1] + RECORD_HEADER_BYTES + record.payload.len());
    }
    assert_eq!(ends[5], whole.len());
    for cut in 0..=whole.len() {
        let disk = disk.kill();
        disk.overwrite(&path, &whole[..cut]);
        let (found, recovered, report) = read(&disk);
        let complete = ends
            .iter()
            .filter(|end| **end <= cut)
            .count()
            .saturating_sub(1);
        assert_eq!(found.len(), complete, "cut at {cut}");
        assert!(
            found
                .iter()
                .zip(five())
                .all(|((_, found), sent)| *found == sent)
        );
        assert_eq!(report.damaged_count, 0, "cut at {cut}");
        assert_eq!(recovered.last_seq.0, u64::try_from(complete).unwrap());
        // The next file begins with a new number; then the cut is in the middle of the log, and still not rot.
        write(&disk, recovered, &[record(9, 5)], 1 << 20).await;
        let (found, _, report) = read(&disk);
        assert_eq!(
            (found.len(), report.damaged_count),
            (complete + 1, 0),
            "cut at {cut}"
        );
    }
}

#[tokio::test]
async fn any_flipped_bit_costs_at_most_the_record_that_it_hits() {
    let disk = empty_disk();
    write(
        &disk,
        Recovered {
            next_number: 1,
            ..Recovered::default()
        },
        &five(),
        1 << 20,
    )
    .await;
    let path = wal_files(&disk).remove(0);
    let whole = disk.contents(&path).unwrap();
    for bit in 0..whole.len() * 8 {
        let disk = disk.kill();
        disk.flip_bit(&path, u64::try_from(bit).unwrap());
        let (found, _, report) = read(&disk);
        let intact: Vec<_> = (1..)
            .map(WalSeq)
            .zip(five())
            .filter(|r| found.contains(r))
            .collect();
        assert_eq!(
            found, intact,
            "bit {bit}: something else than a record was read"
        );
        if bit < FILE_HEADER_BYTES * 8 {
            assert_eq!(found.len(), 5, "bit {bit}: the header costs no record");
        } else {
            assert_eq!(found.len(), 4, "bit {bit}");
            assert_eq!(
                report.damaged_count + u64::from(report.torn_bytes > 0),
                1,
                "bit {bit}"
            );
        }
    }
}

#[tokio::test]
async fn rot_at_the_end_of_an_older_file_is_told_from_a_torn_tail() {
    let disk = empty_disk();
    write(
        &disk,
        Recovered {
            next_number: 1,
            ..Recovered::default()
        },
        &five(),
        1,
    )
    .await;
    let files = wal_files(&disk);
    assert_eq!(files.len(), 5);
    // The second file's only record rots: the third file knows that it had been durable.
    let end = u64::try_from(disk.contents(&files[1]).unwrap().len()).unwrap() * 8 - 1;
    disk.flip_bit(&files[1], end);
    let (found, recovered, report) = read(&disk);
    assert_eq!(found.len(), 4);
    assert_eq!((report.damaged_count, report.torn_bytes), (1, 0));
    assert_eq!(recovered.last_seq, WalSeq(5));
    let kept = disk
        .files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("/w/quarantine"));
    assert_eq!(kept.count(), 1);
    // In the newest file it cannot be told apart from a write that was cut short.
    let disk = disk.kill();
    disk.flip_bit(&files[4], end);
    let (_, _, report) = read(&disk);
    assert!(report.torn_bytes > 0);
}

#[tokio::test]
async fn whole_files_are_released_in_order_and_only_below_the_mark() {
    let disk = empty_disk();
    write(
        &disk,
        Recovered {
            next_number: 1,
            ..Recovered::default()
        },
        &five(),
        1,
    )
    .await;
    let (_, recovered, _) = read(&disk);
    let parts = WalParts {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::default()),
        dirs: dirs(),
        file_bytes: 1,
    };
    let wal = Wal::start(parts, recovered, Box::new(|_| Ok(()))).unwrap();
    wal.release(WalSeq(2)).unwrap();
    let (found, _, _) = read(&disk);
    let left: Vec<u64> = found.iter().map(|(seq, _)| seq.0).collect();
    assert_eq!(left, [3, 4, 5]);
    wal.release(WalSeq(9)).unwrap();
    assert_eq!(wal_files(&disk).len(), 0);
    assert_eq!(wal.bytes(), 0);
}

#[tokio::test]
async fn a_sender_that_gave_up_before_its_write_leaves_no_trace() {
    let disk = empty_disk();
    let parts = WalParts {
        disk: Arc::new(disk.clone()),
        clock: Arc::new(ManualClock::default()),
        dirs: dirs(),
        file_bytes: 1 << 20,
    };
    // The sink tells that it was reached, then holds the thread while the second sender gives up.
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock();
    let sink_gate = Arc::clone(&gate);
    let (entered, reached) = std::sync::mpsc::sync_channel(9);
    let sink = Box::new(move |_: Vec<Committed>| {
        entered.send(()).ok();
        drop(sink_gate.lock());
        Ok(())
    });
    let recovered = Recovered {
        next_number: 1,
        ..Recovered::default()
    };
    let wal = Wal::start(parts, recovered, sink).unwrap();
    let governor = Governor::new(1);
    let first = wal
        .submit(record(1, 3), Vec::new(), governor.take_anyway(0))
        .unwrap();
    let deadline = std::time::Duration::from_secs(10);
    reached.recv_timeout(deadline).unwrap();
    drop(
        wal.submit(record(2, 3), Vec::new(), governor.take_anyway(7))
            .unwrap(),
    );
    let third = wal
        .submit(record(3, 3), Vec::new(), governor.take_anyway(0))
        .unwrap();
    drop(held);
    assert_eq!(first.await.unwrap().unwrap(), WalSeq(1));
    assert_eq!(third.await.unwrap().unwrap(), WalSeq(2));
    assert_eq!(governor.used_bytes(), 0);
    wal.stop();
    let (found, _, _) = read(&disk);
    let options: Vec<u8> = found.iter().map(|(_, record)| record.options).collect();
    assert_eq!(options, [1, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_damage_never_panics_nor_invents_a_record(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        keep in any::<prop::sample::Index>(),
        tail in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let disk = empty_disk();
        let first = Recovered { next_number: 1, ..Recovered::default() };
        runtime.block_on(write(&disk, first, &five(), 1 << 20));
        let path = wal_files(&disk).remove(0);
        let mut bytes = disk.contents(&path).unwrap();
        for (at, value) in cuts {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        bytes.extend(tail);
        disk.overwrite(&path, &bytes);
        let (found, _, _) = read(&disk);
        for (seq, record) in found {
            let sent = five().into_iter().nth(usize::try_from(seq.0).unwrap() - 1);
            prop_assert_eq!(Some(record), sent);
        }
    }
}
