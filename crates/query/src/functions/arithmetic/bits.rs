//! Bits of integers.

use datafusion::arrow::datatypes::{UInt8Type, UInt64Type};

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Numbers, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::wrap::wrap;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
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
