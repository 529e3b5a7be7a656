//! What is used of the disk, which segments have to go, and the ballast. Decides and measures; the worker publishes.

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use super::stats::{RetentionCounters, RetentionStats};
use crate::budget::{DiskBudget, DiskUsage};
use crate::config::RetentionConfig;
use crate::io::{Disk, ballast};
use crate::limits;
use crate::live::Live;
use crate::manifest::{Edit, Manifest};
use crate::names::DataDir;
use crate::retention::{self, Reason, Situation, TrustedClock};
use crate::segment::SegmentAccess;
use crate::time::{Clock, Nanos, Stopwatch};

/// Folders inside folders are measured so deep: spilled files lie two levels down.
const MEASURED_LEVELS: u32 = 3;

/// What the evictor works with.
#[derive(Debug)]
pub(crate) struct EvictorParts {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) dirs: DataDir,
    pub(crate) live: Arc<Live>,
    pub(crate) manifest: Arc<Manifest>,
    pub(crate) access: Arc<SegmentAccess>,
    pub(crate) budget: Arc<DiskBudget>,
    pub(crate) config: RetentionConfig,
}

/// Knows when segments have to go.
#[derive(Debug)]
pub(crate) struct Evictor {
    parts: EvictorParts,
    time: Mutex<Option<Time>>,
    counters: RetentionCounters,
}

#[derive(Debug, Clone, Copy)]
struct Time {
    clock: TrustedClock,
    since: Stopwatch,
}

impl Evictor {
    pub(crate) fn new(parts: EvictorParts) -> Self {
        Self {
            parts,
            time: Mutex::new(None),
            counters: RetentionCounters::default(),
        }
    }

    pub(super) fn stats(&self) -> RetentionStats {
        let wall = self.parts.clock.now();
        let time = *self.time.lock();
        let clock_doubted = time.is_some_and(|time| time.clock.doubts(wall));
        self.counters.snapshot(clock_doubted)
    }

    /// Measures the disk anew.
    pub(super) fn measure(&self) {
        let EvictorParts {
            disk, dirs, access, ..
        } = &self.parts;
        let below = |dir: &Path| bytes_below(disk.as_ref(), dir, MEASURED_LEVELS);
        let ballast = ballast::size(disk.as_ref(), &dirs.ballast_file());
        let counted = self.parts.config.counted_dirs.iter();
        let other_bytes = counted
            .map(|dir| below(dir))
            .sum::<u64>()
            .saturating_add(below(&dirs.tmp_dir()))
            .saturating_add(below(&dirs.quarantine_dir()))
            .saturating_add(ballast.unwrap_or_default());
        let leaving_bytes = access.doomed_bytes();
        let used_bytes = other_bytes
            .saturating_add(below(&dirs.wal_dir()))
            .saturating_add(self.parts.live.segment_bytes())
            .saturating_add(self.parts.manifest.bytes())
            .saturating_add(leaving_bytes);
        let space = disk.space(dirs.root()).ok();
        self.parts.budget.measured(DiskUsage {
            used_bytes,
            other_bytes,
            leaving_bytes,
            available_bytes: space.map(|space| space.available_bytes),
        });
    }

    /// The edit that drops what has to go.
    pub(super) fn edit(&self) -> Option<Edit> {
        let segments = self.parts.live.segments();
        let situation = Situation {
            config: &self.parts.config,
            now: self.now(),
            missing_bytes: self.parts.budget.missing_bytes(),
        };
        let metas = segments.iter().map(|segment| segment.meta());
        let victims = retention::plan(metas, situation);
        for (id, reason) in &victims {
            let found = segments.iter().find(|segment| segment.meta().id == *id);
            if let Some(segment) = found {
                let meta = segment.meta();
                self.counters.planned(*reason, meta.rows, meta.file_bytes);
                let why = match reason {
                    Reason::Age => "it is older than the table keeps rows",
                    Reason::TableBytes => "the table has more bytes than it may have",
                    Reason::Space => "space is short",
                };
                tracing::info!(
                    segment = %id,
                    table = %meta.table,
                    rows = meta.rows,
                    bytes = meta.file_bytes,
                    why,
                    "dropping a segment"
                );
            }
        }
        (!victims.is_empty()).then(|| Edit {
            removes: victims.into_iter().map(|(id, _)| id).collect(),
            ..Edit::default()
        })
    }

    /// The time by which rows are old.
    fn now(&self) -> Nanos {
        let wall = self.parts.clock.now();
        let mut time = self.time.lock();
        let mut clock = match *time {
            Some(time) => {
                let passed = i64::try_from(time.since.elapsed_ns()).unwrap_or(i64::MAX);
                let mut clock = time.clock;
                clock.advance(wall, passed);
                if clock.doubts(wall) && !time.clock.doubts(wall) {
                    tracing::warn!(
                        "the clock has jumped ahead: nothing is dropped for its age by the new time for a day"
                    );
                }
                clock
            }
            None => {
                let segments = self.parts.live.segments();
                let newest = segments.iter().map(|segment| segment.meta().created_at);
                TrustedClock::new(wall, newest.max())
            }
        };
        clock.advance(wall, 0);
        *time = Some(Time {
            clock,
            since: Stopwatch::start(),
        });
        clock.now()
    }

    /// Gives the ballast up, so that the next version of the manifest fits. False when it is gone already.
    pub(super) fn give_up_ballast(&self) -> bool {
        let path = self.parts.dirs.ballast_file();
        let disk = self.parts.disk.as_ref();
        if ballast::size(disk, &path).is_none() {
            return false;
        }
        tracing::warn!("the volume is full: the ballast is given up to make room for the manifest");
        disk.remove(&path).is_ok()
    }

    /// Puts the ballast back when there is room again.
    pub(super) fn restore_ballast(&self) {
        let bytes = self.parts.config.ballast_bytes;
        let path = self.parts.dirs.ballast_file();
        let disk = self.parts.disk.as_ref();
        if bytes == 0 || ballast::size(disk, &path).is_some() {
            return;
        }
        let free = self.parts.budget.usage().available_bytes;
        let needed = self.parts.config.min_free_bytes.saturating_add(bytes);
        if free.is_some_and(|free| free < needed.min(limits::RESERVE_BYTES)) {
            return;
        }
        if let Err(error) = ballast::put(disk, &self.parts.dirs, bytes) {
            tracing::warn!(%error, "cannot write the ballast");
        }
    }
}

/// Bytes of the files of `dir` and of the folders in it. What cannot be listed counts nothing.
fn bytes_below(disk: &dyn Disk, dir: &Path, levels: u32) -> u64 {
    let files = disk.list(dir).unwrap_or_default().into_iter();
    let own: u64 = files.map(|entry| entry.size_bytes).sum();
    if levels == 0 {
        return own;
    }
    let folders = disk.list_dirs(dir).unwrap_or_default().into_iter();
    folders
        .map(|name| bytes_below(disk, &dir.join(name), levels - 1))
        .fold(own, u64::saturating_add)
}
