//! Promises about memory: nobody keeps rows without a permit, and permits never exceed the limit.

mod memory;

pub(crate) use memory::{Governor, Permit};
