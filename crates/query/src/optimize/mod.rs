//! Physical rules of our own, run after DataFusion's.

mod keys;
mod top;

pub(crate) use keys::KeysOfScan;
pub(crate) use top::TopOfScan;
