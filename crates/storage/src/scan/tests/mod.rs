//! Scans against a naive reading of the same rows: any predicate, any split into segments and memtable chunks.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests make, break and remove files behind the engine's back"
)]

mod damage;
mod equality;
pub(crate) mod round_trip;
mod rows;
mod speed;
mod top;
