//! `+ - * / %` and bits: ClickHouse's widening result types, wrapping overflow, intervals on times.

mod bits;
mod decimal;
mod extreme;
mod quotient;
mod sign;
mod sum;

pub(super) use extreme::{extreme, wide_extreme};

use crate::functions::signature::Entry;

pub(super) static FAMILIES: [&[Entry]; 4] = [
    bits::ENTRIES,
    quotient::ENTRIES,
    sign::ENTRIES,
    sum::ENTRIES,
];
