//! The same items in another order, or fewer of them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::Result as DfResult;
use hashbrown::HashSet;

use super::item::{array_of, at, item_of};
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::range::slice;
use crate::functions::rows::{Lists, Longs, arg, numbers, picked_lists};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayDistinct", (1, 1), distinct),
    strict("arrayUniq", (1, 1), uniq),
    strict("arraySort", (1, 1), |call| sorted(call, false)),
    strict("arrayReverseSort", (1, 1), |call| sorted(call, true)),
    strict("arrayReverse", (1, 1), |call| {
        Ok(reversed(item_of(call, 0)?.clone()))
    }),
    strict("arraySlice", (2, 3), sliced),
    strict("arrayPopBack", (1, 1), |call| popped(call, false)),
    strict("arrayPopFront", (1, 1), |call| popped(call, true)),
    strict("arrayFlatten", (1, 1), flatten),
    strict("arrayCompact", (1, 1), compact),
];

/// Positions of the items of each row, changed by `f`.
fn rearranged(
    item: Type,
    f: impl Fn(&ArrayRef, &mut Vec<usize>) -> DfResult<()> + Send + Sync + 'static,
) -> Resolved {
    Resolved::new(array_of(&item), move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let mut row_items = Vec::new();
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            row_items.clear();
            row_items.extend(lists.range(row));
            f(lists.items(), &mut row_items)?;
            picked.extend(row_items.iter().map(|i| at(*i)));
            Ok(())
        })
    })
}

/// The array from its end to its start.
pub(in crate::functions) fn reversed(item: Type) -> Resolved {
    rearranged(item, |_, items| {
        items.reverse();
        Ok(())
    })
}

pub(super) fn distinct(call: &Call<'_>) -> Result<Resolved> {
    Ok(rearranged(
        item_of(call, 0)?.not_nullable(),
        |values, items| {
            items.retain(|i| values.is_valid(*i));
            keep_first(values, items)
        },
    ))
}

/// Keeps the first of equal items.
pub(super) fn keep_first(values: &ArrayRef, items: &mut Vec<usize>) -> DfResult<()> {
    if let Some(texts) = values.as_string_view_opt() {
        let mut seen = HashSet::new();
        items.retain(|i| seen.insert(texts.value(*i)));
        return Ok(());
    }
    let order = make_comparator(values, values, SortOptions::default())?;
    let mut by_value = items.clone();
    by_value.sort_by(|a, b| order(*a, *b).then(a.cmp(b)));
    by_value.dedup_by(|b, a| order(*a, *b).is_eq());
    by_value.sort_unstable();
    *items = by_value;
    Ok(())
}

fn uniq(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    Ok(Resolved::new(Type::UInt32, |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let mut row_items = Vec::new();
        let counts = numbers::<UInt64Type>(cols, rows, |row| {
            row_items.clear();
            row_items.extend(lists.range(row));
            keep_first(lists.items(), &mut row_items)?;
            Ok(at(row_items.len()))
        })?;
        wrap(&counts, &Type::UInt32.arrow())
    }))
}

fn sorted(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    let options = SortOptions {
        descending,
        nulls_first: false,
    };
    Ok(rearranged(
        item_of(call, 0)?.clone(),
        move |values, items| {
            let order = make_comparator(values, values, options)?;
            items.sort_by(|a, b| order(*a, *b));
            Ok(())
        },
    ))
}

fn compact(call: &Call<'_>) -> Result<Resolved> {
    Ok(rearranged(item_of(call, 0)?.clone(), |values, items| {
        let order = make_comparator(values, values, SortOptions::default())?;
        items.dedup_by(|b, a| order(*a, *b).is_eq());
        Ok(())
    }))
}

fn sliced(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[1, 2])?;
    let item = item_of(call, 0)?.clone();
    let limited = call.args.len() > 2;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let (lists, offsets) = (Lists::of(cols, 0)?, Longs::of(cols, 1)?);
        let lengths = if limited {
            Some(Longs::of(cols, 2)?)
        } else {
            None
        };
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let range = lists.range(row);
            let total = i64::try_from(range.len()).unwrap_or(i64::MAX);
            let wanted = lengths.as_ref().map_or(i64::MAX, |l| l.get(row));
            let (from, to) = slice(total, offsets.get(row), wanted);
            picked.extend((from..to.max(from)).map(|i| at(range.start + i)));
            Ok(())
        })
    }))
}

fn popped(call: &Call<'_>, front: bool) -> Result<Resolved> {
    Ok(rearranged(item_of(call, 0)?.clone(), move |_, items| {
        if front && !items.is_empty() {
            items.remove(0);
        } else {
            items.pop();
        }
        Ok(())
    }))
}

pub(super) fn flatten(call: &Call<'_>) -> Result<Resolved> {
    let outer = item_of(call, 0)?;
    let Type::Array(item) = outer else {
        return Ok(Resolved::new(call.ty(0).clone(), |cols, rows| {
            arg(cols, 0)?.full(rows)
        }));
    };
    if matches!(**item, Type::Array(_)) {
        return Err(call.fail(ErrorCode::NotImplemented, "arrays nested more than twice"));
    }
    let item = (**item).clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let inner = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let inner = Lists::of(&inner, 0)?;
        let items = Arc::clone(inner.items());
        picked_lists(&item, cols, rows, &items, |row, picked| {
            lists
                .range(row)
                .for_each(|i| picked.extend(inner.range(i).map(at)));
            Ok(())
        })
    }))
}
