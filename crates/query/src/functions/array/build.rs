//! Building arrays.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, new_empty_array};
use datafusion::arrow::compute::interleave;
use datafusion::error::Result as DfResult;

use super::item::{array_of, at, item_of, too_many};
use crate::error::Result;
use crate::functions::convert::{Caster, OnBad, caster, common};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Lists, Longs, arg, list, picked_lists, validity};
use crate::functions::signature::{Call, Entry, MANY, raw, strict};
use crate::functions::wrap::wrap;
use crate::limits::{MAX_ARRAY_ELEMENTS, MAX_BATCH_ELEMENTS};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    raw("array", (0, MANY), build),
    strict("range", (1, 3), range),
    strict("arrayConcat", (1, MANY), concat),
    strict("arrayWithConstant", (2, 2), with_constant),
];

fn build(call: &Call<'_>) -> Result<Resolved> {
    let types: Vec<Type> = call
        .args
        .iter()
        .map(|a| a.ty.without_low_cardinality())
        .collect();
    let item = common(call, &types)?;
    let casters: Vec<Caster> = call
        .args
        .iter()
        .map(|a| caster(&a.ty, &item, OnBad::Fail, call.context))
        .collect::<Result<_>>()?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let mut full = Vec::with_capacity(cols.len());
        for (col, cast) in cols.iter().zip(&casters) {
            full.push(
                Col {
                    array: cast(&col.array)?,
                    constant: col.constant,
                }
                .full(rows)?,
            );
        }
        let sources: Vec<&dyn Array> = full.iter().map(AsRef::as_ref).collect();
        let items = if sources.is_empty() {
            new_empty_array(&item.arrow())
        } else {
            let width = sources.len();
            let order: Vec<(usize, usize)> = (0..rows)
                .flat_map(|row| (0..width).map(move |i| (i, row)))
                .collect();
            interleave(&sources, &order)?
        };
        list(&item, vec![full.len(); rows], items, None)
    }))
}

fn range(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0, 1, 2])?;
    let types: Vec<Type> = call.args.iter().map(|a| a.ty.clone()).collect();
    let item = if call.args.len() == 1 {
        call.ty(0).clone()
    } else {
        common(call, &types)?
    };
    let physical = item.arrow();
    let count = call.args.len();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let all = (0..count)
            .map(|i| Longs::of(cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let mask = validity(cols, rows);
        let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let get = |i: usize| all.get(i).map(|longs| longs.get(row));
            let (start, end) = if count == 1 {
                (0, get(0))
            } else {
                (get(0).unwrap_or(0), get(1))
            };
            let (end, step) = (end.unwrap_or(0), get(2).unwrap_or(1));
            if mask.as_ref().is_some_and(|m| m.is_null(row)) || step == 0 {
                lengths.push(0);
                continue;
            }
            let span = i128::from(end) - i128::from(start);
            let wide = i128::from(step);
            let length = usize::try_from((span + wide - wide.signum()) / wide).unwrap_or(0);
            if length > MAX_ARRAY_ELEMENTS || values.len() + length > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            lengths.push(length);
            let mut next = start;
            for _ in 0..length {
                values.push(next);
                next = next.saturating_add(step);
            }
        }
        let items: ArrayRef = Arc::new(datafusion::arrow::array::Int64Array::from(values));
        list(&item, lengths, wrap(&items, &physical)?, None)
    }))
}

/// `arrayConcat`, also `concat` of arrays.
pub(in crate::functions) fn concat(call: &Call<'_>) -> Result<Resolved> {
    let mut items = Vec::with_capacity(call.args.len());
    for i in 0..call.args.len() {
        items.push(item_of(call, i)?.without_low_cardinality());
    }
    let item = common(call, &items)?;
    let target = array_of(&item);
    let casters: Vec<Caster> = call
        .args
        .iter()
        .map(|a| caster(&a.ty, &target, OnBad::Fail, call.context))
        .collect::<Result<_>>()?;
    Ok(Resolved::new(target, move |cols, rows| {
        let cast = |(col, cast): (&Col, &Caster)| {
            cast(&col.array).map(|array| Col {
                array,
                constant: col.constant,
            })
        };
        let cols = cols
            .iter()
            .zip(&casters)
            .map(cast)
            .collect::<DfResult<Vec<_>>>()?;
        let lists = (0..cols.len())
            .map(|i| Lists::of(&cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let sources: Vec<&dyn Array> = lists.iter().map(|l| l.items().as_ref()).collect();
        let mut order = Vec::new();
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let before = order.len();
            for (i, list) in lists.iter().enumerate() {
                order.extend(list.range(row).map(|at| (i, at)));
            }
            lengths.push(order.len() - before);
        }
        list(&item, lengths, interleave(&sources, &order)?, None)
    }))
}

fn with_constant(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let item = call.ty(1).clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let counts = Longs::of(cols, 0)?;
        let value = arg(cols, 1)?;
        picked_lists(&item, cols, rows, &value.array, |row, picked| {
            let count = usize::try_from(counts.get(row)).unwrap_or(0);
            if count > MAX_ARRAY_ELEMENTS || picked.len() + count > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            picked.extend(std::iter::repeat_n(at(value.at(row)), count));
            Ok(())
        })
    }))
}
