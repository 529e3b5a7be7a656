//! Quotients and remainders, with every answer to a division by zero.

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use datafusion::error::Result as DfResult;

use super::decimal::{by_zero, decimal_quotient, divide_decimals};
use crate::error::Result;
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Doubles, Longs, Numbers, arg, numbers, optional_numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
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
];

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
