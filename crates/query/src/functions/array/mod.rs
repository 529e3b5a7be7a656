//! Arrays. Positions count from 1; beyond the ends lies the default value.

mod access;
mod build;
mod find;
mod item;
mod reduce;
mod reorder;

pub(super) use build::concat;
pub(super) use reorder::reversed;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 5] = [
    access::ENTRIES,
    build::ENTRIES,
    find::ENTRIES,
    reduce::ENTRIES,
    reorder::ENTRIES,
];
