//! `+ - * / %` and bits: ClickHouse's widening result types, wrapping overflow, intervals on times.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::kernels::numeric;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result as DfResult};

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

fn divide(call: &Call<'_>) -> Result<Resolved> {
    call.want_number(&[0, 1])?;
    if let Some(ty) = decimal_quotient(call.ty(0), call.ty(1)) {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty, move |cols, rows| {
            divide_decimals(cols, rows, &physical)
        }));
    }
    Ok(Resolved::new(Type::Float64, |cols, rows| {
        let (a, b) = (Doubles::of(cols, 0)?, Doubles::of(cols, 1)?);
        numbers::<Float64Type>(cols, rows, |row| Ok(a.get(row) / b.get(row)))
    }))
}

/// Type of a quotient with a Decimal on a side and no float: the scale of the first Decimal.
fn decimal_quotient(a: &Type, b: &Type) -> Option<Type> {
    if a.is_float() || b.is_float() {
        return None;
    }
    let precision = |ty: &Type| if let Type::Decimal(p, _) = ty { *p } else { 0 };
    let ((Type::Decimal(_, scale), _) | (_, Type::Decimal(_, scale))) = (a, b) else {
        return None;
    };
    Some(Type::Decimal(
        precision(a).max(precision(b)).max(18),
        *scale,
    ))
}

/// Units of a Decimal or an integer, and their scale.
fn units(array: &ArrayRef) -> DfResult<(PrimitiveArray<Decimal128Type>, u32)> {
    let scale = if let DataType::Decimal128(_, scale) = array.data_type() {
        *scale
    } else {
        0
    };
    let array = if *array.data_type() == DataType::Boolean {
        wrap(array, &DataType::UInt8)?
    } else {
        Arc::clone(array)
    };
    let cast = datafusion::arrow::compute::cast(&array, &DataType::Decimal128(38, scale))?;
    let units = cast.as_primitive::<Decimal128Type>().clone();
    Ok((units, u32::try_from(scale).unwrap_or(0)))
}

fn overflow() -> DataFusionError {
    QueryError::new(ErrorCode::DecimalOverflow, "Decimal math overflow").external()
}

/// Units that the result type holds.
fn fitting(units: Option<i128>, to: &DataType) -> DfResult<i128> {
    let narrow = matches!(to, DataType::Decimal128(precision, _) if *precision <= 18);
    units
        .filter(|units| !narrow || i64::try_from(*units).is_ok())
        .ok_or_else(overflow)
}

fn divide_decimals(cols: &[Col], rows: usize, to: &DataType) -> DfResult<ArrayRef> {
    let (left, right) = (arg(cols, 0)?, arg(cols, 1)?);
    let ((a, a_scale), (b, b_scale)) = (units(&left.array)?, units(&right.array)?);
    let DataType::Decimal128(_, scale) = to else {
        return Err(overflow());
    };
    let shift = (u32::try_from(*scale).unwrap_or(0) + b_scale).saturating_sub(a_scale);
    let answer = numbers::<Decimal128Type>(cols, rows, |row| {
        let (x, y) = (a.value(left.at(row)), b.value(right.at(row)));
        if y == 0 {
            return Err(by_zero());
        }
        let scaled = 10_i128.checked_pow(shift).and_then(|p| x.checked_mul(p));
        fitting(scaled.and_then(|scaled| scaled.checked_div(y)), to)
    })?;
    let typed = answer.as_primitive::<Decimal128Type>().clone();
    Ok(Arc::new(typed.with_data_type(to.clone())))
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
    let float = !a.is_integer() || !b.is_integer();
    if float && part != Part::Whole {
        return Ok(Resolved::new(Type::Float64, move |cols, rows| {
            float_rest(cols, rows, part)
        }));
    }
    let bits = if a.bits() == 0 { 64 } else { a.bits() };
    let signed = !a.is_unsigned() || !b.is_unsigned();
    let ty = match part {
        Part::Whole => Type::integer(bits, signed),
        // The rest is smaller than the divisor; with a sign it may need one bit more.
        Part::Rest if a.is_signed() => Type::integer(b.bits() * 2, true),
        Part::Rest | Part::PositiveRest => Type::integer(b.bits(), false),
    };
    let physical = ty.arrow();
    let limits = (bits, signed);
    // A quotient of numbers with and without sign takes both as signed numbers of their own width.
    let resign = part == Part::Whole && signed && !float;
    // A narrower divisor is widened first.
    let divisor = if resign && a.bits() > b.bits() { a } else { b };
    let own = [resigned(a, resign), resigned(divisor, resign)];

    let wide_unsigned = !resign && (*a == Type::UInt64 || *b == Type::UInt64);
    let ty = if zero == Zero::Null {
        ty.nullable()
    } else {
        ty
    };
    Ok(Resolved::new(ty, move |cols, rows| {
        if float {
            return wrap(&float_whole(cols, rows, zero, limits)?, &physical);
        }
        let each = cols.iter().zip(&own).map(|(col, ty)| {
            let constant = col.constant;
            wrap(&col.array, ty).map(|array| Col { array, constant })
        });
        let cols = each.collect::<DfResult<Vec<_>>>()?;
        let answer = if wide_unsigned {
            whole_unsigned(&cols, rows, zero, part)?
        } else {
            whole_signed(&cols, rows, zero, part)?
        };
        wrap(&answer, &physical)
    }))
}

fn resigned(ty: &Type, resign: bool) -> DataType {
    if resign && ty.is_integer() {
        return Type::integer(ty.bits(), true).arrow();
    }
    if *ty == Type::Bool {
        return DataType::UInt8;
    }
    ty.arrow()
}

/// The quotient of floats, cut to an integer that must fit `bits`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the quotient is checked to fit before it is cut"
)]
fn float_whole(
    cols: &[Col],
    rows: usize,
    zero: Zero,
    (bits, signed): (u32, bool),
) -> DfResult<ArrayRef> {
    let (a, b) = (Doubles::of(cols, 0)?, Doubles::of(cols, 1)?);
    let power = |bits: u32| 2_f64.powi(i32::try_from(bits).unwrap_or(64));
    let (low, high) = if signed {
        (-power(bits - 1), power(bits - 1))
    } else {
        (0.0, power(bits))
    };
    optional_numbers::<Int64Type>(cols, rows, |row| {
        let quotient = (a.get(row) / b.get(row)).trunc();
        if quotient >= low && quotient < high {
            return Ok(Some(quotient as i64));
        }
        match zero {
            Zero::Fails => Err(by_zero()),
            Zero::Gives0 => Ok(Some(0)),
            Zero::Null => Ok(None),
        }
    })
}

fn by_zero() -> DataFusionError {
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
        let (x, y) = (a.get(row), b.get(row));
        let rest = x - (x / y).trunc() * y;
        let positive = part == Part::PositiveRest && rest < 0.0;
        Ok(if positive { rest + y.abs() } else { rest })
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
    if let Type::Decimal(..) = ty {
        let physical = ty.arrow();
        return Ok(Resolved::new(ty.clone(), move |cols, rows| {
            let full = arg(cols, 0)?.full(rows)?;
            let decimals = full.as_primitive::<Decimal128Type>();
            let units = decimals.unary::<_, Decimal128Type>(i128::wrapping_abs);
            Ok(Arc::new(units.with_data_type(physical.clone())))
        }));
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

/// `greatest` and `least` of 64-bit integers with and without sign.
pub(super) fn wide_extreme(cols: &[Col], rows: usize, largest: bool) -> DfResult<ArrayRef> {
    let all = cols
        .iter()
        .map(|col| units(&col.array))
        .collect::<DfResult<Vec<_>>>()?;
    optional_numbers::<UInt64Type>(&[], rows, |row| {
        let present = cols
            .iter()
            .zip(&all)
            .filter(|(col, _)| col.array.is_valid(col.at(row)));
        let values = present.map(|(col, (units, _))| units.value(col.at(row)));
        let best = if largest { values.max() } else { values.min() };
        // The low 64 bits; the caller knows the sign.
        Ok(best.and_then(|v| u64::try_from(v & i128::from(u64::MAX)).ok()))
    })
}
