//! Physical rules of our own, run after DataFusion's.

mod top;

pub(crate) use top::TopOfScan;
