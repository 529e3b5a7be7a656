//! Maps. Duplicate keys are kept; the first wins.

mod combine;
mod lookup;

pub(super) use lookup::element;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 2] = [combine::ENTRIES, lookup::ENTRIES];
