//! Every disk operation of a small history fails once, in every way; the process dies at every operation. Afterwards
//! every acknowledged row is there once, no row is there twice, and the store takes new ones.

use std::collections::BTreeSet;
use std::io::ErrorKind as Io;
use std::sync::Arc;

use super::support::{Row, append, config, log, open, open_with, rows_of, span};
use crate::io::fault::{Fault, FaultDisk};
use crate::store::Store;
use crate::time::{ManualClock, NANOS_PER_DAY, Nanos};

/// What clients know.
#[derive(Debug, Default)]
struct Clients {
    acknowledged: Vec<Row>,
    /// Refused, or never answered: may be there, once.
    unsure: Vec<Row>,
}

impl Clients {
    async fn send(&mut self, store: &Store, rows: Vec<Row>) -> bool {
        let sent = append(store, &rows).await;
        let known = match sent {
            Ok(_) => &mut self.acknowledged,
            Err(_) => &mut self.unsure,
        };
        known.extend(rows);
        sent.is_ok()
    }

    fn check(&self, found: &[Row], context: &str) {
        let distinct: BTreeSet<&Row> = found.iter().collect();
        assert_eq!(
            distinct.len(),
            found.len(),
            "a row is there twice: {context}"
        );
        for row in &self.acknowledged {
            assert!(distinct.contains(row), "{row:?} is lost: {context}");
        }
        for row in found {
            let sent = self.acknowledged.contains(row) || self.unsure.contains(row);
            assert!(sent, "nobody has sent {row:?}: {context}");
        }
    }
}

/// The history: WAL rotation, flushes over two tables and two days, merges on both levels, removal of what they replaced,
/// a checkpoint, WAL release, a restart.
async fn history(disk: &FaultDisk, clients: &mut Clients) {
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let mut number = 0;
    for session in 0..2 {
        let Ok(store) = open_with(disk, config(), &clock) else {
            return;
        };
        for round in 0..2 {
            for _ in 0..2 {
                number += 1;
                // The first flush of all crosses a day.
                let at = if session + round == 0 {
                    NANOS_PER_DAY - 3 + number * 2
                } else {
                    number
                };
                let text = format!("{session}-{round}-{number}-{}", "x".repeat(160));
                let rows = vec![
                    log(at, text.clone()),
                    log(at + 1, text.clone()),
                    span(1, text),
                ];
                if !clients.send(&store, rows).await {
                    // Past the pause that a failed disk is given.
                    clock.set(Nanos(clock_after(&clock)));
                }
            }
            store.flush().await.ok();
            store.compact(round == 1).await.ok();
        }
        number += 1;
        clients
            .send(&store, vec![log(number, format!("last {number}"))])
            .await;
    }
}

fn clock_after(clock: &ManualClock) -> i64 {
    use crate::time::Clock;
    clock.now().0 + 10_000_000_000
}

/// Opens what is left and checks it, then again after more work: twice, because recovery writes too.
async fn recover(disk: &FaultDisk, clients: &mut Clients, context: &str) {
    let store = open(disk).unwrap_or_else(|error| panic!("{error}: {context}"));
    clients.check(&rows_of(&store), context);
    let sent = clients
        .send(&store, vec![log(7, "after"), span(8, "after")])
        .await;
    assert!(sent, "refuses rows: {context}");
    store
        .flush()
        .await
        .unwrap_or_else(|error| panic!("{error}: {context}"));
    clients.check(&rows_of(&store), context);
    drop(store);
    let disk = disk.crash(None);
    let store = open(&disk).unwrap_or_else(|error| panic!("{error}: {context}"));
    clients.check(&rows_of(&store), context);
}

async fn operation_count() -> u64 {
    let disk = FaultDisk::new();
    let mut clients = Clients::default();
    history(&disk, &mut clients).await;
    assert_eq!(clients.unsure.len(), 0);
    assert_eq!(clients.acknowledged.len(), 2 * (2 * 2 * 3 + 1));
    recover(&disk.crash(None), &mut clients, "no fault").await;
    let operations = disk.operations();
    let kinds: BTreeSet<&str> = operations.iter().map(|operation| operation.op).collect();
    for kind in [
        "create",
        "write",
        "fsync",
        "fsync directory",
        "rename to",
        "link",
        "remove",
    ] {
        assert!(kinds.contains(kind), "the history never does `{kind}`");
    }
    assert!(
        operations
            .iter()
            .any(|o| o.path.to_string_lossy().ends_with(".checkpoint"))
    );
    let removed_wal = |o: &&crate::io::fault::Operation| {
        o.op == "remove" && o.path.to_string_lossy().ends_with(".wal")
    };
    assert!(operations.iter().find(removed_wal).is_some());
    let removed_segment = |o: &&crate::io::fault::Operation| {
        o.op == "remove" && o.path.to_string_lossy().ends_with(".parquet")
    };
    assert!(operations.iter().filter(removed_segment).count() > 4);
    disk.operation_count()
}

#[tokio::test]
async fn one_failing_operation_never_costs_an_acknowledged_row() {
    let operations = operation_count().await;
    for fault in [
        Fault::Error(Io::Other),
        Fault::ErrorAfter(Io::TimedOut),
        Fault::Torn,
    ] {
        for at in 0..operations {
            let fault = match fault {
                // A full disk is an error like any other here; half of them are enough.
                Fault::Error(_) if at % 2 == 1 => Fault::Error(Io::StorageFull),
                Fault::Error(_) | Fault::ErrorAfter(_) | Fault::Torn | Fault::LostSync => fault,
            };
            let disk = FaultDisk::new();
            disk.fail_at(at, fault);
            let mut clients = Clients::default();
            history(&disk, &mut clients).await;
            let context = format!("{fault:?} at operation {at}");
            disk.mend();
            let left = if at % 2 == 0 {
                disk.crash(Some(at))
            } else {
                disk.kill()
            };
            recover(&left, &mut clients, &context).await;
        }
    }
}

#[tokio::test]
async fn dying_at_any_operation_never_costs_an_acknowledged_row() {
    let operations = operation_count().await;
    for at in 0..operations {
        for seed in [None, Some(at), Some(!at)] {
            let disk = FaultDisk::new();
            disk.break_from(at, Io::BrokenPipe);
            let mut clients = Clients::default();
            history(&disk, &mut clients).await;
            let context = format!("power cut at operation {at}, seed {seed:?}");
            recover(&disk.crash(seed), &mut clients, &context).await;
        }
    }
}

#[tokio::test]
async fn a_lying_disk_never_doubles_rows_nor_keeps_the_store_from_opening() {
    let operations = operation_count().await;
    for at in 0..operations {
        let disk = FaultDisk::new();
        disk.fail_at(at, Fault::LostSync);
        let mut clients = Clients::default();
        history(&disk, &mut clients).await;
        let left = disk.crash(Some(at));
        // What the disk lost is lost; everything else holds.
        clients.unsure.append(&mut clients.acknowledged);
        recover(&left, &mut clients, &format!("lost sync at operation {at}")).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_rows_and_takes_them_again_when_there_is_space() {
    let disk = FaultDisk::new();
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let store = open_with(&disk, config(), &clock).unwrap();
    let mut clients = Clients::default();
    assert!(clients.send(&store, vec![log(1, "before")]).await);
    for kind in [Io::StorageFull, Io::ReadOnlyFilesystem] {
        assert!(
            clients
                .send(&store, vec![log(1, format!("unflushed {kind}"))])
                .await
        );
        disk.break_from(0, kind);
        let rows = vec![log(2, format!("refused {kind}"))];
        assert!(!clients.send(&store, rows).await);
        assert!(store.stats().read_only.is_some());
        store.flush().await.unwrap_err();
        assert!(!rows_of(&store).contains(&log(2, format!("refused {kind}"))));
        disk.mend();
        // Still within the pause: refused without touching the disk.
        let before = disk.operation_count();
        assert!(
            !clients
                .send(&store, vec![log(3, format!("too early {kind}"))])
                .await
        );
        assert_eq!(disk.operation_count(), before);
        clock.set(Nanos(clock_after(&clock)));
        assert!(
            clients
                .send(&store, vec![log(4, format!("again {kind}"))])
                .await
        );
        assert_eq!(store.stats().read_only, None);
        store.flush().await.unwrap();
        clients.check(&rows_of(&store), "after the disk came back");
    }
    drop(store);
    recover(&disk.crash(None), &mut clients, "after a full disk").await;
}

#[tokio::test]
async fn a_store_opens_and_answers_on_a_volume_without_space() {
    let disk = FaultDisk::new();
    let store = open(&disk).unwrap();
    append(&store, &[log(1, "flushed")]).await.unwrap();
    store.flush().await.unwrap();
    append(&store, &[log(2, "logged")]).await.unwrap();
    drop(store);
    let disk = disk.crash(None);
    disk.set_capacity(Some(0));
    let clock = Arc::new(ManualClock::new(Nanos(1)));
    let store = open_with(&disk, config(), &clock).unwrap();
    assert_eq!(rows_of(&store), [log(1, "flushed"), log(2, "logged")]);
    let refused = append(&store, &[log(3, "refused")]).await.unwrap_err();
    assert_eq!(refused.kind(), crate::ErrorKind::DiskFull);
    store.flush().await.unwrap_err();
    // Someone makes space: it goes on by itself.
    disk.set_capacity(None);
    clock.set(Nanos(clock_after(&clock)));
    append(&store, &[log(4, "again")]).await.unwrap();
    store.flush().await.unwrap();
    let expected = [log(1, "flushed"), log(2, "logged"), log(4, "again")];
    assert_eq!(rows_of(&store), expected);
}
