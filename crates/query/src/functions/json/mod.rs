//! JSON inside text.

mod extract;
mod field;
mod path;
mod print;
mod value;

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 4] = [
    extract::ENTRIES,
    field::ENTRIES,
    path::ENTRIES,
    print::ENTRIES,
];
