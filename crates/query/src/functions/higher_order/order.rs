//! Sorting by what a lambda answers.

use datafusion::arrow::array::make_comparator;
use datafusion::arrow::compute::SortOptions;

use super::flags::{at, behind, item_behind};
use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Lists, picked_lists};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayPartialSort", (2, 2), |call| whole(call, false)),
    strict("arrayPartialReverseSort", (2, 2), |call| whole(call, true)),
];

/// NULL comes last in both directions.
fn options(descending: bool) -> SortOptions {
    SortOptions {
        descending,
        nulls_first: false,
    }
}

/// The last argument in the order of the first. A partial order is a whole one here: behind its limit any order is right.
pub(super) fn sorted(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    let item = item_behind(call)?;
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let (keys, lists) = (Lists::of(cols, 0)?, behind(cols)?);
        let order = make_comparator(keys.items(), keys.items(), options(descending))?;
        let mut positions: Vec<usize> = Vec::new();
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let (own, items) = (keys.range(row), lists.range(row));
            positions.clear();
            positions.extend(0..items.len());
            positions.sort_by(|a, b| order(own.start + a, own.start + b));
            picked.extend(positions.iter().map(|i| at(items.start + i)));
            Ok(())
        })
    }))
}

fn whole(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let item = item_behind(call)?;
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let lists = behind(cols)?;
        let order = make_comparator(lists.items(), lists.items(), options(descending))?;
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let mut positions: Vec<usize> = lists.range(row).collect();
            positions.sort_by(|a, b| order(*a, *b));
            picked.extend(positions.into_iter().map(at));
            Ok(())
        })
    }))
}
