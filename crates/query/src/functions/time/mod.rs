//! Functions on days and points in time.

mod calendar;
mod civil;
mod diff;
mod format;
mod instant;
mod now;
mod part;
pub(super) mod shift;
mod shown;
mod start;
mod zone;

pub(crate) use civil::{Civil, DAY_S};
pub(crate) use instant::{Grain, TimeKind, Times, power_of_ten};
pub(super) use part::rescale;
pub(crate) use zone::{Zone, parse_zone};

use super::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 8] = [
    calendar::ENTRIES,
    diff::ENTRIES,
    format::ENTRIES,
    now::ENTRIES,
    part::ENTRIES,
    shift::ENTRIES,
    shown::ENTRIES,
    start::ENTRIES,
];
