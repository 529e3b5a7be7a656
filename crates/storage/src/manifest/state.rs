//! The state of the store as of one version, and the changes that lead from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::ids::{SegmentId, TableId, Version, WalSeq};
use crate::invariants;
use crate::limits;
use crate::segment::SegmentMeta;

/// One change. What it removes it must find; what it adds must be new.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    /// Segments that become visible.
    #[serde(with = "shared")]
    pub(crate) adds: Vec<Arc<SegmentMeta>>,
    /// Segments that vanish.
    pub(crate) removes: Vec<SegmentId>,
    /// Per table: every row of WAL records up to here is in segments.
    pub(crate) watermarks: Vec<(TableId, WalSeq)>,
    /// Segments that vanish because their file is damaged or missing.
    pub(crate) quarantined: Vec<QuarantinedSegment>,
}

/// A segment that left the store against its will. Its file, if any, is in `quarantine/`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QuarantinedSegment {
    pub(crate) id: SegmentId,
    pub(crate) table: TableId,
    pub(crate) rows: u64,
    pub(crate) why: String,
}

/// Everything that exists as of a version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) version: Version,
    pub(crate) segments: BTreeMap<SegmentId, Arc<SegmentMeta>>,
    pub(crate) watermarks: BTreeMap<TableId, WalSeq>,
    pub(crate) quarantined: Vec<QuarantinedSegment>,
}

impl State {
    /// Rows of `table` up to this WAL record are in segments.
    pub(crate) fn watermark(&self, table: TableId) -> WalSeq {
        self.watermarks.get(&table).copied().unwrap_or_default()
    }

    /// The last WAL record that any table has flushed.
    pub(crate) fn highest_watermark(&self) -> WalSeq {
        self.watermarks.values().copied().max().unwrap_or_default()
    }

    /// Refuses an edit that would break an invariant.
    pub(crate) fn check(&self, version: Version, edit: &Edit) -> Result<()> {
        invariants::st12_version_follows(self.version, version)?;
        let live: BTreeSet<SegmentId> = self.segments.keys().copied().collect();
        let adds: Vec<SegmentId> = edit.adds.iter().map(|meta| meta.id).collect();
        let quarantined = edit.quarantined.iter().map(|segment| segment.id);
        let removes: Vec<SegmentId> = edit.removes.iter().copied().chain(quarantined).collect();
        invariants::st1_ids_are_unique(&live, &adds, &removes)?;
        for meta in &edit.adds {
            invariants::st3_one_day(meta.id, meta.day, meta.time.min.day(), meta.time.max.day())?;
        }
        for (table, watermark) in &edit.watermarks {
            invariants::st9_watermark_grows(self.watermark(*table), *watermark)?;
        }
        Ok(())
    }

    /// The state after a checked edit.
    pub(crate) fn apply(&mut self, version: Version, edit: &Edit) {
        self.version = version;
        for meta in &edit.adds {
            self.segments.insert(meta.id, Arc::clone(meta));
        }
        for id in &edit.removes {
            self.segments.remove(id);
        }
        for segment in &edit.quarantined {
            self.segments.remove(&segment.id);
            self.quarantined.push(segment.clone());
        }
        let surplus = self
            .quarantined
            .len()
            .saturating_sub(limits::MAX_QUARANTINED_COUNT);
        self.quarantined.drain(..surplus);
        self.watermarks.extend(edit.watermarks.iter().copied());
    }
}

/// Shared metadata is written as if it were owned.
mod shared {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    use crate::segment::SegmentMeta;

    pub(super) fn serialize<S: Serializer>(
        metas: &[Arc<SegmentMeta>],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(metas.iter().map(AsRef::as_ref))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<Arc<SegmentMeta>>, D::Error> {
        let metas = Vec::<SegmentMeta>::deserialize(deserializer)?;
        Ok(metas.into_iter().map(Arc::new).collect())
    }
}
