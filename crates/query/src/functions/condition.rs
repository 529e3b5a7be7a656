//! Choosing values: `if`, `multiIf`, `coalesce`, NULL tests, `greatest`, `transform`.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt8Array};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{is_not_null, is_null};
use datafusion::error::Result as DfResult;
use hashbrown::HashMap;

use super::arithmetic::{extreme, wide_extreme};
use super::convert::{Caster, OnBad, caster, common};
use super::kernel::{Col, Resolved};
use super::rows::{arg, conditions};
use super::signature::{Call, Entry, MANY, raw};
use super::wrap::wrap;
use crate::error::{ErrorCode, Result};
use crate::types::{Type, Value, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    raw("if", (3, 3), choose).any_case(),
    raw("multiIf", (3, MANY), choose),
    raw("caseWithoutExpression", (3, MANY), choose),
    raw("caseWithExpression", (4, MANY), case_of),
    raw("ifNull", (2, 2), if_null).any_case(),
    raw("coalesce", (1, MANY), coalesce).any_case(),
    raw("nullIf", (2, 2), null_if).any_case(),
    raw("isNull", (1, 1), |call| null_test(call, true)).any_case(),
    raw("isNotNull", (1, 1), |call| null_test(call, false)).any_case(),
    raw("greatest", (1, MANY), |call| most(call, true)).any_case(),
    raw("least", (1, MANY), |call| most(call, false)).any_case(),
    raw("transform", (3, 4), transform),
];

fn stripped(call: &Call<'_>, positions: impl Iterator<Item = usize>) -> Vec<Type> {
    positions
        .map(|i| call.ty(i).without_low_cardinality())
        .collect()
}

fn casters(call: &Call<'_>, positions: &[usize], to: &Type) -> Result<Vec<Caster>> {
    let each = positions
        .iter()
        .map(|i| caster(call.ty(*i), &to.nullable(), OnBad::Fail, call.context));
    each.collect()
}

fn cast_full(cols: &[Col], i: usize, cast: &Caster, rows: usize) -> DfResult<ArrayRef> {
    let col = arg(cols, i)?;
    Col {
        array: cast(&col.array)?,
        constant: col.constant,
    }
    .full(rows)
}

/// `if(c, a, b)` and `multiIf(c1, a1, c2, a2, …, b)`. Every branch is computed; the grammar's forms are lowered to
/// CASE, which computes only what is needed.
fn choose(call: &Call<'_>) -> Result<Resolved> {
    let count = call.args.len();
    if count.is_multiple_of(2) {
        return Err(call.fail(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            "the number of arguments must be odd",
        ));
    }
    for i in (0..count - 1).step_by(2) {
        let bare = call.ty(i).bare();
        if !bare.is_integer() && !bare.is_float() && *bare != Type::Nothing {
            return Err(call.illegal(i));
        }
    }
    let mut positions: Vec<usize> = (1..count - 1).step_by(2).collect();
    positions.push(count - 1);
    let ty = common(call, &stripped(call, positions.iter().copied()))?;
    let casters = casters(call, &positions, &ty)?;
    Ok(Resolved::new(ty, move |cols, rows| {
        let last = casters.len() - 1;
        let Some(fallback) = casters.get(last) else {
            return arg(cols, count - 1)?.full(rows);
        };
        let mut answer = cast_full(cols, count - 1, fallback, rows)?;
        for (branch, cast) in casters.iter().enumerate().take(last).rev() {
            let condition = conditions(arg(cols, branch * 2)?, rows)?;
            let value = cast_full(cols, branch * 2 + 1, cast, rows)?;
            answer = zip(&condition, &value, &answer)?;
        }
        Ok(answer)
    }))
}

/// `CASE x WHEN 1 THEN a … ELSE b END` with constants after WHEN.
fn case_of(call: &Call<'_>) -> Result<Resolved> {
    let count = call.args.len();
    if count % 2 == 1 {
        return Err(call.fail(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            "the number of arguments must be even",
        ));
    }
    let mut positions: Vec<usize> = (2..count - 1).step_by(2).collect();
    positions.push(count - 1);
    let ty = common(call, &stripped(call, positions.iter().copied()))?;
    let values = casters(call, &positions, &ty)?;
    let keys: Vec<usize> = (0..1).chain((1..count - 1).step_by(2)).collect();
    let key_type = common(call, &stripped(call, keys.iter().copied()))?;
    let key_casters = casters(call, &keys, &key_type)?;
    Ok(Resolved::new(ty, move |cols, rows| {
        let pairs: Vec<(&Caster, usize)> = key_casters.iter().zip(keys.iter().copied()).collect();
        let Some(((cast, at), whens)) = pairs.split_first() else {
            return arg(cols, count - 1)?.full(rows);
        };
        let subject = cast_full(cols, *at, cast, rows)?;
        let Some((fallback, branches)) = values.split_last() else {
            return arg(cols, count - 1)?.full(rows);
        };
        let mut answer = cast_full(cols, count - 1, fallback, rows)?;
        for ((when, at), cast) in whens.iter().zip(branches).rev() {
            let key = cast_full(cols, *at, when, rows)?;
            let equal = datafusion::arrow::compute::kernels::cmp::not_distinct(&subject, &key)?;
            let value = cast_full(cols, *at + 1, cast, rows)?;
            answer = zip(&equal, &value, &answer)?;
        }
        Ok(answer)
    }))
}

fn if_null(call: &Call<'_>) -> Result<Resolved> {
    coalesce(call)
}

/// The first argument that is not NULL.
fn coalesce(call: &Call<'_>) -> Result<Resolved> {
    // NULL constants, and everything after an argument that cannot be NULL, never matter.
    let mut used = Vec::new();
    for i in 0..call.args.len() {
        if *call.ty(i).bare() == Type::Nothing {
            continue;
        }
        used.push(i);
        if !call.ty(i).is_nullable() {
            break;
        }
    }
    let Some(last) = used.last() else {
        let ty = Type::Nothing.nullable();
        return Ok(Resolved::new(ty, |_, rows| {
            Ok(Arc::new(datafusion::arrow::array::NullArray::new(rows)))
        }));
    };
    let ends_in_value = !call.ty(*last).is_nullable();
    let mut types = stripped(call, used.iter().copied());
    if ends_in_value {
        types = types.iter().map(Type::not_nullable).collect();
    }
    let ty = if types.iter().all(Type::is_integer) && types.contains(&Type::UInt64) {
        // ClickHouse lets UInt64 win over signed integers here.
        common(call, &types).unwrap_or(Type::UInt64)
    } else {
        common(call, &types)?
    };
    let ty = if used.len() == 1 {
        call.ty(used.first().copied().unwrap_or(0)).clone()
    } else {
        ty
    };
    let casters = casters(call, &used, &ty)?;
    Ok(Resolved::new(ty, move |cols, rows| {
        let mut pairs = used.iter().zip(&casters).rev();
        let Some((i, cast)) = pairs.next() else {
            return arg(cols, 0)?.full(rows);
        };
        let mut answer = cast_full(cols, *i, cast, rows)?;
        for (i, cast) in pairs {
            let value = cast_full(cols, *i, cast, rows)?;
            answer = zip(&is_not_null(&value)?, &value, &answer)?;
        }
        Ok(answer)
    }))
}

fn null_if(call: &Call<'_>) -> Result<Resolved> {
    let types = stripped(call, 0..2);
    let both = common(call, &types)?;
    let casters = casters(call, &[0, 1], &both)?;
    let ty = call.ty(0).without_low_cardinality().nullable();
    Ok(Resolved::new(ty, move |cols, rows| {
        let full = arg(cols, 0)?.full(rows)?;
        let [a, b] = casters.as_slice() else {
            return Ok(full);
        };
        let (left, right) = (cast_full(cols, 0, a, rows)?, cast_full(cols, 1, b, rows)?);
        let equal = datafusion::arrow::compute::kernels::cmp::eq(&left, &right)?;
        Ok(datafusion::arrow::compute::nullif(&full, &equal)?)
    }))
}

fn null_test(call: &Call<'_>, wanted: bool) -> Result<Resolved> {
    let nullable = call.ty(0).is_nullable();
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        if !nullable {
            return Ok(Arc::new(UInt8Array::from_value(u8::from(!wanted), rows)));
        }
        let full = arg(cols, 0)?.full(rows)?;
        let flags: BooleanArray = if wanted {
            is_null(&full)?
        } else {
            is_not_null(&full)?
        };
        Ok(Arc::new(
            flags.values().iter().map(u8::from).collect::<UInt8Array>(),
        ))
    }))
}

fn most(call: &Call<'_>, largest: bool) -> Result<Resolved> {
    let used: Vec<usize> = (0..call.args.len())
        .filter(|i| *call.ty(*i).bare() != Type::Nothing)
        .collect();
    let types = stripped(call, used.iter().copied());
    let bare: Vec<Type> = types.iter().map(|ty| ty.bare().clone()).collect();
    let unsigned = bare.contains(&Type::UInt64);
    let mixed = unsigned && bare.iter().all(Type::is_integer) && bare.iter().any(Type::is_signed);
    let ty = if mixed {
        Type::integer(64, !largest)
    } else if bare.iter().all(Type::is_number) && bare.iter().any(Type::is_float) {
        common(call, &bare).unwrap_or(Type::Float64)
    } else {
        common(call, &bare)?
    };
    // NULLs are left out, yet any Nullable argument makes the result so.
    let nullable = call.args.iter().any(|arg| arg.ty.is_nullable());
    let ty = if nullable { ty.nullable() } else { ty };
    if mixed {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            let given: Vec<Col> = used.iter().filter_map(|i| cols.get(*i).cloned()).collect();
            wrap(&wide_extreme(&given, rows, largest)?, &physical)
        }));
    }
    let casters = casters(call, &used, &ty)?;
    let physical = ty.arrow();
    let text = ty.bare().is_text();
    Ok(Resolved::new(ty, move |cols, rows| {
        let mut cast = Vec::with_capacity(used.len());
        for (i, caster) in used.iter().zip(&casters) {
            let array = cast_full(cols, *i, caster, rows)?;
            cast.push(Col {
                array,
                constant: false,
            });
        }
        if text {
            return extreme_text(&cast, rows, largest);
        }
        extreme(&cast, rows, &physical, largest)
    }))
}

fn extreme_text(cols: &[Col], rows: usize, largest: bool) -> DfResult<ArrayRef> {
    super::rows::optional_texts(&[], rows, |row| {
        let values = cols.iter().filter(|c| c.array.is_valid(row));
        let values = values.filter_map(|c| c.array.as_string_view_opt().map(|a| a.value(row)));
        Ok(if largest { values.max() } else { values.min() }.map(str::to_owned))
    })
}

/// `transform(x, [from], [to][, default])` with constant arrays.
fn transform(call: &Call<'_>) -> Result<Resolved> {
    let (Some(Value::Array(from)), Some(Value::Array(to))) = (call.constant(1), call.constant(2))
    else {
        return Err(call.fail(
            ErrorCode::IllegalTypeOfArgument,
            "both arrays must be constant",
        ));
    };
    if from.len() != to.len() {
        return Err(call.fail(
            ErrorCode::BadArguments,
            "the arrays must have the same size",
        ));
    }
    let (Type::Array(from_item), Type::Array(to_item)) = (call.ty(1), call.ty(2)) else {
        return Err(call.illegal(1));
    };
    let subject = call.ty(0).without_low_cardinality();
    let has_default = call.args.len() > 3;
    let other = if has_default {
        call.ty(3).without_low_cardinality()
    } else {
        subject.clone()
    };
    let ty = common(call, &[(**to_item).clone(), other.clone()])?;
    let as_text = |ty: &Type| caster(ty, &Type::String.nullable(), OnBad::Fail, call.context);
    // Keys are compared by their text, which is exact for every scalar type.
    let key_text = as_text(&subject)?;
    let keys = as_text(from_item)?(&values_to_array(from_item, from)?)?;
    let mut index = HashMap::with_capacity(from.len());
    let key_texts = keys.as_string_view();
    for at in (0..keys.len()).rev() {
        index.insert(key_texts.value(at).to_owned(), at);
    }
    let targets = caster(to_item, &ty.nullable(), OnBad::Fail, call.context)?(&values_to_array(
        to_item, to,
    )?)?;
    let fallback = caster(&other, &ty.nullable(), OnBad::Fail, call.context)?;
    Ok(Resolved::new(ty, move |cols, rows| {
        let subject = cast_full(cols, 0, &key_text, rows)?;
        let texts = subject.as_string_view();
        let otherwise = cast_full(cols, if has_default { 3 } else { 0 }, &fallback, rows)?;
        let picks: Vec<(usize, usize)> = (0..rows)
            .map(|row| match index.get(texts.value(row)) {
                Some(at) if texts.is_valid(row) => (0, *at),
                _ => (1, row),
            })
            .collect();
        let sources: [&dyn Array; 2] = [&targets, &otherwise];
        Ok(datafusion::arrow::compute::interleave(&sources, &picks)?)
    }))
}
