//! Damaged files are noticed, named and reported, and never bring the process down.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::rows::{Row, any_row, batch_of, request, write_segments};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{TableId, WalSeq};
use crate::io::atomic::make_dirs;
use crate::io::fault::FaultDisk;
use crate::names::DataDir;
use crate::predicate::Predicate;
use crate::scan::Snapshot;
use crate::segment::{FlushSource, LiveSegment, SegmentSizes, write_sorted};
use crate::time::Nanos;

fn sample() -> Vec<Row> {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let rows = prop::collection::vec(any_row(), 200)
        .new_tree(&mut runner)
        .unwrap()
        .current();
    rows.into_iter()
        .map(|row| Row {
            time: row.time % 1_000,
            ..row
        })
        .collect()
}

fn read_all(segment: &Arc<LiveSegment>) -> Result<usize> {
    let snapshot = Snapshot::new(Arc::from([Arc::clone(segment)]), Vec::new());
    assert_eq!(snapshot.row_count(TableId::Logs), segment.meta().rows);
    let plan = snapshot.scan(&request(Predicate::True, None))?;
    let mut rows = 0;
    for unit in &plan.units {
        for batch in unit.open()? {
            rows += batch?.num_rows();
        }
    }
    Ok(rows)
}

fn reopened(segment: &LiveSegment) -> Arc<LiveSegment> {
    let access = crate::segment::SegmentAccess::new(Arc::new(crate::io::LocalDisk));
    LiveSegment::open(segment.meta().clone(), segment.path().to_owned(), &access)
}

#[test]
fn every_flipped_bit_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let segments = write_segments(dir.path(), &[batch_of(&sample())]);
    let [segment] = segments.as_slice() else {
        panic!()
    };
    assert_eq!(read_all(segment).unwrap(), 200);
    let intact = std::fs::read(segment.path()).unwrap();
    for at in (0..intact.len()).step_by(97) {
        let mut broken = intact.clone();
        broken[at] ^= 1 << (at % 8);
        std::fs::write(segment.path(), &broken).unwrap();
        let error = read_all(&reopened(segment)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("otel_logs-"), "{error}");
    }
}

#[test]
fn a_shortened_or_lengthened_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let segments = write_segments(dir.path(), &[batch_of(&sample())]);
    let [segment] = segments.as_slice() else {
        panic!()
    };
    let intact = std::fs::read(segment.path()).unwrap();
    for len in [
        0,
        1,
        8,
        intact.len() / 2,
        intact.len() - 1,
        intact.len() + 1,
    ] {
        let mut broken = intact.clone();
        broken.resize(len, 0);
        std::fs::write(segment.path(), &broken).unwrap();
        let error = read_all(&reopened(segment)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
}

#[test]
fn bytes_that_no_writer_makes_do_not_panic_even_with_fitting_checksums() {
    let dir = tempfile::tempdir().unwrap();
    let segments = write_segments(dir.path(), &[batch_of(&sample())]);
    let [segment] = segments.as_slice() else {
        panic!()
    };
    let intact = std::fs::read(segment.path()).unwrap();
    for at in (4..intact.len()).step_by(53) {
        let mut broken = intact.clone();
        broken[at] = broken[at].wrapping_add(0x55);
        std::fs::write(segment.path(), &broken).unwrap();
        let mut meta = segment.meta().clone();
        meta.block_checksums = broken.chunks(256 * 1024).map(crc32c::crc32c).collect();
        let access = crate::segment::SegmentAccess::new(Arc::new(crate::io::LocalDisk));
        let lying = LiveSegment::open(meta, segment.path().to_owned(), &access);
        match read_all(&lying) {
            Ok(rows) => assert_eq!(rows, 200),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}"),
        }
    }
}

#[test]
fn a_damaged_segment_is_reported_once_and_stays_refused() {
    let dir = tempfile::tempdir().unwrap();
    let segments = write_segments(dir.path(), &[batch_of(&sample())]);
    let [segment] = segments.as_slice() else {
        panic!()
    };
    std::fs::write(segment.path(), b"PAR1").unwrap();
    let access = crate::segment::SegmentAccess::new(Arc::new(crate::io::LocalDisk));
    let live = LiveSegment::open(segment.meta().clone(), segment.path().to_owned(), &access);
    for _ in 0..2 {
        assert!(matches!(read_all(&live), Err(Error::Corrupt { .. })));
    }
    assert!(live.damage().is_some());
    let damaged = access.take_damaged();
    assert_eq!(damaged.len(), 1);
    assert_eq!(damaged[0].0, segment.meta().id);
    assert!(access.take_damaged().is_empty());
}

#[test]
fn an_error_of_the_disk_is_not_damage() {
    let dir = tempfile::tempdir().unwrap();
    let segments = write_segments(dir.path(), &[batch_of(&sample())]);
    let [segment] = segments.as_slice() else {
        panic!()
    };
    assert_eq!(read_all(segment).unwrap(), 200);
    // The file is open already, and its last bytes cannot be read for a while.
    let intact = std::fs::read(segment.path()).unwrap();
    std::fs::write(segment.path(), &intact[..100]).unwrap();
    let error = read_all(segment).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert_eq!(segment.damage(), None);
    std::fs::write(segment.path(), &intact).unwrap();
    assert_eq!(read_all(segment).unwrap(), 200);
}

#[test]
fn a_full_disk_ends_a_flush_with_its_own_error_and_leaves_nothing() {
    let dirs = DataDir::new(Path::new("/data"));
    let batches = [batch_of(&sample())];
    let source = FlushSource {
        table: TableId::Logs,
        batches: &batches,
        seqs: (WalSeq(1), WalSeq(1)),
        created_at: Nanos(0),
        sizes: SegmentSizes::default(),
    };
    let disk = FaultDisk::new();
    make_dirs(&disk, dirs.root(), &dirs.tmp_dir()).unwrap();
    disk.set_capacity(Some(1_000));
    let error = write_sorted(&disk, &dirs, source).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DiskFull, "{error}");
    assert_eq!(disk.files(), []);
    disk.set_capacity(None);
    let metas = write_sorted(&disk, &dirs, source).unwrap();
    assert_eq!(metas.iter().map(|meta| meta.rows).sum::<u64>(), 200);
}
