//! Hexadecimal digits and base64.

use std::fmt::Write;

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Longs, Texts, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::string::mapped;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("hex", (1, 1), hex).any_case(),
    strict("unhex", (1, 1), |call| mapped(call, unhex)).any_case(),
    strict("base64Encode", (1, 1), |call| mapped(call, base64_encode)),
    strict("TO_BASE64", (1, 1), |call| mapped(call, base64_encode)).any_case(),
    strict("base64Decode", (1, 1), |call| base64_decode(call, false)),
    strict("FROM_BASE64", (1, 1), |call| base64_decode(call, false)).any_case(),
    strict("tryBase64Decode", (1, 1), |call| base64_decode(call, true)),
];

fn hex(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0);
    if ty.is_text() {
        return mapped(call, |s, out| {
            for byte in s.bytes() {
                let written = write!(out, "{byte:02X}");
                debug_assert!(written.is_ok());
            }
        });
    }
    if !ty.is_integer() && !ty.is_time() {
        return Err(call.illegal(0));
    }
    // Whole bytes, leading zero bytes left out; negative numbers in two's complement of their width.
    let mask = match ty.bits() {
        0 | 64 => u64::MAX,
        bits => (1_u64 << bits) - 1,
    };
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let values = Longs::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            let value = values.get(row).cast_unsigned() & mask;
            let digits = format!("{value:X}");
            out.push_str(if digits.len() % 2 == 1 { "0" } else { "" });
            out.push_str(&digits);
            Ok(())
        })
    }))
}

/// Pairs of hexadecimal digits as bytes; a digit that is none counts as zero.
fn unhex(text: &str, out: &mut String) {
    let digit = |b: u8| {
        char::from(b)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
            .unwrap_or(0)
    };
    let mut digits: Vec<u8> = text.bytes().map(digit).collect();
    if digits.len() % 2 == 1 {
        digits.insert(0, 0);
    }
    let byte = |pair: &[u8]| pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    let bytes: Vec<u8> = digits.chunks(2).map(byte).collect();
    out.push_str(&String::from_utf8_lossy(&bytes));
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64_encode(text: &str, out: &mut String) {
    for chunk in text.as_bytes().chunks(3) {
        let byte = |i: usize| chunk.get(i).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for i in 0..4_u32 {
            let used = usize::try_from(i).is_ok_and(|i| i <= chunk.len());
            let at = usize::try_from(bits >> (18 - 6 * i) & 63).unwrap_or(0);
            out.push(if used {
                char::from(BASE64.get(at).copied().unwrap_or(b'A'))
            } else {
                '='
            });
        }
    }
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = text.trim_end_matches('=').as_bytes();
    if !text.len().is_multiple_of(4) || text.len() - bytes.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(bytes.len());
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        let value = BASE64.iter().position(|b| b == byte)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    Some(out)
}

fn base64_decode(call: &Call<'_>, quiet: bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            match decode_base64(s.get(row)) {
                Some(bytes) => out.push_str(&String::from_utf8_lossy(&bytes)),
                None if quiet => {}
                None => {
                    let what = "Failed to base64Decode input: not valid base64";
                    return Err(QueryError::new(ErrorCode::IncorrectData, what).external());
                }
            }
            Ok(())
        })
    }))
}
