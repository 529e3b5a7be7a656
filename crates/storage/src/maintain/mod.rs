//! Background work: flush, quarantine, WAL release, merging of small chunks. The only place that publishes.
//!
//! One thread works through sealed memtables, one merges chunks; both are woken, look at the clock now and then, and
//! poison the store when they die.

mod merger;
mod scheduler;
mod stats;
mod worker;

pub(crate) use merger::Merger;
pub(crate) use scheduler::{Scheduler, SchedulerParts, Waker, inbox};
pub use stats::FlushStats;
pub(crate) use worker::{Worker, WorkerParts};
