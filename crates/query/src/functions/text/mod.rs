//! Text taken apart and put together.

mod budget;
mod encode;
mod fill;
mod groups;
mod grow;
mod readable;
mod replace;
mod similar;
mod split;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 8] = [
    encode::ENTRIES,
    fill::ENTRIES,
    groups::ENTRIES,
    grow::ENTRIES,
    readable::ENTRIES,
    replace::ENTRIES,
    similar::ENTRIES,
    split::ENTRIES,
];
