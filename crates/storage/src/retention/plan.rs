//! Which segments go: pure choice from metadata, limits, and how much space is missing. Whole segments, oldest first.

use std::collections::BTreeSet;

use crate::config::RetentionConfig;
use crate::ids::{SegmentId, TableId};
use crate::segment::SegmentMeta;
use crate::time::Nanos;

/// What the choice depends on besides the segments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Situation<'a> {
    /// What the operator allows.
    pub(crate) config: &'a RetentionConfig,
    /// The time by which data is old.
    pub(crate) now: Nanos,
    /// Bytes that have to be freed.
    pub(crate) missing_bytes: u64,
}

/// Why a segment goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// All its rows are older than the table's rows may be.
    Age,
    /// The table has more bytes than it may have.
    TableBytes,
    /// The disk, or what may be used of it, is full.
    Space,
}

/// Segments that have to go, with the reason.
pub(crate) type RetentionPlan = Vec<(SegmentId, Reason)>;

/// The victims, those that are too old first.
pub(crate) fn plan<'a>(
    segments: impl Iterator<Item = &'a SegmentMeta>,
    situation: Situation<'_>,
) -> RetentionPlan {
    let mut oldest_first: Vec<&SegmentMeta> = segments.collect();
    oldest_first.sort_by_key(|meta| (meta.time.max, meta.id));
    let mut victims = Victims::default();
    for meta in &oldest_first {
        let max_age = situation.config.of(meta.table).max_age_ns;
        if max_age.is_some_and(|max_age| situation.now.since(meta.time.max) > max_age) {
            victims.add(meta, Reason::Age);
        }
    }
    for table in TableId::ALL {
        let Some(max_bytes) = situation.config.of(table).max_bytes else {
            continue;
        };
        let of_table = oldest_first.iter().filter(|meta| meta.table == table);
        let mut bytes: u64 = of_table.clone().map(|meta| meta.file_bytes).sum();
        for meta in of_table {
            if bytes <= max_bytes {
                break;
            }
            bytes = bytes.saturating_sub(meta.file_bytes);
            victims.add(meta, Reason::TableBytes);
        }
    }
    for meta in &oldest_first {
        if victims.bytes >= situation.missing_bytes {
            break;
        }
        victims.add(meta, Reason::Space);
    }
    victims.plan
}

#[derive(Debug, Default)]
struct Victims {
    plan: RetentionPlan,
    ids: BTreeSet<SegmentId>,
    bytes: u64,
}

impl Victims {
    /// Adds a segment, once.
    fn add(&mut self, meta: &SegmentMeta, reason: Reason) {
        if self.ids.insert(meta.id) {
            self.bytes = self.bytes.saturating_add(meta.file_bytes);
            self.plan.push((meta.id, reason));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::TableRetention;
    use crate::ids::WalSeq;
    use crate::time::TimeRange;

    fn segment(table: TableId, time: i64, bytes: u64) -> SegmentMeta {
        let time = TimeRange {
            min: Nanos(0),
            max: Nanos(time),
        };
        SegmentMeta {
            id: SegmentId::generate(),
            table,
            format: 0,
            level: 0,
            day: 0,
            rows: 1,
            file_bytes: bytes,
            time,
            first_seq: WalSeq(1),
            last_seq: WalSeq(1),
            created_at: Nanos(0),
            columns: BTreeMap::new(),
            row_groups: Vec::new(),
            block_checksums: Vec::new(),
        }
    }

    fn config(max_age_ns: Option<i64>, max_bytes: Option<u64>) -> RetentionConfig {
        let mut config = RetentionConfig::default();
        let of_logs = TableRetention {
            max_age_ns,
            max_bytes,
        };
        config.tables.insert(TableId::Logs, of_logs);
        config
    }

    fn chosen(
        segments: &[SegmentMeta],
        config: &RetentionConfig,
        now: i64,
        missing_bytes: u64,
    ) -> Vec<(i64, Reason)> {
        let situation = Situation {
            config,
            now: Nanos(now),
            missing_bytes,
        };
        let time = |id| {
            let meta = segments.iter().find(|meta| meta.id == id).unwrap();
            meta.time.max.0
        };
        let plan = plan(segments.iter(), situation);
        plan.into_iter()
            .map(|(id, reason)| (time(id), reason))
            .collect()
    }

    #[test]
    fn a_segment_is_old_when_its_last_row_is() {
        let segments = [30, 10, 20].map(|time| segment(TableId::Logs, time, 1));
        let config = config(Some(10), None);
        assert_eq!(chosen(&segments, &config, 20, 0), []);
        assert_eq!(chosen(&segments, &config, 21, 0), [(10, Reason::Age)]);
        let both = [(10, Reason::Age), (20, Reason::Age)];
        assert_eq!(chosen(&segments, &config, 31, 0), both);
        assert_eq!(chosen(&segments, &config, i64::MIN, 0), []);
        // Other tables have their own limits.
        let spans = [segment(TableId::Traces, 1, 1)];
        assert_eq!(chosen(&spans, &config, i64::MAX, 0), []);
    }

    #[test]
    fn a_table_keeps_its_newest_bytes() {
        let segments = [1, 2, 3, 4].map(|time| segment(TableId::Logs, time, 10));
        let dropped = |bytes| chosen(&segments, &config(None, Some(bytes)), 0, 0).len();
        assert_eq!(
            [dropped(40), dropped(39), dropped(20), dropped(0)],
            [0, 1, 2, 4]
        );
    }

    #[test]
    fn missing_space_takes_the_oldest_of_all_tables_after_what_goes_anyway() {
        let segments = [
            segment(TableId::Traces, 1, 10),
            segment(TableId::Logs, 2, 10),
            segment(TableId::Traces, 3, 10),
            segment(TableId::Logs, 9, 10),
        ];
        let old_logs = config(Some(5), None);
        let space = |time| (time, Reason::Space);
        assert_eq!(chosen(&segments, &old_logs, 8, 10), [(2, Reason::Age)]);
        assert_eq!(
            chosen(&segments, &old_logs, 8, 11),
            [(2, Reason::Age), space(1)]
        );
        let all = [(2, Reason::Age), space(1), space(3), space(9)];
        assert_eq!(chosen(&segments, &old_logs, 8, u64::MAX), all);
    }
}
