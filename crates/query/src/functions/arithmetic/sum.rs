//! `+`, `-` and `*`: numbers widen and wrap, intervals move times.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{DataType, Decimal128Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;

use super::decimal::fitting;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{arg, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::time::shift;
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("plus", (2, 2), |call| sum(call, Op::Plus)),
    strict("minus", (2, 2), |call| sum(call, Op::Minus)),
    strict("multiply", (2, 2), |call| sum(call, Op::Multiply)),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Plus,
    Minus,
    Multiply,
}

/// Type of `a op b` for numbers.
fn number_type(a: &Type, b: &Type, op: Op) -> Type {
    if let (Type::Decimal(p, s), other) | (other, Type::Decimal(p, s)) = (a, b) {
        if other.is_float() {
            return Type::Float64;
        }
        let (p2, s2) = if let Type::Decimal(p2, s2) = other {
            (*p2, *s2)
        } else {
            (*p, 0)
        };
        let scale = if op == Op::Multiply {
            s.saturating_add(s2)
        } else {
            (*s).max(s2)
        };
        return Type::Decimal((*p).max(p2).max(18), scale);
    }
    if a.is_float() || b.is_float() {
        return Type::Float64;
    }
    let bits = a.bits().max(b.bits()) * 2;
    let signed = op == Op::Minus || a.is_signed() || b.is_signed();
    Type::integer(bits.min(64), signed)
}

fn sum(call: &Call<'_>, op: Op) -> Result<Resolved> {
    let (a, b) = (call.ty(0), call.ty(1));
    if a.is_number() && b.is_number() {
        let ty = number_type(a, b, op);
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            binary(cols, rows, &physical, op)
        }));
    }
    if let Some(resolved) = with_time(call, op)? {
        return Ok(resolved);
    }
    Err(QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!(
            "Illegal types {a} and {b} of arguments of function {}",
            call.name
        ),
    ))
}

fn with_time(call: &Call<'_>, op: Op) -> Result<Option<Resolved>> {
    let (a, b) = (call.ty(0), call.ty(1));
    if let (time, Type::Interval(unit)) = (a, b)
        && time.is_time()
        && op != Op::Multiply
    {
        return shift::by_interval(call, 0, 1, *unit, op == Op::Minus).map(Some);
    }
    if let (Type::Interval(unit), time) = (a, b)
        && time.is_time()
        && op == Op::Plus
    {
        return shift::by_interval(call, 1, 0, *unit, false).map(Some);
    }
    if let (Type::Interval(left), Type::Interval(right)) = (a, b)
        && left == right
        && op != Op::Multiply
    {
        let run = move |cols: &[Col], rows: usize| binary(cols, rows, &DataType::Int64, op);
        return Ok(Some(Resolved::new(a.clone(), run)));
    }
    if a.is_time() && b.is_integer() && op != Op::Multiply {
        return shift::by_number(call, 0, 1, op == Op::Minus).map(Some);
    }
    if b.is_time() && a.is_integer() && op == Op::Plus {
        return shift::by_number(call, 1, 0, false).map(Some);
    }
    if a.is_time() && b.is_time() && op == Op::Minus {
        return shift::difference(call).map(Some);
    }
    Ok(None)
}

fn binary(cols: &[Col], rows: usize, to: &DataType, op: Op) -> DfResult<ArrayRef> {
    let (a, b) = (arg(cols, 0)?, arg(cols, 1)?);
    let (left, right) = if matches!(to, DataType::Decimal128(..)) {
        (Arc::clone(&a.array), Arc::clone(&b.array))
    } else {
        (wrap(&a.array, to)?, wrap(&b.array, to)?)
    };
    if let DataType::Decimal128(..) = to {
        return decimal(&left, &right, (a.constant, b.constant, rows), to, op);
    }
    let run =
        |l: &dyn datafusion::arrow::array::Datum, r: &dyn datafusion::arrow::array::Datum| match op
        {
            Op::Plus => numeric::add_wrapping(l, r),
            Op::Minus => numeric::sub_wrapping(l, r),
            Op::Multiply => numeric::mul_wrapping(l, r),
        };
    let answer = match (a.constant, b.constant) {
        (false, false) => run(&left, &right)?,
        (true, false) => run(&datafusion::arrow::array::Scalar::new(left), &right)?,
        (false, true) => run(&left, &datafusion::arrow::array::Scalar::new(right))?,
        (true, true) => {
            let one = run(&left, &right)?;
            return ScalarValue::try_from_array(&one, 0)?.to_array_of_size(rows);
        }
    };
    Ok(answer)
}

/// Decimals: both sides to the result's scale (or multiplied as they are), 128 bits.
fn decimal(
    left: &ArrayRef,
    right: &ArrayRef,
    (left_constant, right_constant, rows): (bool, bool, usize),
    to: &DataType,
    op: Op,
) -> DfResult<ArrayRef> {
    let DataType::Decimal128(_, scale) = to else {
        return Err(QueryError::new(ErrorCode::LogicalError, "not a decimal").external());
    };
    let units = |array: &ArrayRef| -> DfResult<PrimitiveArray<Decimal128Type>> {
        let own = match (array.data_type(), op) {
            (DataType::Decimal128(_, own), Op::Multiply) => *own,
            (_, Op::Multiply) => 0,
            _ => *scale,
        };
        let array = if *array.data_type() == DataType::Boolean {
            wrap(array, &DataType::UInt8)?
        } else {
            Arc::clone(array)
        };
        let cast = datafusion::arrow::compute::cast(&array, &DataType::Decimal128(38, own))?;
        Ok(cast.as_primitive::<Decimal128Type>().clone())
    };
    let (l, r) = (units(left)?, units(right)?);
    let cols = [
        Col {
            array: Arc::new(l.clone()),
            constant: left_constant,
        },
        Col {
            array: Arc::new(r.clone()),
            constant: right_constant,
        },
    ];
    let [left_col, right_col] = &cols;
    let answer = numbers::<Decimal128Type>(&cols, rows, |row| {
        let (a, b) = (l.value(left_col.at(row)), r.value(right_col.at(row)));
        let exact = match op {
            Op::Plus => a.checked_add(b),
            Op::Minus => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
        };
        fitting(exact, to)
    })?;
    let typed = answer.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(typed.with_data_type(to.clone())))
}
