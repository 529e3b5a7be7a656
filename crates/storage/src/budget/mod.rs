//! Promises about memory and disk: nobody keeps rows without a permit, and the disk holds no more than is allowed.

mod disk;
mod memory;

pub use disk::DiskUsage;
pub(crate) use disk::{DiskBudget, DiskLimits};
pub(crate) use memory::{Governor, Permit};
