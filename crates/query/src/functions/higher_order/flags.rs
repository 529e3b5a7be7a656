//! What is done with an array of flags, one for each item.

use std::sync::Arc;

use datafusion::arrow::array::{Array, BooleanArray, UInt64Array};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Lists, conditions, flags, numbers, picked_lists};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::{Type, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayCount", (1, 1), count),
    strict("arrayExists", (1, 1), |call| any(call, true)),
    strict("arrayAll", (1, 1), |call| any(call, false)),
];

/// Flags of arrays, with the items' positions.
struct Flags<'a> {
    lists: Lists<'a>,
    set: BooleanArray,
}

impl<'a> Flags<'a> {
    fn of(cols: &'a [Col]) -> DfResult<Self> {
        let lists = Lists::of(cols, 0)?;
        let items = Col {
            array: Arc::clone(lists.items()),
            constant: false,
        };
        let set = conditions(&items, lists.items().len())?;
        Ok(Self { lists, set })
    }

    /// Positions of the set flags of a row, counted from its first item.
    fn row(&self, row: usize) -> impl DoubleEndedIterator<Item = usize> {
        let range = self.lists.range(row);
        let start = range.start;
        range.filter(|i| self.set.value(*i)).map(move |i| i - start)
    }
}

fn want_flags(call: &Call<'_>) -> Result<()> {
    let Type::Array(item) = call.ty(0) else {
        return Err(call.illegal(0));
    };
    if matches!(item.bare(), Type::UInt8 | Type::Bool | Type::Nothing) {
        return Ok(());
    }
    Err(call.illegal(0))
}

fn count(call: &Call<'_>) -> Result<Resolved> {
    want_flags(call)?;
    Ok(Resolved::new(Type::UInt32, |cols, rows| {
        let set = Flags::of(cols)?;
        let counts = numbers::<UInt64Type>(cols, rows, |row| Ok(at(set.row(row).count())))?;
        wrap(&counts, &Type::UInt32.arrow())
    }))
}

fn any(call: &Call<'_>, any: bool) -> Result<Resolved> {
    want_flags(call)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let set = Flags::of(cols)?;
        flags(cols, rows, |row| {
            let range = set.lists.range(row);
            Ok(if any {
                range.into_iter().any(|i| set.set.value(i))
            } else {
                range.into_iter().all(|i| set.set.value(i))
            })
        })
    }))
}

/// The item type of the array behind the flags.
pub(super) fn item_behind(call: &Call<'_>) -> Result<Type> {
    match call.args.last().map(|arg| &arg.ty) {
        Some(Type::Array(item)) => Ok((**item).clone()),
        _ => Err(call.illegal(1)),
    }
}

/// The array behind the flags.
pub(super) fn behind(cols: &[Col]) -> DfResult<Lists<'_>> {
    Lists::of(cols, cols.len().saturating_sub(1))
}

pub(super) fn filtered(call: &Call<'_>) -> Result<Resolved> {
    let item = item_behind(call)?;
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let (set, lists) = (Flags::of(cols)?, behind(cols)?);
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let start = lists.range(row).start;
            picked.extend(set.row(row).map(|i| at(start + i)));
            Ok(())
        })
    }))
}

fn found(set: &Flags<'_>, row: usize, last: bool) -> Option<usize> {
    let mut hits = set.row(row);
    if last { hits.next_back() } else { hits.next() }
}

pub(super) fn one(call: &Call<'_>, last: bool) -> Result<Resolved> {
    let item = item_behind(call)?;
    let fallback = values_to_array(&item, &[item.default_value()])?;
    Ok(Resolved::new(item, move |cols, rows| {
        let (set, lists) = (Flags::of(cols)?, behind(cols)?);
        let picks: Vec<(usize, usize)> = (0..rows)
            .map(|row| {
                let start = lists.range(row).start;
                found(&set, row, last).map_or((1, 0), |i| (0, start + i))
            })
            .collect();
        let sources: [&dyn Array; 2] = [lists.items(), &fallback];
        Ok(interleave(&sources, &picks)?)
    }))
}

pub(super) fn one_or_null(call: &Call<'_>, last: bool) -> Result<Resolved> {
    let item = item_behind(call)?;
    if matches!(item, Type::Array(_) | Type::Map(..) | Type::Tuple(_)) {
        return Err(QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!("Function {}: {item} cannot be NULL", call.name),
        ));
    }
    Ok(Resolved::new(item.nullable(), move |cols, rows| {
        let (set, lists) = (Flags::of(cols)?, behind(cols)?);
        let picks: UInt64Array = (0..rows)
            .map(|row| {
                let start = lists.range(row).start;
                found(&set, row, last).map(|i| at(start + i))
            })
            .collect();
        Ok(take(lists.items(), &picks, None)?)
    }))
}

pub(super) fn index(call: &Call<'_>, last: bool) -> Result<Resolved> {
    item_behind(call)?;
    Ok(Resolved::new(Type::UInt32, move |cols, rows| {
        let set = Flags::of(cols)?;
        let positions = numbers::<UInt64Type>(cols, rows, |row| {
            Ok(found(&set, row, last).map_or(0, |i| at(i + 1)))
        })?;
        wrap(&positions, &Type::UInt32.arrow())
    }))
}

/// Items without flag take the nearest flagged one before (or, reversed, after) them.
pub(super) fn filled(call: &Call<'_>, reverse: bool) -> Result<Resolved> {
    let item = item_behind(call)?;
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let (set, lists) = (Flags::of(cols)?, behind(cols)?);
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let (flags, items) = (set.lists.range(row), lists.range(row));
            let count = items.len();
            let mut taken = Vec::with_capacity(count);
            let mut source = None;
            for step in 0..count {
                let i = if reverse { count - 1 - step } else { step };
                if source.is_none() || set.set.value(flags.start + i) {
                    source = Some(items.start + i);
                }
                taken.push(at(source.unwrap_or(items.start + i)));
            }
            if reverse {
                taken.reverse();
            }
            picked.append(&mut taken);
            Ok(())
        })
    }))
}

/// The flags of one row, for functions that cut arrays.
pub(super) fn each_flag(cols: &[Col]) -> DfResult<impl Fn(usize, usize) -> bool> {
    let set = Flags::of(cols)?;
    let offsets = set.lists.array.offsets().clone();
    let constant = cols.first().is_some_and(|col| col.constant);
    let set = set.set;
    Ok(move |row: usize, i: usize| {
        let row = if constant { 0 } else { row };
        let start = offsets
            .get(row)
            .map_or(0, |at| usize::try_from(*at).unwrap_or(0));
        set.value(start + i)
    })
}

pub(super) fn at(i: usize) -> u64 {
    u64::try_from(i).unwrap_or(u64::MAX)
}
