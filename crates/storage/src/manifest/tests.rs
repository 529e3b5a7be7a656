//! The manifest by itself: its files' bytes, exclusive versions, checkpoints, doubt.

use std::io::ErrorKind as Io;
use std::path::Path;
use std::sync::Arc;

use super::file::{EditFile, VersionedEdit, decode_checkpoint, encode_checkpoint};
use super::{Edit, Manifest, ManifestParts, State};
use crate::error::Error;
use crate::ids::{SegmentId, TableId, Version, WalSeq};
use crate::io::Disk;
use crate::io::fault::{Fault, FaultDisk};
use crate::names::DataDir;
use crate::segment::SegmentMeta;
use crate::time::{Nanos, TimeRange};

fn meta() -> Arc<SegmentMeta> {
    Arc::new(SegmentMeta {
        id: SegmentId::generate(),
        table: TableId::Logs,
        format: 0,
        level: 0,
        day: 0,
        rows: 3,
        file_bytes: 99,
        time: TimeRange {
            min: Nanos(1),
            max: Nanos(2),
        },
        first_seq: WalSeq(1),
        last_seq: WalSeq(2),
        created_at: Nanos(5),
        columns: std::collections::BTreeMap::new(),
        row_groups: Vec::new(),
        block_checksums: vec![7],
    })
}

fn edit(seq: u64) -> Edit {
    Edit {
        adds: vec![meta()],
        watermarks: vec![(TableId::Logs, WalSeq(seq))],
        ..Edit::default()
    }
}

fn disk() -> FaultDisk {
    let disk = FaultDisk::new();
    for dir in ["/m", "/m/manifest", "/m/tmp", "/m/quarantine"] {
        disk.create_dir(Path::new(dir)).unwrap();
        disk.sync_dir(Path::new(dir).parent().unwrap()).unwrap();
    }
    disk
}

fn open(disk: &FaultDisk) -> Manifest {
    let parts = ManifestParts {
        disk: Arc::new(disk.clone()),
        dirs: DataDir::new(Path::new("/m")),
    };
    Manifest::open(parts).unwrap().0
}

#[test]
fn every_flipped_bit_of_an_edit_and_of_a_checkpoint_is_noticed() {
    let versioned = VersionedEdit {
        version: Version(3),
        base: Version(2),
        edit: edit(4),
    };
    let file = EditFile::new("w", versioned.clone(), Some(versioned));
    let bytes = file.encode().unwrap();
    assert_eq!(EditFile::decode(&bytes).unwrap(), file);
    let mut state = State::default();
    state.apply(Version(9), &edit(5));
    let checkpoint = encode_checkpoint(&state).unwrap();
    assert_eq!(decode_checkpoint(&checkpoint).unwrap(), state);
    for bit in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        EditFile::decode(&bytes).unwrap_err();
    }
    for bit in 0..checkpoint.len() * 8 {
        let mut bytes = checkpoint.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        decode_checkpoint(&bytes).unwrap_err();
    }
    for cut in 0..bytes.len() {
        EditFile::decode(&bytes[..cut]).unwrap_err();
    }
}

#[test]
fn versions_checkpoints_and_clearing_keep_the_state_across_restarts() {
    let disk = disk();
    let mut expected = State::default();
    for round in 1..=10_u64 {
        let manifest = open(&disk);
        assert_eq!(*manifest.state(), expected);
        let removed = expected.segments.keys().next().copied();
        let edit = Edit {
            // Every third version also takes the oldest segment out.
            removes: removed.into_iter().filter(|_| round % 3 == 0).collect(),
            ..edit(round)
        };
        let state = manifest.publish(&edit).unwrap();
        expected.apply(Version(round), &edit);
        assert_eq!(*state, expected);
    }
    let disk = disk.crash(None);
    assert_eq!(*open(&disk).state(), expected);
    // Old files went, the checkpoint before the last one and what follows it stayed.
    let mut names: Vec<String> = disk
        .list(Path::new("/m/manifest"))
        .unwrap()
        .into_iter()
        .map(|e| e.name)
        .collect();
    names.sort();
    let expected_names: Vec<String> = ["06.checkpoint", "07", "08", "09", "09.checkpoint", "10"]
        .map(|name| format!("{:0>18}{name}", ""))
        .into();
    assert_eq!(names, expected_names);
}

#[test]
fn edits_that_break_an_invariant_are_refused_and_change_nothing() {
    let disk = disk();
    let manifest = open(&disk);
    let first = edit(5);
    manifest.publish(&first).unwrap();
    let before = manifest.state();
    let twice = manifest.publish(&first).unwrap_err();
    assert!(twice.to_string().contains("ST-1"), "{twice}");
    let backwards = manifest.publish(&edit(4)).unwrap_err();
    assert!(backwards.to_string().contains("ST-9"), "{backwards}");
    let unknown = Edit {
        removes: vec![SegmentId::generate()],
        ..Edit::default()
    };
    manifest.publish(&unknown).unwrap_err();
    assert_eq!(manifest.state(), before);
    assert_eq!(*open(&disk).state(), *before);
}

#[test]
fn of_two_writers_one_wins_and_the_other_never_writes_again() {
    let disk = disk();
    let (a, b) = (open(&disk), open(&disk));
    a.publish(&edit(1)).unwrap();
    for _ in 0..2 {
        let lost = b.publish(&edit(1)).unwrap_err();
        assert!(matches!(lost, Error::Locked { .. }), "{lost}");
    }
    a.publish(&edit(2)).unwrap();
    assert_eq!(*open(&disk).state(), *a.state());
}

#[test]
fn an_edit_in_doubt_is_settled_by_publishing_it_again() {
    // Whatever fails, and whether or not the file got there: the second try succeeds, and it counts once.
    for fault in [
        Fault::Error(Io::TimedOut),
        Fault::ErrorAfter(Io::TimedOut),
        Fault::Torn,
    ] {
        for at in 0..6 {
            let disk = disk();
            let manifest = open(&disk);
            let (first, second) = (edit(1), edit(2));
            disk.fail_at(disk.operation_count() + at, fault);
            if manifest.publish(&first).is_err() {
                let other = manifest.publish(&second).unwrap_err();
                assert!(matches!(other, Error::Internal { .. }), "{other}");
                manifest.publish(&first).unwrap();
            }
            manifest.publish(&second).unwrap();
            assert_eq!(manifest.state().segments.len(), 2, "{fault:?} at {at}");
            assert_eq!(*open(&disk.crash(None)).state(), *manifest.state());
        }
    }
}
