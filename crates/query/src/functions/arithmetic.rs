//! `+ - * / %` and bits: ClickHouse's widening result types, wrapping overflow, intervals on times.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::error::Result as DfResult;

use super::kernel::{Col, Resolved};
use super::rows::{Doubles, Longs, Numbers, arg, numbers, optional_numbers, validity};
use super::signature::{Call, Entry, strict};
use super::time::shift;
use super::wrap::wrap;
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("plus", (2, 2), |call| sum(call, Op::Plus)),
    strict("minus", (2, 2), |call| sum(call, Op::Minus)),
    strict("multiply", (2, 2), |call| sum(call, Op::Multiply)),
    strict("divide", (2, 2), divide),
    strict("intDiv", (2, 2), |call| {
        quotient(call, Zero::Fails, Part::Whole)
    }),
    strict("intDivOrZero", (2, 2), |call| {
        quotient(call, Zero::Gives0, Part::Whole)
    }),
    strict("intDivOrNull", (2, 2), |call| {
        quotient(call, Zero::Null, Part::Whole)
    }),
    strict("modulo", (2, 2), |call| {
        quotient(call, Zero::Fails, Part::Rest)
    })
    .any_case(),
    strict("mod", (2, 2), |call| {
        quotient(call, Zero::Fails, Part::Rest)
    })
    .any_case(),
    strict("moduloOrZero", (2, 2), |call| {
        quotient(call, Zero::Gives0, Part::Rest)
    }),
    strict("moduloOrNull", (2, 2), |call| {
        quotient(call, Zero::Null, Part::Rest)
    }),
    strict("positiveModulo", (2, 2), |call| {
        quotient(call, Zero::Fails, Part::PositiveRest)
    })
    .any_case(),
    strict("negate", (1, 1), negate),
    strict("abs", (1, 1), absolute).any_case(),
    strict("bitAnd", (2, 2), |call| bits(call, |a, b| a & b)),
    strict("bitOr", (2, 2), |call| bits(call, |a, b| a | b)),
    strict("bitXor", (2, 2), |call| bits(call, |a, b| a ^ b)),
    strict("bitNot", (1, 1), bit_not),
    strict("bitShiftLeft", (2, 2), |call| {
        bit_shift(call, |a, by| a.checked_shl(by).unwrap_or(0))
    }),
    strict("bitShiftRight", (2, 2), |call| {
        bit_shift(call, |a, by| a.checked_shr(by).unwrap_or(0))
    }),
    strict("bitTest", (2, 2), bit_test),
    strict("bitCount", (1, 1), bit_count),
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
        let cast = datafusion::arrow::compute::cast(array, &DataType::Decimal128(38, own))?;
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
    let overflow =
        || QueryError::new(ErrorCode::DecimalOverflow, "Decimal math overflow").external();
    let [left_col, right_col] = &cols;
    let answer = numbers::<Decimal128Type>(&cols, rows, |row| {
        let (a, b) = (l.value(left_col.at(row)), r.value(right_col.at(row)));
        match op {
            Op::Plus => a.checked_add(b),
            Op::Minus => a.checked_sub(b),
            Op::Multiply => a.checked_mul(b),
        }
        .ok_or_else(overflow)
    })?;
    let typed = answer.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(typed.with_data_type(to.clone())))
}

fn divide(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0, 1])?;
    Ok(Resolved::new(Type::Float64, |cols, rows| {
        let (a, b) = (Doubles::of(cols, 0)?, Doubles::of(cols, 1)?);
        numbers::<Float64Type>(cols, rows, |row| Ok(a.get(row) / b.get(row)))
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Zero {
    Fails,
    Gives0,
    Null,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Whole,
    Rest,
    PositiveRest,
}

fn quotient(call: &Call<'_>, zero: Zero, part: Part) -> Result<Resolved> {
    call.want_number(&[0, 1])?;
    let (a, b) = (call.ty(0), call.ty(1));
    let float = a.is_float() || b.is_float() || !a.is_integer() || !b.is_integer();
    if float && part != Part::Whole {
        return Ok(Resolved::new(Type::Float64, move |cols, rows| {
            float_rest(cols, rows, part)
        }));
    }
    let signed = a.is_signed() || (b.is_signed() && part == Part::Whole);
    let ty = match part {
        Part::Whole if float => Type::Int64,
        Part::Whole => Type::integer(a.bits(), a.is_signed() || b.is_signed()),
        // The rest is smaller than the divisor; a signed dividend may need one bit more.
        Part::Rest => {
            let wider = if a.is_signed() && b.is_unsigned() {
                b.bits() * 2
            } else {
                b.bits()
            };
            Type::integer(wider, signed)
        }
        Part::PositiveRest => Type::integer(b.bits(), false),
    };
    let wide_unsigned = *a == Type::UInt64 || *b == Type::UInt64;
    let physical = ty.arrow();
    let ty = if zero == Zero::Null {
        ty.nullable()
    } else {
        ty
    };
    Ok(Resolved::new(ty, move |cols, rows| {
        let answer = if wide_unsigned {
            whole_unsigned(cols, rows, zero, part)?
        } else {
            whole_signed(cols, rows, zero, part)?
        };
        wrap(&answer, &physical)
    }))
}

fn by_zero() -> datafusion::error::DataFusionError {
    QueryError::new(ErrorCode::IllegalDivision, "Division by zero").external()
}

fn whole_signed(cols: &[Col], rows: usize, zero: Zero, part: Part) -> DfResult<ArrayRef> {
    let (a, b) = (Longs::of(cols, 0)?, Longs::of(cols, 1)?);
    optional_numbers::<Int64Type>(cols, rows, |row| {
        let (x, y) = (a.get(row), b.get(row));
        let answer = match part {
            Part::Whole => x.checked_div(y),
            Part::Rest => x.checked_rem(y),
            Part::PositiveRest => x.checked_rem_euclid(y),
        };
        match (answer, zero) {
            (Some(value), _) => Ok(Some(value)),
            (None, Zero::Fails) => Err(by_zero()),
            (None, Zero::Gives0) => Ok(Some(0)),
            (None, Zero::Null) => Ok(None),
        }
    })
}

fn whole_unsigned(cols: &[Col], rows: usize, zero: Zero, part: Part) -> DfResult<ArrayRef> {
    let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
    let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
    let negative = |i: usize| -> DfResult<bool> {
        let ty = arg(cols, i)?.array.data_type();
        Ok(matches!(
            ty,
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64
        ))
    };
    let (a_signed, b_signed) = (negative(0)?, negative(1)?);
    let wide = |v: u64, signed: bool| {
        if signed {
            i128::from(v.cast_signed())
        } else {
            i128::from(v)
        }
    };
    optional_numbers::<UInt64Type>(cols, rows, |row| {
        let (x, y) = (wide(a.get(row), a_signed), wide(b.get(row), b_signed));
        let answer = match part {
            Part::Whole => x.checked_div(y),
            Part::Rest => x.checked_rem(y),
            Part::PositiveRest => x.checked_rem_euclid(y),
        };
        // The low 64 bits: results wrap like every integer here.
        let low = |v: i128| u64::try_from(v & i128::from(u64::MAX)).unwrap_or(0);
        match (answer, zero) {
            (Some(value), _) => Ok(Some(low(value))),
            (None, Zero::Fails) => Err(by_zero()),
            (None, Zero::Gives0) => Ok(Some(0)),
            (None, Zero::Null) => Ok(None),
        }
    })
}

fn float_rest(cols: &[Col], rows: usize, part: Part) -> DfResult<ArrayRef> {
    let (a, b) = (Doubles::of(cols, 0)?, Doubles::of(cols, 1)?);
    numbers::<Float64Type>(cols, rows, |row| {
        let rest = a.get(row) % b.get(row);
        let positive = part == Part::PositiveRest && rest < 0.0;
        Ok(if positive {
            rest + b.get(row).abs()
        } else {
            rest
        })
    })
}

fn negate(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0).clone();
    if let Type::Interval(_) = ty {
        return Ok(Resolved::new(ty, |cols, rows| {
            let a = Longs::of(cols, 0)?;
            numbers::<Int64Type>(cols, rows, |row| Ok(a.get(row).wrapping_neg()))
        }));
    }
    call.want_number(&[0])?;
    if let Type::Decimal(..) = ty {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            let full = arg(cols, 0)?.full(rows)?;
            let units = full
                .as_primitive::<Decimal128Type>()
                .unary::<_, Decimal128Type>(i128::wrapping_neg);
            Ok(Arc::new(units.with_data_type(physical.clone())))
        }));
    }
    if ty.is_float() {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            let a = Doubles::of(cols, 0)?;
            let doubles = numbers::<Float64Type>(cols, rows, |row| Ok(-a.get(row)))?;
            wrap(&doubles, &physical)
        }));
    }
    let bits = if ty.is_unsigned() {
        ty.bits() * 2
    } else {
        ty.bits()
    };
    let answer = Type::integer(bits.min(64), true);
    let physical = answer.arrow();
    Ok(Resolved::new(answer, move |cols, rows| {
        let a = Longs::of(cols, 0)?;
        let longs = numbers::<Int64Type>(cols, rows, |row| Ok(a.get(row).wrapping_neg()))?;
        wrap(&longs, &physical)
    }))
}

fn absolute(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0])?;
    let ty = call.ty(0);
    if ty.is_float() {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty.clone(), move |cols, rows| {
            let a = Doubles::of(cols, 0)?;
            let doubles = numbers::<Float64Type>(cols, rows, |row| Ok(a.get(row).abs()))?;
            wrap(&doubles, &physical)
        }));
    }
    if !ty.is_integer() {
        return Err(call.illegal(0));
    }
    let answer = Type::integer(ty.bits(), false);
    let physical = answer.arrow();
    let unsigned = ty.is_unsigned();
    Ok(Resolved::new(answer, move |cols, rows| {
        if unsigned {
            return wrap(&arg(cols, 0)?.full(rows)?, &physical);
        }
        let a = Longs::of(cols, 0)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| Ok(a.get(row).unsigned_abs()))?;
        wrap(&wide, &physical)
    }))
}

fn bits(call: &Call<'_>, op: fn(u64, u64) -> u64) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let (a, b) = (call.ty(0), call.ty(1));
    let ty = Type::integer(a.bits().max(b.bits()), a.is_signed() || b.is_signed());
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| Ok(op(a.get(row), b.get(row))))?;
        wrap(&wide, &physical)
    }))
}

fn bit_not(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let ty = Type::integer(call.ty(0).bits(), call.ty(0).is_signed());
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| Ok(!a.get(row)))?;
        wrap(&wide, &physical)
    }))
}

fn bit_shift(call: &Call<'_>, op: fn(u64, u32) -> u64) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let ty = Type::integer(call.ty(0).bits(), call.ty(0).is_signed());
    let physical = ty.arrow();
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| {
            Ok(op(
                a.get(row),
                u32::try_from(b.get(row)).unwrap_or(u32::MAX),
            ))
        })?;
        wrap(&wide, &physical)
    }))
}

fn bit_test(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    Ok(Resolved::new(Type::UInt8, |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        numbers::<UInt8Type>(cols, rows, |row| {
            let by = u32::try_from(b.get(row)).unwrap_or(u32::MAX);
            Ok(u8::from(a.get(row).checked_shr(by).unwrap_or(0) & 1 == 1))
        })
    }))
}

fn bit_count(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let mask = match call.ty(0).bits() {
        64 => u64::MAX,
        bits => (1_u64 << bits) - 1,
    };
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        numbers::<UInt8Type>(cols, rows, |row| {
            Ok(u8::try_from((a.get(row) & mask).count_ones()).unwrap_or(0))
        })
    }))
}

/// The larger or smaller of numbers, for `greatest` and `least`.
pub(super) fn extreme(
    cols: &[Col],
    rows: usize,
    to: &DataType,
    largest: bool,
) -> DfResult<ArrayRef> {
    macro_rules! pick {
        ($ty:ty) => {{
            let mut all = Vec::with_capacity(cols.len());
            for i in 0..cols.len() {
                all.push(Numbers::<$ty>::of(cols, i)?);
            }
            let masks: Vec<_> = cols
                .iter()
                .map(|c| validity(std::slice::from_ref(c), rows))
                .collect();
            optional_numbers::<$ty>(&[], rows, |row| {
                let mut best = None;
                for (values, mask) in all.iter().zip(&masks) {
                    if mask.as_ref().is_some_and(|m| m.is_null(row)) {
                        continue;
                    }
                    let value = values.get(row);
                    let better = best.is_none_or(|b| if largest { value > b } else { value < b });
                    if better {
                        best = Some(value);
                    }
                }
                Ok(best)
            })
        }};
    }
    match to {
        DataType::UInt8 => pick!(UInt8Type),
        DataType::UInt16 => pick!(UInt16Type),
        DataType::UInt32 => pick!(UInt32Type),
        DataType::UInt64 => pick!(UInt64Type),
        DataType::Int8 => pick!(Int8Type),
        DataType::Int16 => pick!(Int16Type),
        DataType::Int32 => pick!(Int32Type),
        DataType::Int64 => pick!(Int64Type),
        DataType::Float32 => pick!(Float32Type),
        _ => pick!(Float64Type),
    }
}
