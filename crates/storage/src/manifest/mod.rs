//! What exists: the only place where a segment becomes visible or vanishes.
//!
//! One version is one file that is created exclusively; whoever loses that race stops writing. Does no segment I/O.

mod file;
mod log;
mod recover;
mod state;
#[cfg(test)]
mod tests;

pub(crate) use file::encode_checkpoint;
pub(crate) use log::{Manifest, ManifestParts};
pub(crate) use recover::Recovery;
pub(crate) use state::{Edit, QuarantinedSegment, State};
