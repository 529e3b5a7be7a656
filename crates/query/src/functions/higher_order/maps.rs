//! Maps made from what a lambda answers for each entry.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, AsArray, MapArray, StructArray, UInt64Array, make_comparator,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{SortOptions, take};
use datafusion::error::Result as DfResult;

use super::flags::{at, each_flag};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Lists, arg};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::{Type, entries_field, entry_fields};

pub(super) static ENTRIES: &[Entry] = &[
    strict("mapSort", (1, 1), |call| by_key(call, false)),
    strict("mapReverseSort", (1, 1), |call| by_key(call, true)),
];

fn options(descending: bool) -> SortOptions {
    SortOptions {
        descending,
        nulls_first: false,
    }
}

fn entry_types(call: &Call<'_>, i: usize) -> Result<(Type, Type)> {
    if let Type::Map(key, value) = call.ty(i) {
        return Ok(((**key).clone(), (**value).clone()));
    }
    Err(call.illegal(i))
}

/// A map from its parts.
fn assembled(
    key: &Type,
    value: &Type,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
) -> DfResult<ArrayRef> {
    let entries = StructArray::try_new(entry_fields(key, value), vec![keys, values], None)?;
    let map = MapArray::try_new(entries_field(key, value), offsets, entries, None, false)?;
    Ok(Arc::new(map))
}

/// `mapApply`: the answers are pairs.
pub(super) fn from_pairs(call: &Call<'_>) -> Result<Resolved> {
    let pair = match call.ty(0) {
        Type::Array(item) => item.as_ref(),
        other => other,
    };
    let Type::Tuple(parts) = pair else {
        return Err(not_pairs(call));
    };
    let [(_, key), (_, value)] = parts.as_slice() else {
        return Err(not_pairs(call));
    };
    let (key, value) = (key.without_low_cardinality(), value.clone());
    let ty = Type::Map(Box::new(key.clone()), Box::new(value.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let full = arg(cols, 0)?.full(rows)?;
        let lists = full.as_list::<i32>();
        let pairs = lists.values().as_struct();
        let (keys, values) = (Arc::clone(pairs.column(0)), Arc::clone(pairs.column(1)));
        assembled(&key, &value, lists.offsets().clone(), keys, values)
    }))
}

fn not_pairs(call: &Call<'_>) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!(
            "Function {}: the lambda must answer a tuple of a key and a value",
            call.name
        ),
    )
}

/// Entries of each row of a map column.
fn range(map: &MapArray, col: &Col, row: usize) -> std::ops::Range<usize> {
    let row = col.at(row);
    let bound = |i: usize| {
        map.value_offsets()
            .get(i)
            .map_or(0, |v| usize::try_from(*v).unwrap_or(0))
    };
    bound(row)..bound(row + 1)
}

/// A map of some of the entries of another one: `pick` pushes positions.
fn picked(
    (key, value): (&Type, &Type),
    col: &Col,
    rows: usize,
    mut pick: impl FnMut(usize, std::ops::Range<usize>, &mut Vec<u64>),
) -> DfResult<ArrayRef> {
    let map = col.array.as_map();
    let (mut chosen, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
    for row in 0..rows {
        let before = chosen.len();
        pick(row, range(map, col, row), &mut chosen);
        lengths.push(chosen.len() - before);
    }
    let chosen = UInt64Array::from(chosen);
    let keys = take(map.keys(), &chosen, None)?;
    let values = take(map.values(), &chosen, None)?;
    assembled(
        key,
        value,
        OffsetBuffer::from_lengths(lengths),
        keys,
        values,
    )
}

/// `mapFilter`
pub(super) fn filtered(call: &Call<'_>) -> Result<Resolved> {
    let (key, value) = entry_types(call, 1)?;
    Ok(Resolved::new(call.ty(1).clone(), move |cols, rows| {
        let is_kept = each_flag(cols)?;
        picked((&key, &value), arg(cols, 1)?, rows, |row, entries, out| {
            let start = entries.start;
            out.extend(entries.filter(|i| is_kept(row, i - start)).map(at));
        })
    }))
}

/// `mapSort` by the answers of a lambda.
pub(super) fn sorted(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    let (key, value) = entry_types(call, 1)?;
    Ok(Resolved::new(call.ty(1).clone(), move |cols, rows| {
        let keys = Lists::of(cols, 0)?;
        let order = make_comparator(keys.items(), keys.items(), options(descending))?;
        picked((&key, &value), arg(cols, 1)?, rows, |row, entries, out| {
            let own = keys.range(row).start;
            let mut positions: Vec<usize> = (0..entries.len()).collect();
            positions.sort_by(|a, b| order(own + a, own + b));
            out.extend(positions.into_iter().map(|i| at(entries.start + i)));
        })
    }))
}

/// `mapSort` without a lambda.
fn by_key(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    let (key, value) = entry_types(call, 0)?;
    Ok(Resolved::new(call.ty(0).clone(), move |cols, rows| {
        let col = arg(cols, 0)?;
        let keys = col.array.as_map().keys();
        let order = make_comparator(keys, keys, options(descending))?;
        picked((&key, &value), col, rows, |_, entries, out| {
            let mut positions: Vec<usize> = entries.collect();
            positions.sort_by(|a, b| order(*a, *b));
            out.extend(positions.into_iter().map(at));
        })
    }))
}
