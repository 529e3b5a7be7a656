//! Comparisons and logic as ordinary functions, for constant folding and for calls by name. NaN is unequal to all.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, UInt8Array, make_comparator,
};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::error::Result as DfResult;

use super::convert::{Caster, OnBad, caster};
use super::kernel::{Col, Resolved};
use super::rows::{arg, flags};
use super::signature::{Call, Entry, MANY, raw, strict};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, common_type};

pub(super) static ENTRIES: &[Entry] = &[
    strict("equals", (2, 2), |call| {
        compared(call, |o| o == Some(Ordering::Equal))
    }),
    strict("notEquals", (2, 2), |call| {
        compared(call, |o| o != Some(Ordering::Equal))
    }),
    strict("less", (2, 2), |call| {
        compared(call, |o| o == Some(Ordering::Less))
    }),
    strict("greater", (2, 2), |call| {
        compared(call, |o| o == Some(Ordering::Greater))
    }),
    strict("lessOrEquals", (2, 2), |call| {
        compared(call, |o| {
            matches!(o, Some(Ordering::Less | Ordering::Equal))
        })
    }),
    strict("greaterOrEquals", (2, 2), |call| {
        compared(call, |o| {
            matches!(o, Some(Ordering::Greater | Ordering::Equal))
        })
    }),
    raw("and", (2, MANY), |call| logic(call, true)),
    raw("or", (2, MANY), |call| logic(call, false)),
    strict("xor", (2, MANY), xor),
    strict("not", (1, 1), not),
];

type Test = fn(Option<Ordering>) -> bool;

fn compared(call: &Call<'_>, test: Test) -> Result<Resolved> {
    let (a, b) = (call.ty(0), call.ty(1));
    let both = if let Some(common) = common_type(&[a.clone(), b.clone()]) {
        common
    } else if a.is_number() && b.is_number() {
        // 64-bit integers of either sign and floats: compared as 128-bit numbers.
        if a.is_integer() && b.is_integer() {
            Type::Decimal(38, 0)
        } else {
            Type::Float64
        }
    } else {
        return Err(QueryError::new(
            ErrorCode::NoCommonType,
            format!(
                "There is no supertype for types {a}, {b} because some of them are String and some of them are not"
            ),
        ));
    };
    let left = caster(a, &both.nullable(), OnBad::Fail, call.context)?;
    let right = caster(b, &both.nullable(), OnBad::Fail, call.context)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        compare(cols, rows, (&left, &right), test)
    }))
}

fn compare(
    cols: &[Col],
    rows: usize,
    (left, right): (&Caster, &Caster),
    test: Test,
) -> DfResult<ArrayRef> {
    let (a, b) = (arg(cols, 0)?, arg(cols, 1)?);
    let (x, y) = (left(&a.array)?, right(&b.array)?);
    if *x.data_type() == DataType::Float64 {
        let (x, y) = (
            x.as_primitive::<Float64Type>(),
            y.as_primitive::<Float64Type>(),
        );
        return flags(cols, rows, |row| {
            Ok(test(x.value(a.at(row)).partial_cmp(&y.value(b.at(row)))))
        });
    }
    let ordering = make_comparator(&x, &y, SortOptions::default())?;
    flags(cols, rows, |row| {
        Ok(test(Some(ordering(a.at(row), b.at(row)))))
    })
}

/// Truth of a number: `None` for NULL.
fn truths(col: &Col, rows: usize) -> DfResult<Vec<Option<bool>>> {
    let full = col.full(rows)?;
    if *full.data_type() == DataType::Null {
        return Ok(vec![None; rows]);
    }
    let set: BooleanArray = super::rows::conditions(col, rows)?;
    Ok((0..rows)
        .map(|row| full.is_valid(row).then(|| set.value(row)))
        .collect())
}

fn logic(call: &Call<'_>, all: bool) -> Result<Resolved> {
    for i in 0..call.args.len() {
        let bare = call.ty(i).bare();
        if !bare.is_number() && *bare != Type::Nothing {
            return Err(call.illegal(i));
        }
    }
    let nullable = call.args.iter().any(|a| a.ty.is_nullable());
    let booleans = !nullable && call.args.iter().any(|a| a.ty == Type::Bool);
    let ty = if booleans { Type::Bool } else { Type::UInt8 };
    let ty = if nullable { ty.nullable() } else { ty };
    Ok(Resolved::new(ty, move |cols, rows| {
        // The deciding value wins over NULL.
        let mut answer = vec![Some(all); rows];
        for col in cols {
            for (known, new) in answer.iter_mut().zip(truths(col, rows)?) {
                *known = match (*known, new) {
                    (Some(v), _) | (_, Some(v)) if v != all => Some(!all),
                    (Some(_), Some(_)) => Some(all),
                    _ => None,
                };
            }
        }
        if booleans {
            return Ok(Arc::new(BooleanArray::from(answer)));
        }
        Ok(Arc::new(
            answer
                .into_iter()
                .map(|v| v.map(u8::from))
                .collect::<UInt8Array>(),
        ))
    }))
}

fn xor(call: &Call<'_>) -> Result<Resolved> {
    let every: Vec<usize> = (0..call.args.len()).collect();
    call.want_number(&every)?;
    Ok(Resolved::new(Type::UInt8, |cols, rows| {
        let all = cols
            .iter()
            .map(|col| truths(col, rows))
            .collect::<DfResult<Vec<_>>>()?;
        flags(cols, rows, |row| {
            let set = all
                .iter()
                .filter(|t| t.get(row).copied().flatten() == Some(true))
                .count();
            Ok(set % 2 == 1)
        })
    }))
}

fn not(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(Type::UInt8, |cols, rows| {
        let values = truths(arg(cols, 0)?, rows)?;
        flags(cols, rows, |row| {
            Ok(values.get(row).copied().flatten() == Some(false))
        })
    }))
}
