//! Rows in memory: columnar chunks, queryable at once. Only durable rows come in, in the order of the WAL.
//!
//! Knows nothing of clocks, disks or threads; merging small chunks is offered, somebody else decides when.

mod active;
mod dictionary;
mod merge;
mod sealed;
#[cfg(test)]
mod tests;

pub(crate) use active::{ActiveMemtable, MergeTask, bytes_of};
pub(crate) use sealed::SealedMemtable;
