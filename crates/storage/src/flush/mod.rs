//! From memory to segments: when (plan), how (run). Publishing is somebody else's.

mod plan;
mod run;

pub(crate) use plan::{FlushLimits, plan_seals};
pub(crate) use run::run;
