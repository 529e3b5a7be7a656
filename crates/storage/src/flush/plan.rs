//! Which memtables are due: pure choice from size, age and the time it is given.

use crate::ids::TableId;
use crate::live::MemtableStats;
use crate::time::Nanos;

/// When a memtable is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FlushLimits {
    pub(crate) memtable_bytes: u64,
    pub(crate) memtable_age_ns: i64,
}

/// The tables whose active memtable should be sealed at `now`.
pub(crate) fn plan_seals(
    tables: &[MemtableStats],
    limits: FlushLimits,
    now: Nanos,
) -> Vec<TableId> {
    tables
        .iter()
        .filter(|stats| {
            let full = stats.active_bytes >= limits.memtable_bytes;
            let old = stats
                .opened_at
                .is_some_and(|opened| now.since(opened) >= limits.memtable_age_ns);
            full || old
        })
        .map(|stats| stats.table)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_memtable_is_due_by_size_or_by_age_and_never_while_empty() {
        let limits = FlushLimits {
            memtable_bytes: 100,
            memtable_age_ns: 10,
        };
        let stats = |active_bytes, opened_at: Option<i64>| MemtableStats {
            table: TableId::Logs,
            row_count: 1,
            bytes: active_bytes,
            active_bytes,
            active_chunk_count: 1,
            sealed_count: 0,
            opened_at: opened_at.map(Nanos),
        };
        let due = |stats, now| plan_seals(&[stats], limits, Nanos(now)) == [TableId::Logs];
        assert!(due(stats(100, Some(5)), 5));
        assert!(!due(stats(99, Some(5)), 14));
        assert!(due(stats(1, Some(5)), 15));
        assert!(!due(stats(0, None), 1_000));
        // A clock that was set back does not make anything due.
        assert!(!due(stats(1, Some(1_000)), 5));
    }
}
