//! What leaves the store because it is old or because space is short: which segments (plan), and whose word on the time
//! counts (clock). Publishing, and removing what was unpublished, is somebody else's.

mod clock;
mod plan;

pub(crate) use clock::TrustedClock;
pub(crate) use plan::{Reason, Situation, plan};
