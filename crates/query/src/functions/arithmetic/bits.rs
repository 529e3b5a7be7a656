//! Bits of integers.

use datafusion::arrow::datatypes::{UInt8Type, UInt64Type};

use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Numbers, numbers};
use crate::functions::signature::{Call, Entry, MANY, strict};
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
    strict("bitTestAll", (2, MANY), |call| bit_tests(call, true)),
    strict("bitTestAny", (2, MANY), |call| bit_tests(call, false)),
    strict("bitRotateLeft", (2, 2), |call| bit_rotate(call, true)),
    strict("bitRotateRight", (2, 2), |call| bit_rotate(call, false)),
    strict("bitHammingDistance", (2, 2), bit_distance),
    strict("byteSwap", (1, 1), byte_swap).any_case(),
    strict("gcd", (2, 2), |call| divisor(call, false)),
    strict("lcm", (2, 2), |call| divisor(call, true)),
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

/// Whether all, or any, of the bits are set.
fn bit_tests(call: &Call<'_>, all: bool) -> Result<Resolved> {
    let count = call.args.len();
    call.want_integer(&(0..count).collect::<Vec<_>>())?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let value: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let positions = (1..count)
            .map(|i| Numbers::<UInt64Type>::of(cols, i))
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        numbers::<UInt8Type>(cols, rows, |row| {
            let set = |position: &Numbers<UInt64Type>| {
                let by = u32::try_from(position.get(row)).unwrap_or(u32::MAX);
                value.get(row).checked_shr(by).unwrap_or(0) & 1 == 1
            };
            let answer = if all {
                positions.iter().all(set)
            } else {
                positions.iter().any(set)
            };
            Ok(u8::from(answer))
        })
    }))
}

/// The bits of an integer of this type.
fn mask_of(ty: &Type) -> u64 {
    match ty.bits() {
        0 | 64 => u64::MAX,
        bits => (1 << bits) - 1,
    }
}

fn bit_rotate(call: &Call<'_>, left: bool) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let ty = Type::integer(call.ty(0).bits(), call.ty(0).is_signed());
    let (physical, mask, width) = (ty.arrow(), mask_of(&ty), u64::from(ty.bits()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| {
            let (value, by) = (a.get(row) & mask, b.get(row) % width);
            let by = if left { by } else { (width - by) % width };
            if by == 0 {
                return Ok(value);
            }
            Ok((value << by | value >> (width - by)) & mask)
        })?;
        wrap(&wide, &physical)
    }))
}

fn bit_distance(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let mask = mask_of(call.ty(0)) | mask_of(call.ty(1));
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        numbers::<UInt8Type>(cols, rows, |row| {
            let differing = ((a.get(row) ^ b.get(row)) & mask).count_ones();
            Ok(u8::try_from(differing).unwrap_or(0))
        })
    }))
}

fn byte_swap(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let ty = Type::integer(call.ty(0).bits(), call.ty(0).is_signed());
    let (physical, unused) = (ty.arrow(), 64 - ty.bits());
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let wide = numbers::<UInt64Type>(cols, rows, |row| Ok(a.get(row).swap_bytes() >> unused))?;
        wrap(&wide, &physical)
    }))
}

/// Greatest common divisor or least common multiple.
fn divisor(call: &Call<'_>, multiple: bool) -> Result<Resolved> {
    call.want_integer(&[0, 1])?;
    let (a, b) = (call.ty(0), call.ty(1));
    let ty = Type::integer(a.bits().max(b.bits()), a.is_signed() || b.is_signed());
    let (physical, signed) = (ty.arrow(), ty.is_signed());
    Ok(Resolved::new(ty, move |cols, rows| {
        let a: Numbers<UInt64Type> = Numbers::of(cols, 0)?;
        let b: Numbers<UInt64Type> = Numbers::of(cols, 1)?;
        let size = |value: u64| {
            if signed {
                value.cast_signed().unsigned_abs()
            } else {
                value
            }
        };
        let wide = numbers::<UInt64Type>(cols, rows, |row| {
            let (first, second) = (size(a.get(row)), size(b.get(row)));
            let (mut x, mut y) = (first, second);
            while y != 0 {
                (x, y) = (y, x % y);
            }
            if !multiple {
                return Ok(x);
            }
            Ok(first.checked_div(x).unwrap_or(0).wrapping_mul(second))
        })?;
        wrap(&wide, &physical)
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
