//! Functions that take a lambda. The lambda's body runs once over all items of a batch; what a function then does with
//! the answers (keep, find, sort, cut) works on whole arrays and does not know of lambdas any more.

mod body;
mod cut;
mod flags;
mod fold;
mod maps;
mod order;
mod sums;

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::signature::{Call, Entry};

pub(crate) use body::{Body, mapped};
pub(crate) use fold::folded;

/// What happens to the answers of a lambda.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// They are the result.
    Itself,
    /// They are the argument of the plain function of the same name.
    Plain,
    /// They stand before the first array as arguments of [`HigherOrder::resolve`].
    Beside,
    /// As [`Self::Beside`], with a constant number between lambda and arrays.
    BesideLimit,
    /// The lambda takes what it answered for the item before.
    Fold,
    /// The argument is a map; the lambda answers pairs that make the new one.
    NewMap,
    /// The argument is a map; the answers stand before it.
    BesideMap,
    /// The argument is a map; the answers are the argument of the named function.
    OfMap(&'static str),
}

/// A function that takes a lambda.
pub(crate) struct HigherOrder {
    /// Its name.
    pub(crate) name: &'static str,
    /// What happens to the answers.
    pub(crate) how: Use,
    /// The lambda may be left out: then it is a plain function of arrays.
    pub(crate) optional: bool,
    /// The lambda must answer flags.
    pub(crate) flags: bool,
    resolve: fn(&Call<'_>) -> Result<Resolved>,
}

impl HigherOrder {
    /// The function of the answers and the array or map.
    ///
    /// # Errors
    /// Wrong types of arguments.
    pub(crate) fn resolve(
        &self,
        args: &[crate::functions::Argument],
        context: &crate::functions::Context,
    ) -> Result<Resolved> {
        (self.resolve)(&Call {
            name: self.name,
            args,
            context,
        })
    }
}

const fn plain(name: &'static str) -> HigherOrder {
    HigherOrder {
        name,
        how: Use::Plain,
        optional: true,
        flags: false,
        resolve: unused,
    }
}

const fn flags_of(name: &'static str) -> HigherOrder {
    HigherOrder {
        flags: true,
        ..plain(name)
    }
}

const fn beside(
    name: &'static str,
    flags: bool,
    resolve: fn(&Call<'_>) -> Result<Resolved>,
) -> HigherOrder {
    HigherOrder {
        name,
        how: Use::Beside,
        optional: !flags,
        flags,
        resolve,
    }
}

const fn other(
    name: &'static str,
    how: Use,
    flags: bool,
    resolve: fn(&Call<'_>) -> Result<Resolved>,
) -> HigherOrder {
    HigherOrder {
        name,
        how,
        optional: false,
        flags,
        resolve,
    }
}

/// Stands where the answers need no function of their own.
fn unused(call: &Call<'_>) -> Result<Resolved> {
    Err(call.illegal(0))
}

static ALL: &[HigherOrder] = &[
    other("arrayMap", Use::Itself, false, unused),
    other("arrayFold", Use::Fold, false, unused),
    plain("arraySum"),
    plain("arrayAvg"),
    plain("arrayMin"),
    plain("arrayMax"),
    plain("arrayProduct"),
    plain("arrayCumSum"),
    plain("arrayCumSumNonNegative"),
    plain("arrayDifference"),
    flags_of("arrayCount"),
    flags_of("arrayExists"),
    flags_of("arrayAll"),
    beside("arrayFilter", true, flags::filtered),
    beside("arrayFirst", true, |call| flags::one(call, false)),
    beside("arrayLast", true, |call| flags::one(call, true)),
    beside("arrayFirstOrNull", true, |call| {
        flags::one_or_null(call, false)
    }),
    beside("arrayLastOrNull", true, |call| {
        flags::one_or_null(call, true)
    }),
    beside("arrayFirstIndex", true, |call| flags::index(call, false)),
    beside("arrayLastIndex", true, |call| flags::index(call, true)),
    beside("arrayFill", true, |call| flags::filled(call, false)),
    beside("arrayReverseFill", true, |call| flags::filled(call, true)),
    beside("arraySplit", true, |call| cut::split(call, false)),
    beside("arrayReverseSplit", true, |call| cut::split(call, true)),
    beside("arraySort", false, |call| order::sorted(call, false)),
    beside("arrayReverseSort", false, |call| order::sorted(call, true)),
    HigherOrder {
        optional: true,
        ..other("arrayPartialSort", Use::BesideLimit, false, |call| {
            order::sorted(call, false)
        })
    },
    HigherOrder {
        optional: true,
        ..other("arrayPartialReverseSort", Use::BesideLimit, false, |call| {
            order::sorted(call, true)
        })
    },
    other("mapApply", Use::NewMap, false, maps::from_pairs),
    other("mapFilter", Use::BesideMap, true, maps::filtered),
    other("mapExists", Use::OfMap("arrayExists"), true, unused),
    other("mapAll", Use::OfMap("arrayAll"), true, unused),
    HigherOrder {
        optional: true,
        ..other("mapSort", Use::BesideMap, false, |call| {
            maps::sorted(call, false)
        })
    },
    HigherOrder {
        optional: true,
        ..other("mapReverseSort", Use::BesideMap, false, |call| {
            maps::sorted(call, true)
        })
    },
];

/// The function of this name, if it takes a lambda.
pub(crate) fn higher_order(name: &str) -> Option<&'static HigherOrder> {
    ALL.iter().find(|known| known.name == name)
}

/// What these functions are without a lambda.
pub(super) static FAMILIES: [&[Entry]; 4] =
    [flags::ENTRIES, maps::ENTRIES, order::ENTRIES, sums::ENTRIES];
