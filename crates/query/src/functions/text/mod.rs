//! Text taken apart and put together.

mod budget;
mod encode;
mod fill;
mod groups;
mod grow;
mod printf;
mod readable;
mod replace;
mod similar;
mod split;
mod words;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 10] = [
    encode::ENTRIES,
    fill::ENTRIES,
    groups::ENTRIES,
    grow::ENTRIES,
    printf::ENTRIES,
    readable::ENTRIES,
    replace::ENTRIES,
    similar::ENTRIES,
    split::ENTRIES,
    words::ENTRIES,
];
