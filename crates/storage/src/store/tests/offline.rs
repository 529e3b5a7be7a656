//! Check, inspect and copy, with a store on the real disk beside them.

use std::path::Path;
use std::sync::Arc;

use super::support::{LineDecoder, append, config, log, rows_of, span};
use crate::config::StorageConfig;
use crate::io::{Disk, LocalDisk};
use crate::offline::{CopyOptions, check, copy_store, inspect};
use crate::store::{Parts, Store};

fn open(dir: &Path) -> Arc<Store> {
    let config = StorageConfig {
        data_dir: dir.to_owned(),
        ..config()
    };
    Store::open(config, Parts::real(Arc::new(LineDecoder))).unwrap()
}

fn disk() -> Arc<dyn Disk> {
    Arc::new(LocalDisk)
}

#[tokio::test]
async fn a_copy_beside_a_running_store_has_every_row_and_the_next_takes_only_what_is_new() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("data"), dir.path().join("copy"));
    let store = open(&from);
    for number in 0..3 {
        append(
            &store,
            &[log(number, format!("{number}")), span(number, "s")],
        )
        .await
        .unwrap();
        store.flush().await.unwrap();
    }
    append(&store, &[log(9, "only in the WAL")]).await.unwrap();
    let dry = CopyOptions {
        dry_run: true,
        ..CopyOptions::default()
    };
    let would = copy_store(&disk(), (&from, &to), dry, &mut |_, _| {}).unwrap();
    assert!(!to.exists());
    let options = CopyOptions::default();
    let first = copy_store(&disk(), (&from, &to), options, &mut |_, _| {}).unwrap();
    assert_eq!(first, would);
    assert_eq!((first.segment_count, first.kept_count), (6, 0));
    assert_eq!(rows_of(&open(&to)), rows_of(&store));

    append(&store, &[log(10, "later")]).await.unwrap();
    store.flush().await.unwrap();
    let second = copy_store(&disk(), (&from, &to), options, &mut |_, _| {}).unwrap();
    assert_eq!((second.segment_count, second.kept_count), (7, 6));
    store.compact(true).await.unwrap();
    let third = copy_store(&disk(), (&from, &to), options, &mut |_, _| {}).unwrap();
    assert_eq!((third.segment_count, third.kept_count), (2, 0));
    assert_eq!(inspect(&disk(), &to, true).unwrap().len(), 2);
    assert_eq!(rows_of(&open(&to)), rows_of(&store));

    // Never over something else.
    let fresh = CopyOptions {
        fresh: true,
        ..options
    };
    copy_store(&disk(), (&from, &to), fresh, &mut |_, _| {}).unwrap_err();
    let other = dir.path().join("other");
    let other_store = open(&other);
    append(&other_store, &[log(1, "another store")])
        .await
        .unwrap();
    other_store.flush().await.unwrap();
    drop(other_store);
    copy_store(&disk(), (&from, &other), options, &mut |_, _| {}).unwrap_err();
    copy_store(
        &disk(),
        (&dir.path().join("nothing"), &other),
        options,
        &mut |_, _| {},
    )
    .unwrap_err();
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test damages a file behind the engine's back"
)]
async fn a_check_finds_a_flipped_bit_and_a_repair_takes_the_segment_out() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for number in 0..3 {
        append(&store, &[log(number, format!("{number}"))])
            .await
            .unwrap();
        store.flush().await.unwrap();
    }
    let clean = check(&disk(), dir.path(), false, &mut |_, _| {}).unwrap();
    assert_eq!(
        (clean.segment_count, clean.row_count, clean.damaged.len()),
        (3, 3, 0)
    );
    check(&disk(), dir.path(), true, &mut |_, _| {}).unwrap_err();
    let path = store.live.segments()[1].path().to_owned();
    drop(store);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[77] ^= 4;
    std::fs::write(&path, bytes).unwrap();
    let mut named = 0;
    let found = check(&disk(), dir.path(), false, &mut |_, damage| {
        named += usize::from(damage.is_some());
    });
    let found = found.unwrap();
    assert_eq!((found.damaged.len(), named, found.repaired), (1, 1, false));
    assert!(
        check(&disk(), dir.path(), true, &mut |_, _| {})
            .unwrap()
            .repaired
    );
    let again = check(&disk(), dir.path(), false, &mut |_, _| {}).unwrap();
    assert_eq!((again.segment_count, again.damaged.len()), (2, 0));
    assert!(!path.exists());
    let store = open(dir.path());
    assert_eq!(rows_of(&store).len(), 2);
    assert_eq!(store.stats().quarantined_count, 1);
}
