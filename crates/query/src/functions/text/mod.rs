//! Text taken apart and put together.

mod budget;
mod encode;
mod fill;
mod grow;
mod readable;
mod replace;
mod split;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 6] = [
    encode::ENTRIES,
    fill::ENTRIES,
    grow::ENTRIES,
    readable::ENTRIES,
    replace::ENTRIES,
    split::ENTRIES,
];
