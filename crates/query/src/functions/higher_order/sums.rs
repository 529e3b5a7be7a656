//! Running sums and differences.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};

use crate::error::Result;
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Doubles, Lists, Longs, list};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayCumSum", (1, 1), |call| running(call, Step::Sum)),
    strict("arrayCumSumNonNegative", (1, 1), |call| {
        running(call, Step::NotBelowZero)
    }),
    strict("arrayDifference", (1, 1), |call| {
        running(call, Step::Difference)
    }),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Sum,
    NotBelowZero,
    Difference,
}

/// Sums have 64 bits, differences a sign and twice the bits.
fn result_item(call: &Call<'_>, step: Step) -> Result<Type> {
    let Type::Array(item) = call.ty(0) else {
        return Err(call.illegal(0));
    };
    if item.is_float() {
        return Ok(Type::Float64);
    }
    if !item.is_integer() {
        return Err(call.illegal(0));
    }
    Ok(match step {
        Step::Sum => Type::integer(64, item.is_signed()),
        Step::NotBelowZero => Type::integer(64, true),
        Step::Difference => Type::integer((item.bits() * 2).min(64), true),
    })
}

fn running(call: &Call<'_>, step: Step) -> Result<Resolved> {
    let item = result_item(call, step)?;
    let physical = item.arrow();
    let ty = Type::Array(Box::new(item.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let inner = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let lengths = (0..rows).map(|row| lists.range(row).len()).collect();
        let each = (0..rows).map(|row| lists.range(row));
        let items: ArrayRef = if item.is_float() {
            let values = Doubles::of(&inner, 0)?;
            let next = |state: &mut f64, value: f64| match step {
                Step::Sum => {
                    *state += value;
                    *state
                }
                Step::NotBelowZero => {
                    *state = (*state + value).max(0.0);
                    *state
                }
                Step::Difference => value - std::mem::replace(state, value),
            };
            let out = each.flat_map(|range| {
                let first = match step {
                    Step::Difference => range.clone().next().map_or(0.0, |i| values.get(i)),
                    Step::Sum | Step::NotBelowZero => 0.0,
                };
                let values = &values;
                range.scan(first, move |state, i| Some(next(state, values.get(i))))
            });
            Arc::new(Float64Array::from_iter_values(out))
        } else {
            let values = Longs::of(&inner, 0)?;
            let next = |state: &mut i64, value: i64| match step {
                Step::Sum => {
                    *state = state.wrapping_add(value);
                    *state
                }
                Step::NotBelowZero => {
                    *state = state.wrapping_add(value).max(0);
                    *state
                }
                Step::Difference => value.wrapping_sub(std::mem::replace(state, value)),
            };
            let out = each.flat_map(|range| {
                let first = match step {
                    Step::Difference => range.clone().next().map_or(0, |i| values.get(i)),
                    Step::Sum | Step::NotBelowZero => 0,
                };
                let values = &values;
                range.scan(first, move |state, i| Some(next(state, values.get(i))))
            });
            Arc::new(Int64Array::from_iter_values(out))
        };
        list(&item, lengths, wrap(&items, &physical)?, None)
    }))
}
