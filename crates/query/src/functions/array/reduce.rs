//! One value of many items.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array, make_comparator};
use datafusion::arrow::compute::{SortOptions, interleave};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};

use super::item::{array_of, at, item_of};
use crate::error::Result;
use crate::functions::convert::{OnBad, caster};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Doubles, Lists, Longs, Texts, arg, list, numbers, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::{Type, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayStringConcat", (1, 2), joined),
    strict("arraySum", (1, 1), |call| reduced(call, Reduce::Sum)),
    strict("arrayAvg", (1, 1), |call| reduced(call, Reduce::Average)),
    strict("arrayMin", (1, 1), |call| extreme(call, Ordering::Less)),
    strict("arrayMax", (1, 1), |call| extreme(call, Ordering::Greater)),
    strict("arrayEnumerate", (1, 1), enumerate),
];

fn joined(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    let target = array_of(&Type::String.nullable());
    let cast = caster(call.ty(0), &target, OnBad::Fail, call.context)?;
    let separator = call.optional_text(1)?.unwrap_or("").to_owned();
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let col = arg(cols, 0)?;
        let cast = [Col {
            array: cast(&col.array)?,
            constant: col.constant,
        }];
        let lists = Lists::of(&cast, 0)?;
        let items = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let words = Texts::of(&items, 0)?;
        texts(cols, rows, |row, out| {
            let present = lists.range(row).filter(|i| lists.items().is_valid(*i));
            for (n, i) in present.enumerate() {
                out.push_str(if n > 0 { &separator } else { "" });
                out.push_str(words.get(i));
            }
            Ok(())
        })
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reduce {
    Sum,
    Average,
}

fn reduced(call: &Call<'_>, how: Reduce) -> Result<Resolved> {
    let item = item_of(call, 0)?.bare();
    if !item.is_number() {
        return Err(call.illegal(0));
    }
    let ty = if how == Reduce::Average || !item.is_integer() {
        Type::Float64
    } else {
        Type::integer(64, item.is_signed())
    };
    let physical = ty.arrow();
    let float = ty == Type::Float64;
    Ok(Resolved::new(ty, move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let items = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let valid = |i: &usize| lists.items().is_valid(*i);
        if float {
            let values = Doubles::of(&items, 0)?;
            return numbers::<Float64Type>(cols, rows, |row| {
                let sum: f64 = lists.range(row).filter(valid).map(|i| values.get(i)).sum();
                #[expect(clippy::cast_precision_loss, reason = "a count of items is small")]
                let count = lists.range(row).filter(valid).count() as f64;
                Ok(if how == Reduce::Average {
                    sum / count
                } else {
                    sum
                })
            });
        }
        let values = Longs::of(&items, 0)?;
        let sums = numbers::<Int64Type>(cols, rows, |row| {
            Ok(lists
                .range(row)
                .filter(valid)
                .fold(0, |sum, i| values.get(i).wrapping_add(sum)))
        })?;
        wrap(&sums, &physical)
    }))
}

fn extreme(call: &Call<'_>, better: Ordering) -> Result<Resolved> {
    let item = item_of(call, 0)?.clone();
    if item == Type::Nothing {
        return Err(call.illegal(0));
    }
    let fallback = values_to_array(&item, &[item.default_value()])?;
    Ok(Resolved::new(item, move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let order = make_comparator(lists.items(), lists.items(), SortOptions::default())?;
        let best = |row: usize| {
            let items = lists.range(row).filter(|i| lists.items().is_valid(*i));
            items.reduce(|best, i| if order(i, best) == better { i } else { best })
        };
        let picks: Vec<(usize, usize)> = (0..rows)
            .map(|row| best(row).map_or((1, 0), |i| (0, i)))
            .collect();
        let sources: [&dyn Array; 2] = [lists.items(), &fallback];
        Ok(interleave(&sources, &picks)?)
    }))
}

fn enumerate(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    Ok(Resolved::new(array_of(&Type::UInt32), |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let lengths: Vec<usize> = (0..rows).map(|row| lists.range(row).len()).collect();
        let values = lengths.iter().flat_map(|n| 1..=at(*n));
        let items: ArrayRef = Arc::new(values.collect::<UInt64Array>());
        list(
            &Type::UInt32,
            lengths,
            wrap(&items, &Type::UInt32.arrow())?,
            None,
        )
    }))
}
