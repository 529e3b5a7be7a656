//! From many small segments to few large ones: which (plan), how (run). Publishing is somebody else's.
//!
//! ```text
//! level 0, one a flush ── level 1, a window of hours ── level 2, sealed: written three times at most
//! ```

mod merge;
mod plan;
mod run;

pub(crate) use plan::{MergePlan, MergePolicy, plan};
pub(crate) use run::{MergeJob, Merged, run};
