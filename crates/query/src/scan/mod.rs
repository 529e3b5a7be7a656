//! The leaf of every plan: a stored table as DataFusion sees it, over units that storage reads. Decides which filters
//! storage evaluates, and nothing about SQL.

mod columns;
mod exec;
mod keys;
mod provider;
mod pushdown;
mod shared;

pub(crate) use exec::SegmentScanExec;
pub(crate) use provider::QueryScans;
pub(crate) use shared::{ReadLimits, ScanShared};
