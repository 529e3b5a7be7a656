//! Which segments are merged next: pure choice from metadata and the time it is given. Never across tables or days.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::ids::{SegmentId, TableId};
use crate::segment::SegmentMeta;
use crate::time::{NANOS_PER_DAY, Nanos};

/// Level of a segment that is not merged again.
const SEALED: u8 = 2;

/// A segment of more than this part of a sealed one gains nothing from being merged.
const SEALED_PARTS: u64 = 2;

/// A segment of more than this part of a sealed one skips the first merge.
const LARGE_PARTS: u64 = 12;

/// When segments are merged, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MergePolicy {
    /// Flushed segments of a day that make a merge worth its work.
    pub(crate) level0_count: usize,
    /// Segments of the first merge that make the second one worth its work.
    pub(crate) level1_count: usize,
    /// Segments that are merged at once at most: each costs memory.
    pub(crate) max_inputs: usize,
    /// Size that sealed segments should have.
    pub(crate) sealed_bytes: u64,
    /// Bytes that a merge may write.
    pub(crate) room_bytes: u64,
    /// A day that is over and has been quiet for so long is merged to the end.
    pub(crate) quiet_ns: i64,
    /// Merge to the end now.
    pub(crate) everything: bool,
}

/// Segments to merge into one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MergePlan {
    pub(crate) table: TableId,
    pub(crate) day: i64,
    /// Neighbours in time, at least two.
    pub(crate) inputs: Vec<SegmentId>,
    pub(crate) input_bytes: u64,
    /// Level of the outcome.
    pub(crate) level: u8,
}

/// Every merge that is due, the most urgent first. They do not share segments.
pub(crate) fn plan<'a>(
    segments: impl Iterator<Item = &'a SegmentMeta>,
    policy: &MergePolicy,
    now: Nanos,
) -> Vec<MergePlan> {
    let mut days: BTreeMap<(TableId, i64), Vec<&SegmentMeta>> = BTreeMap::new();
    for meta in segments {
        days.entry((meta.table, meta.day)).or_default().push(meta);
    }
    let mut plans: Vec<(Urgency, MergePlan)> = days
        .into_values()
        .filter_map(|mut day| {
            day.sort_by_key(|meta| (meta.time.min, meta.id));
            plan_day(&day, policy, now)
        })
        .collect();
    plans.sort_by_key(|(urgency, plan)| (*urgency, plan.day));
    plans.into_iter().map(|(_, plan)| plan).collect()
}

/// First what slows queries and ingest down most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Urgency {
    Level0(Reverse<usize>),
    Level1(Reverse<usize>),
    Closing,
}

fn plan_day(
    day: &[&SegmentMeta],
    policy: &MergePolicy,
    now: Nanos,
) -> Option<(Urgency, MergePlan)> {
    let of_level = |level| -> Vec<&SegmentMeta> {
        let metas = day.iter().copied();
        metas
            .filter(|meta| effective_level(meta, policy) == level)
            .collect()
    };
    let (fresh, merged) = (of_level(0), of_level(1));
    if fresh.len() >= policy.level0_count.max(2)
        && let Some(plan) = neighbours(&fresh, policy, 1)
    {
        return Some((Urgency::Level0(Reverse(fresh.len())), plan));
    }
    let merged_bytes = bytes_of(&merged);
    if (merged.len() >= policy.level1_count.max(2) || merged_bytes >= policy.sealed_bytes)
        && let Some(plan) = neighbours(&merged, policy, SEALED)
    {
        return Some((Urgency::Level1(Reverse(merged.len())), plan));
    }
    if policy.everything || is_quiet(day, policy, now) {
        let open: Vec<&SegmentMeta> = day
            .iter()
            .copied()
            .filter(|meta| effective_level(meta, policy) < SEALED)
            .collect();
        return neighbours(&open, policy, SEALED).map(|plan| (Urgency::Closing, plan));
    }
    None
}

/// Large segments count as merged: writing them again would cost much and change little.
fn effective_level(meta: &SegmentMeta, policy: &MergePolicy) -> u8 {
    if meta.file_bytes >= policy.sealed_bytes / SEALED_PARTS {
        SEALED
    } else if meta.file_bytes >= policy.sealed_bytes / LARGE_PARTS {
        meta.level.clamp(1, SEALED)
    } else {
        meta.level.min(SEALED)
    }
}

fn is_quiet(day: &[&SegmentMeta], policy: &MergePolicy, now: Nanos) -> bool {
    let end = day.first().map_or(i64::MAX, |meta| {
        (meta.day + 1).saturating_mul(NANOS_PER_DAY)
    });
    let newest = day.iter().map(|meta| meta.created_at).max();
    now.since(Nanos(end)) > policy.quiet_ns
        && newest.is_some_and(|newest| now.since(newest) > policy.quiet_ns)
}

/// The oldest run of at least two segments that fit into one.
fn neighbours(sorted: &[&SegmentMeta], policy: &MergePolicy, level: u8) -> Option<MergePlan> {
    let limit = policy.sealed_bytes.min(policy.room_bytes);
    (0..sorted.len()).find_map(|start| {
        let mut bytes = 0_u64;
        let run: Vec<&SegmentMeta> = sorted
            .iter()
            .skip(start)
            .take(policy.max_inputs)
            .take_while(|meta| {
                bytes = bytes.saturating_add(meta.file_bytes);
                bytes <= limit
            })
            .copied()
            .collect();
        let first = run.first().filter(|_| run.len() >= 2)?;
        Some(MergePlan {
            table: first.table,
            day: first.day,
            input_bytes: bytes_of(&run),
            inputs: run.iter().map(|meta| meta.id).collect(),
            level,
        })
    })
}

fn bytes_of(metas: &[&SegmentMeta]) -> u64 {
    metas.iter().map(|meta| meta.file_bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::WalSeq;
    use crate::time::TimeRange;

    const MIB: u64 = 1 << 20;

    fn policy() -> MergePolicy {
        MergePolicy {
            level0_count: 8,
            level1_count: 10,
            max_inputs: 16,
            sealed_bytes: 768 * MIB,
            room_bytes: u64::MAX,
            quiet_ns: 3_600_000_000_000,
            everything: false,
        }
    }

    fn segment(level: u8, minute: i64, bytes: u64) -> SegmentMeta {
        let at = minute * 60_000_000_000;
        let time = TimeRange {
            min: Nanos(at),
            max: Nanos(at + 1),
        };
        SegmentMeta {
            id: SegmentId::generate(),
            table: TableId::Logs,
            format: 0,
            level,
            day: Nanos(at).day(),
            rows: 1,
            file_bytes: bytes,
            time,
            first_seq: WalSeq(1),
            last_seq: WalSeq(1),
            created_at: Nanos(at),
            columns: BTreeMap::new(),
            row_groups: Vec::new(),
            block_checksums: Vec::new(),
        }
    }

    fn due(segments: &[SegmentMeta], policy: &MergePolicy, now: i64) -> Vec<MergePlan> {
        plan(segments.iter(), policy, Nanos(now))
    }

    /// Carries a plan out on metadata.
    fn carry_out(segments: &mut Vec<SegmentMeta>, plan: &MergePlan, now: i64) {
        let (inputs, mut rest): (Vec<_>, Vec<_>) = segments
            .drain(..)
            .partition(|meta| plan.inputs.contains(&meta.id));
        assert_eq!(inputs.len(), plan.inputs.len());
        assert!(inputs.iter().all(|meta| meta.level < plan.level));
        assert!(
            inputs
                .iter()
                .all(|meta| (meta.table, meta.day) == (plan.table, plan.day))
        );
        let mut output = segment(plan.level, 0, plan.input_bytes);
        output.day = plan.day;
        output.time = inputs
            .iter()
            .map(|meta| meta.time)
            .reduce(TimeRange::union)
            .unwrap();
        output.created_at = Nanos(now);
        rest.push(output);
        *segments = rest;
    }

    /// Most segments alive at once, and what is left a day later.
    fn live_through_a_day(flushes: i64, bytes: u64) -> (usize, Vec<SegmentMeta>) {
        let mut segments = Vec::new();
        let mut most = 0;
        for flush in 0..flushes {
            let minute = flush * 1_440 / flushes;
            segments.push(segment(0, minute, bytes));
            let now = minute * 60_000_000_000;
            while let Some(plan) = due(&segments, &policy(), now).first() {
                carry_out(&mut segments, plan, now);
            }
            most = most.max(segments.len());
        }
        let later = 2 * NANOS_PER_DAY;
        while let Some(plan) = due(&segments, &policy(), later).first() {
            carry_out(&mut segments, plan, later);
        }
        (most, segments)
    }

    #[test]
    fn a_day_never_has_thirty_segments_and_ends_sealed() {
        // One flush in five minutes; a quiet service; ten gigabytes a day.
        for (flushes, bytes, left) in [(288, 2 * MIB, 5), (288, MIB / 8, 4), (1_100, 9 * MIB, 15)] {
            let (most, segments) = live_through_a_day(flushes, bytes);
            assert!(most < 30, "{most} segments of {flushes} flushes");
            let open = segments.iter().filter(|meta| meta.level < SEALED).count();
            assert!(open <= 1, "{open} open segments are left");
            assert!(segments.len() <= left, "{} are left", segments.len());
        }
    }

    #[test]
    fn nothing_is_merged_across_days_or_before_it_is_worth_it() {
        let day = 24 * 60;
        let seven: Vec<_> = (0..7).map(|minute| segment(0, minute, MIB)).collect();
        assert_eq!(due(&seven, &policy(), 0), []);
        let mut two_days = seven;
        two_days.extend((0..7).map(|minute| segment(0, day + minute, MIB)));
        assert_eq!(due(&two_days, &policy(), 0), []);
        two_days.push(segment(0, day + 8, MIB));
        let plans = due(&two_days, &policy(), 0);
        assert_eq!(plans.len(), 1);
        assert_eq!(
            (plans[0].day, plans[0].inputs.len(), plans[0].level),
            (1, 8, 1)
        );
    }

    #[test]
    fn a_merge_takes_neighbours_that_fit_and_no_more_than_there_is_room_for() {
        let segments: Vec<_> = (0..20).map(|minute| segment(0, minute, 10 * MIB)).collect();
        let inputs = |room_bytes| {
            let policy = MergePolicy {
                room_bytes,
                ..policy()
            };
            due(&segments, &policy, 0)
                .first()
                .map(|plan| plan.inputs.clone())
        };
        let ids: Vec<SegmentId> = segments.iter().map(|meta| meta.id).collect();
        assert_eq!(inputs(u64::MAX).unwrap(), ids[..16]);
        assert_eq!(inputs(35 * MIB).unwrap(), ids[..3]);
        assert_eq!(inputs(19 * MIB), None);
    }

    #[test]
    fn large_segments_skip_merges_that_would_not_help() {
        let flushed: Vec<_> = (0..9).map(|minute| segment(0, minute, 100 * MIB)).collect();
        // Together they are more than a sealed one: merged once, straight to the end.
        let plans = due(&flushed, &policy(), 0);
        assert_eq!((plans[0].level, plans[0].inputs.len()), (SEALED, 7));
        let huge: Vec<_> = (0..9).map(|minute| segment(0, minute, 400 * MIB)).collect();
        assert_eq!(due(&huge, &policy(), 10 * NANOS_PER_DAY), []);
    }

    #[test]
    fn the_highest_pile_comes_first_and_sealed_segments_are_left_alone() {
        let mut segments: Vec<_> = (0..10)
            .map(|minute| segment(1, minute, 70 * MIB / 2))
            .collect();
        segments.extend((0..9).map(|minute| segment(0, 24 * 60 + minute, MIB)));
        segments.extend((0..40).map(|minute| segment(SEALED, minute, MIB)));
        let plans = due(&segments, &policy(), 0);
        let levels: Vec<_> = plans.iter().map(|plan| (plan.day, plan.level)).collect();
        assert_eq!(levels, [(1, 1), (0, SEALED)]);
        let everything = MergePolicy {
            everything: true,
            ..policy()
        };
        let open = [
            segment(0, 1, MIB),
            segment(1, 2, MIB),
            segment(SEALED, 3, MIB),
        ];
        let plans = due(&open, &everything, 0);
        assert_eq!((plans[0].level, plans[0].inputs.len()), (SEALED, 2));
        // A clock years ahead or behind merges early or late, and loses nothing.
        assert_eq!(due(&open, &policy(), i64::MIN), []);
        assert_eq!(due(&open, &policy(), i64::MAX).len(), 1);
    }
}
