//! Arrays. Positions count from 1; beyond the ends lies the default value.

mod access;
mod build;
mod combine;
mod find;
mod item;
mod reduce;
mod reorder;
mod tuples;

pub(super) use build::concat;
pub(super) use reorder::reversed;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 7] = [
    access::ENTRIES,
    build::ENTRIES,
    combine::ENTRIES,
    find::ENTRIES,
    reduce::ENTRIES,
    reorder::ENTRIES,
    tuples::ENTRIES,
];
