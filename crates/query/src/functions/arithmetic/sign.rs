//! `negate` and `abs`.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, UInt64Type};

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Doubles, Longs, arg, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("negate", (1, 1), negate),
    strict("abs", (1, 1), absolute).any_case(),
];

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
