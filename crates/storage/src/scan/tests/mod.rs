//! Scans against a naive reading of the same rows: any predicate, any split into segments and memtable chunks.

mod damage;
mod equality;
mod round_trip;
mod rows;
mod speed;
mod top;
