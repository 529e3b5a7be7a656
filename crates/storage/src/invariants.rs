//! The engine's invariants as pure predicates over plain values. Production, model tests and crash tests call the same
//! functions; a broken one is an internal error that carries the invariant's id.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::ids::{SegmentId, Version, WalSeq};

/// ST-1: no two live segments share an id, and only live ones are removed.
pub(crate) fn st1_ids_are_unique(
    live: &BTreeSet<SegmentId>,
    adds: &[SegmentId],
    removes: &[SegmentId],
) -> Result<()> {
    let mut seen = BTreeSet::new();
    for id in adds {
        let fresh = seen.insert(*id) && !live.contains(id);
        check(fresh, "ST-1", || format!("segment `{id}` is added twice"))?;
    }
    for id in removes {
        check(live.contains(id), "ST-1", || {
            format!("segment `{id}` is removed but not live")
        })?;
    }
    Ok(())
}

/// ST-2: a visible segment's file is complete: it has the size that was written.
pub(crate) fn st2_file_is_complete(id: SegmentId, expected: u64, found: Option<u64>) -> Result<()> {
    check(found == Some(expected), "ST-2", || {
        format!("segment `{id}` should have {expected} bytes and has {found:?}")
    })
}

/// ST-3: all rows of a segment lie in one UTC day.
pub(crate) fn st3_one_day(id: SegmentId, day: i64, first_day: i64, last_day: i64) -> Result<()> {
    check(day == first_day && day == last_day, "ST-3", || {
        format!("segment `{id}` of day {day} has rows of the days {first_day} to {last_day}")
    })
}

/// ST-4: a merge neither loses nor doubles rows.
pub(crate) fn st4_merge_keeps_rows(before: u64, after: u64) -> Result<()> {
    check(before == after, "ST-4", || {
        format!("a merge of {before} rows has {after}")
    })
}

/// ST-9, first half: the flushed watermark of a table never goes back, so no record is replayed twice.
pub(crate) fn st9_watermark_grows(before: WalSeq, after: WalSeq) -> Result<()> {
    check(before <= after, "ST-9", || {
        format!("the flushed watermark goes back from {before} to {after}")
    })
}

/// ST-9, second half: a WAL file goes only when every record in it is in segments, so none is lost.
pub(crate) fn st9_release_is_flushed(released: WalSeq, flushed: WalSeq) -> Result<()> {
    check(released <= flushed, "ST-9", || {
        format!("the WAL is released up to {released} but flushed only up to {flushed}")
    })
}

/// ST-12: manifest versions follow each other without a fork.
pub(crate) fn st12_version_follows(before: Version, after: Version) -> Result<()> {
    check(before < after, "ST-12", || {
        format!("manifest version {after} follows {before}")
    })
}

fn check(holds: bool, id: &'static str, what: impl FnOnce() -> String) -> Result<()> {
    if holds {
        return Ok(());
    }
    let what = format!("invariant {id} is broken: {}", what());
    tracing::error!(id, what);
    Err(Error::Internal { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(checked: Result<()>, id: &str) {
        assert!(checked.unwrap_err().to_string().contains(id));
    }

    #[test]
    fn each_predicate_refuses_what_it_is_for() {
        let (a, b) = (SegmentId::generate(), SegmentId::generate());
        let live = BTreeSet::from([a]);
        st1_ids_are_unique(&live, &[b], &[a]).unwrap();
        broken(st1_ids_are_unique(&live, &[a], &[]), "ST-1");
        broken(st1_ids_are_unique(&live, &[b, b], &[]), "ST-1");
        broken(st1_ids_are_unique(&live, &[], &[b]), "ST-1");
        st2_file_is_complete(a, 5, Some(5)).unwrap();
        broken(st2_file_is_complete(a, 5, Some(4)), "ST-2");
        broken(st2_file_is_complete(a, 5, None), "ST-2");
        st3_one_day(a, 3, 3, 3).unwrap();
        broken(st3_one_day(a, 3, 3, 4), "ST-3");
        st4_merge_keeps_rows(7, 7).unwrap();
        broken(st4_merge_keeps_rows(7, 6), "ST-4");
        st9_watermark_grows(WalSeq(3), WalSeq(3)).unwrap();
        broken(st9_watermark_grows(WalSeq(3), WalSeq(2)), "ST-9");
        st9_release_is_flushed(WalSeq(3), WalSeq(3)).unwrap();
        broken(st9_release_is_flushed(WalSeq(4), WalSeq(3)), "ST-9");
        st12_version_follows(Version(3), Version(5)).unwrap();
        broken(st12_version_follows(Version(3), Version(3)), "ST-12");
    }
}
