//! Background work: flush, compaction, eviction, quarantine, WAL release, merging of small chunks. The only place that publishes.
//!
//! One thread works through sealed memtables, one merges their chunks, one merges segments; all are woken and look at
//! the clock now and then. The first poisons the store when it dies.

mod compactor;
mod evictor;
mod merger;
mod scheduler;
mod stats;
mod worker;

pub(crate) use compactor::{Compactor, CompactorParts, MergeWish};
pub(crate) use evictor::{Evictor, EvictorParts};
pub(crate) use merger::Merger;
pub(crate) use scheduler::{Scheduler, SchedulerParts, Waker, inbox};
pub use stats::{CompactionStats, DroppedStats, FlushStats, RetentionStats};
pub(crate) use worker::{Worker, WorkerParts};
