//! Searching arrays.

use datafusion::arrow::array::{Array, make_comparator};
use datafusion::arrow::compute::{SortOptions, interleave};
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::Result as DfResult;

use super::item::{array_of, at, item_of};
use super::reorder::{distinct, keep_first};
use crate::error::{ErrorCode, Result};
use crate::functions::convert::{Caster, OnBad, caster};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Lists, arg, flags, list, numbers, picked_lists};
use crate::functions::signature::{Call, Entry, MANY, raw, strict};
use crate::types::{Type, common_type};

pub(super) static ENTRIES: &[Entry] = &[
    raw("has", (2, 2), has),
    strict("hasAny", (2, 2), |call| has_several(call, false)),
    strict("hasAll", (2, 2), |call| has_several(call, true)),
    raw("indexOf", (2, 2), index_of),
    raw("countEqual", (2, 2), count_equal),
    raw("arrayPushBack", (2, 2), |call| pushed(call, false)),
    raw("arrayPushFront", (2, 2), |call| pushed(call, true)),
    strict("arrayIntersect", (1, MANY), intersect),
];

/// Two array arguments (or array and item) with items of one type.
fn alike(call: &Call<'_>, other_is_array: bool) -> Result<(Type, Caster, Caster)> {
    let item = item_of(call, 0)?;
    let other = if other_is_array {
        item_of(call, 1)?
    } else {
        call.ty(1)
    };
    let both = [
        item.without_low_cardinality(),
        other.without_low_cardinality(),
    ];
    let common = common_type(&both)
        .or_else(|| (item.bare().is_number() && other.bare().is_number()).then_some(Type::Float64));
    let common = common.ok_or_else(|| {
        call.fail(
            ErrorCode::NoCommonType,
            &format!("There is no supertype for types {item}, {other}"),
        )
    })?;
    let left = caster(call.ty(0), &array_of(&common), OnBad::Fail, call.context)?;
    let target = if other_is_array {
        array_of(&common)
    } else {
        common.clone()
    };
    let right = caster(call.ty(1), &target, OnBad::Fail, call.context)?;
    Ok((common, left, right))
}

fn cast_pair(cols: &[Col], left: &Caster, right: &Caster) -> DfResult<[Col; 2]> {
    let (a, b) = (arg(cols, 0)?, arg(cols, 1)?);
    Ok([
        Col {
            array: left(&a.array)?,
            constant: a.constant,
        },
        Col {
            array: right(&b.array)?,
            constant: b.constant,
        },
    ])
}

/// Calls `f` for each row with the positions of items equal to the second argument.
fn equal_items<T>(
    cols: &[Col; 2],
    rows: usize,
    mut f: impl FnMut(&mut dyn Iterator<Item = usize>) -> T,
) -> DfResult<Vec<T>> {
    let lists = Lists::of(cols, 0)?;
    let [_, needle] = cols;
    let order = make_comparator(lists.items(), &needle.array, SortOptions::default())?;
    Ok((0..rows)
        .map(|row| {
            let range = lists.range(row);
            let start = range.start;
            let at = needle.at(row);
            f(&mut range
                .filter(|i| order(*i, at).is_eq())
                .map(move |i| i - start))
        })
        .collect())
}

fn has(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| hits.next().is_some())?;
        flags(&[], rows, |row| Ok(found.get(row) == Some(&true)))
    }))
}

pub(super) fn index_of(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| hits.next().map_or(0, |i| at(i + 1)))?;
        numbers::<UInt64Type>(&[], rows, |row| Ok(found.get(row).copied().unwrap_or(0)))
    }))
}

fn count_equal(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| at(hits.count()))?;
        numbers::<UInt64Type>(&[], rows, |row| Ok(found.get(row).copied().unwrap_or(0)))
    }))
}

fn has_several(call: &Call<'_>, all: bool) -> Result<Resolved> {
    let (_, left, right) = alike(call, true)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let (a, b) = (Lists::of(&pair, 0)?, Lists::of(&pair, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        flags(cols, rows, |row| {
            let present = |j: usize| a.range(row).any(|i| order(i, j).is_eq());
            let mut wanted = b.range(row);
            Ok(if all {
                wanted.all(present)
            } else {
                wanted.any(present)
            })
        })
    }))
}

fn pushed(call: &Call<'_>, front: bool) -> Result<Resolved> {
    let (item, left, right) = alike(call, false)?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let lists = Lists::of(&pair, 0)?;
        let [_, new] = &pair;
        let mut order = Vec::new();
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let before = order.len();
            if front {
                order.push((1, new.at(row)));
            }
            order.extend(lists.range(row).map(|i| (0, i)));
            if !front {
                order.push((1, new.at(row)));
            }
            lengths.push(order.len() - before);
        }
        let sources: [&dyn Array; 2] = [lists.items(), &new.array];
        list(&item, lengths, interleave(&sources, &order)?, None)
    }))
}

fn intersect(call: &Call<'_>) -> Result<Resolved> {
    if call.args.len() == 1 {
        return distinct(call);
    }
    let (item, left, right) = alike(call, true)?;
    if call.args.len() > 2 {
        return Err(call.fail(ErrorCode::NotImplemented, "more than two arrays"));
    }
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let (a, b) = (Lists::of(&pair, 0)?, Lists::of(&pair, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        picked_lists(&item, cols, rows, a.items(), |row, picked| {
            let mut kept: Vec<usize> = a
                .range(row)
                .filter(|i| b.range(row).any(|j| order(*i, j).is_eq()))
                .collect();
            keep_first(a.items(), &mut kept)?;
            picked.extend(kept.into_iter().map(at));
            Ok(())
        })
    }))
}
