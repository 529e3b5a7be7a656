//! Text taken apart and put together: replacing, splitting, extracting, padding, encodings, readable numbers.

use std::fmt::Write;

use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::{DataFusionError, Result as DfResult};

use super::convert::{Caster, OnBad, caster};
use super::kernel::{Col, Resolved};
use super::pattern::regex;
use super::rows::{Doubles, Longs, Texts, numbers, text_lists, texts};
use super::signature::{Call, Entry, MANY, strict};
use super::string::mapped;
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::{MAX_BATCH_BYTES, MAX_VALUE_BYTES};
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("replaceOne", (3, 3), |call| replace(call, false)),
    strict("replaceAll", (3, 3), |call| replace(call, true)),
    strict("replace", (3, 3), |call| replace(call, true)).any_case(),
    strict("replaceRegexpOne", (3, 3), |call| {
        replace_regexp(call, false)
    }),
    strict("replaceRegexpAll", (3, 3), |call| {
        replace_regexp(call, true)
    }),
    strict("REGEXP_REPLACE", (3, 3), |call| replace_regexp(call, true)).any_case(),
    strict("extract", (2, 2), extract),
    strict("extractAll", (2, 2), extract_all),
    strict("countMatches", (2, 2), count_matches),
    strict("splitByChar", (2, 3), |call| split(call, 0, 1)),
    strict("splitByString", (2, 3), |call| split(call, 0, 1)),
    strict("splitByRegexp", (2, 3), split_regexp),
    strict("splitByWhitespace", (1, 2), |call| {
        split_with(call, char::is_whitespace)
    }),
    strict("splitByNonAlpha", (1, 2), |call| {
        split_with(call, |c| c.is_ascii() && !c.is_ascii_alphanumeric())
    }),
    strict("alphaTokens", (1, 2), |call| {
        split_with(call, |c| !c.is_ascii_alphabetic())
    }),
    strict("repeat", (2, 2), repeat).any_case(),
    strict("space", (1, 1), space).any_case(),
    strict("leftPad", (2, 3), |call| pad(call, true, false)).any_case(),
    strict("lpad", (2, 3), |call| pad(call, true, false)).any_case(),
    strict("rightPad", (2, 3), |call| pad(call, false, false)).any_case(),
    strict("rpad", (2, 3), |call| pad(call, false, false)).any_case(),
    strict("leftPadUTF8", (2, 3), |call| pad(call, true, true)),
    strict("rightPadUTF8", (2, 3), |call| pad(call, false, true)),
    strict("format", (1, MANY), format_text),
    strict("hex", (1, 1), hex).any_case(),
    strict("unhex", (1, 1), |call| mapped(call, unhex)).any_case(),
    strict("base64Encode", (1, 1), |call| mapped(call, base64_encode)),
    strict("TO_BASE64", (1, 1), |call| mapped(call, base64_encode)).any_case(),
    strict("base64Decode", (1, 1), |call| base64_decode(call, false)),
    strict("FROM_BASE64", (1, 1), |call| base64_decode(call, false)).any_case(),
    strict("tryBase64Decode", (1, 1), |call| base64_decode(call, true)),
    strict("formatReadableSize", (1, 1), |call| {
        readable(call, readable_size)
    }),
    strict("formatReadableQuantity", (1, 1), |call| {
        readable(call, readable_quantity)
    }),
    strict("formatReadableTimeDelta", (1, 1), |call| {
        readable(call, readable_delta)
    }),
];

pub(super) fn too_large() -> DataFusionError {
    QueryError::new(
        ErrorCode::TooLargeStringSize,
        format!("the text would be longer than {MAX_VALUE_BYTES} bytes"),
    )
    .external()
}

/// Counts the bytes of a batch that an amplifying function makes, before they are made.
struct Budget {
    left: usize,
}

impl Budget {
    fn new() -> Self {
        Self {
            left: MAX_BATCH_BYTES,
        }
    }

    fn spend(&mut self, bytes: Option<usize>) -> DfResult<()> {
        let bytes = bytes
            .filter(|b| *b <= MAX_VALUE_BYTES)
            .ok_or_else(too_large)?;
        self.left = self.left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }
}

fn replace(call: &Call<'_>, all: bool) -> Result<Resolved> {
    call.want_text(&[0, 1, 2])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, from, to) = (
            Texts::of(cols, 0)?,
            Texts::of(cols, 1)?,
            Texts::of(cols, 2)?,
        );
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let (text, needle, new) = (s.get(row), from.get(row), to.get(row));
            if needle.is_empty() {
                out.push_str(text);
                return Ok(());
            }
            let mut rest = text;
            while let Some((before, after)) = rest.split_once(needle) {
                budget.spend(Some(before.len() + new.len()))?;
                out.push_str(before);
                out.push_str(new);
                rest = after;
                if out.len() > MAX_VALUE_BYTES {
                    return Err(too_large());
                }
                if !all {
                    break;
                }
            }
            out.push_str(rest);
            Ok(())
        })
    }))
}

/// The replacement in Rust's form: `\1` becomes `${1}`, `$` is literal.
fn replacement(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    out.push_str("${");
                    out.push(digit);
                    out.push('}');
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

fn replace_regexp(call: &Call<'_>, all: bool) -> Result<Resolved> {
    call.want_text(&[0, 1, 2])?;
    let re = regex(call.constant_text(1)?)?;
    let new = replacement(call.constant_text(2)?);
    if call.constant_text(1)?.is_empty() {
        // An empty expression replaces nothing.
        return mapped(call, |s, out| out.push_str(s));
    }
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let text = s.get(row);
            let mut from = 0;
            for found in re.captures_iter(text) {
                let Some(whole) = found.get(0) else { continue };
                out.push_str(text.get(from..whole.start()).unwrap_or(""));
                found.expand(&new, out);
                from = whole.end();
                budget.spend(Some(new.len()))?;
                if out.len() > MAX_VALUE_BYTES {
                    return Err(too_large());
                }
                if !all {
                    break;
                }
            }
            out.push_str(text.get(from..).unwrap_or(""));
            Ok(())
        })
    }))
}

/// The first group, or the whole match without groups.
fn captured<'a>(found: &regex::Captures<'a>) -> &'a str {
    found
        .get(1)
        .or_else(|| if found.len() == 1 { found.get(0) } else { None })
        .map_or("", |m| m.as_str())
}

fn extract(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let re = regex(call.constant_text(1)?)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            if let Some(found) = re.captures(s.get(row)) {
                out.push_str(captured(&found));
            }
            Ok(())
        })
    }))
}

fn strings() -> Type {
    Type::Array(Box::new(Type::String))
}

fn extract_all(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let re = regex(call.constant_text(1)?)?;
    Ok(Resolved::new(strings(), move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        text_lists(cols, rows, |row, items| {
            re.captures_iter(s.get(row))
                .for_each(|found| items.append_value(captured(&found)));
            Ok(())
        })
    }))
}

fn count_matches(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let re = regex(call.constant_text(1)?)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let found = re.find_iter(s.get(row)).filter(|m| !m.is_empty()).count();
            Ok(u64::try_from(found).unwrap_or(u64::MAX))
        })
    }))
}

/// Most pieces of a split; 0 = all.
fn most_pieces(call: &Call<'_>, i: usize) -> Result<usize> {
    if call.args.len() <= i {
        return Ok(usize::MAX);
    }
    let most = call.constant_integer(i)?;
    Ok(usize::try_from(most)
        .ok()
        .filter(|m| *m > 0)
        .unwrap_or(usize::MAX))
}

fn split(call: &Call<'_>, separator: usize, text: usize) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let most = most_pieces(call, 2)?;
    if call.name == "splitByChar"
        && call
            .constant(separator)
            .and_then(Value::as_text)
            .is_some_and(|s| s.len() != 1)
    {
        return Err(call.fail(
            ErrorCode::BadArguments,
            "the separator must be one character",
        ));
    }
    Ok(Resolved::new(strings(), move |cols, rows| {
        let (separators, s) = (Texts::of(cols, separator)?, Texts::of(cols, text)?);
        text_lists(cols, rows, |row, items| {
            let (by, text) = (separators.get(row), s.get(row));
            if by.is_empty() {
                let chars = text.char_indices().take(most);
                chars.for_each(|(i, c)| {
                    items.append_value(text.get(i..i + c.len_utf8()).unwrap_or(""));
                });
            } else {
                text.split(by)
                    .take(most)
                    .for_each(|piece| items.append_value(piece));
            }
            Ok(())
        })
    }))
}

fn split_regexp(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let re = regex(call.constant_text(0)?)?;
    let most = most_pieces(call, 2)?;
    Ok(Resolved::new(strings(), move |cols, rows| {
        let s = Texts::of(cols, 1)?;
        text_lists(cols, rows, |row, items| {
            re.split(s.get(row))
                .take(most)
                .for_each(|piece| items.append_value(piece));
            Ok(())
        })
    }))
}

fn split_with(call: &Call<'_>, separates: fn(char) -> bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    let most = most_pieces(call, 1)?;
    Ok(Resolved::new(strings(), move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        text_lists(cols, rows, |row, items| {
            let pieces = s
                .get(row)
                .split(separates)
                .filter(|piece| !piece.is_empty());
            pieces
                .take(most)
                .for_each(|piece| items.append_value(piece));
            Ok(())
        })
    }))
}

fn repeat(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let (s, counts) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let times = usize::try_from(counts.get(row)).unwrap_or(0);
            budget.spend(s.get(row).len().checked_mul(times))?;
            (0..times).for_each(|_| out.push_str(s.get(row)));
            Ok(())
        })
    }))
}

fn space(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let counts = Longs::of(cols, 0)?;
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let times = usize::try_from(counts.get(row)).unwrap_or(0);
            budget.spend(Some(times))?;
            out.extend(std::iter::repeat_n(' ', times));
            Ok(())
        })
    }))
}

fn pad(call: &Call<'_>, left: bool, by_chars: bool) -> Result<Resolved> {
    call.want_text(&[0, 2])?;
    call.want_integer(&[1])?;
    let filler = call.optional_text(2)?.unwrap_or(" ").to_owned();
    let filler = if filler.is_empty() {
        " ".to_owned()
    } else {
        filler
    };
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, widths) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        let mut budget = Budget::new();
        texts(cols, rows, |row, out| {
            let text = s.get(row);
            let width = usize::try_from(widths.get(row)).unwrap_or(0);
            budget.spend(width.checked_mul(if by_chars { 4 } else { 1 }))?;
            padded(text, width, &filler, (left, by_chars), out);
            Ok(())
        })
    }))
}

fn padded(
    text: &str,
    width: usize,
    filler: &str,
    (left, by_chars): (bool, bool),
    out: &mut String,
) {
    let size = if by_chars {
        text.chars().count()
    } else {
        text.len()
    };
    if size >= width {
        if by_chars {
            out.extend(text.chars().take(width));
        } else {
            out.push_str(&String::from_utf8_lossy(
                text.as_bytes().get(..width).unwrap_or_default(),
            ));
        }
        return;
    }
    let missing = width - size;
    let fill = |out: &mut String| {
        if by_chars || filler.is_ascii() {
            out.extend(filler.chars().cycle().take(missing));
        } else {
            let bytes: Vec<u8> = filler.bytes().cycle().take(missing).collect();
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
    };
    if left {
        fill(out);
        out.push_str(text);
    } else {
        out.push_str(text);
        fill(out);
    }
}

/// `format('{} and {1}', a, b)`
fn format_text(call: &Call<'_>) -> Result<Resolved> {
    let pattern = call.constant_text(0)?;
    let parts = format_parts(pattern, call)?;
    let rest = call.args.get(1..).unwrap_or_default();
    let casters = rest
        .iter()
        .map(|a| caster(&a.ty, &Type::String, OnBad::Fail, call.context));
    let casters: Vec<Caster> = casters.collect::<Result<_>>()?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let given = cols.get(1..).unwrap_or_default();
        let cast = |(col, cast): (&Col, &Caster)| {
            cast(&col.array).map(|array| Col {
                array,
                constant: col.constant,
            })
        };
        let cols = given
            .iter()
            .zip(&casters)
            .map(cast)
            .collect::<DfResult<Vec<_>>>()?;
        let values = (0..cols.len())
            .map(|i| Texts::of(&cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        texts(&cols, rows, |row, out| {
            for (text, value) in &parts {
                out.push_str(text);
                if let Some(value) = value.and_then(|i| values.get(i)) {
                    out.push_str(value.get(row));
                }
            }
            Ok(())
        })
    }))
}

fn format_parts(pattern: &str, call: &Call<'_>) -> Result<Vec<(String, Option<usize>)>> {
    let bad = |what: &str| call.fail(ErrorCode::BadArguments, what);
    let mut parts = Vec::new();
    let mut text = String::new();
    let mut next = 0;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        if (c == '{' || c == '}') && chars.peek() == Some(&c) {
            chars.next();
            text.push(c);
        } else if c == '{' {
            let mut inside = String::new();
            loop {
                match chars.next() {
                    Some('}') => break,
                    Some(digit) => inside.push(digit),
                    None => return Err(bad("a `{` is not closed")),
                }
            }
            let index = if inside.is_empty() {
                next
            } else {
                inside
                    .parse()
                    .map_err(|_| bad("not a number in curly braces"))?
            };
            next = index + 1;
            if index + 1 >= call.args.len() {
                return Err(bad("argument is too big for formatting"));
            }
            parts.push((std::mem::take(&mut text), Some(index)));
        } else if c == '}' {
            return Err(bad("a `}` without `{`"));
        } else {
            text.push(c);
        }
    }
    parts.push((text, None));
    Ok(parts)
}

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

fn readable(call: &Call<'_>, print: fn(f64, &mut String)) -> Result<Resolved> {
    call.want_number(&[0])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let values = Doubles::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            print(values.get(row), out);
            Ok(())
        })
    }))
}

fn scaled(value: f64, base: f64, units: &[&str], out: &mut String) {
    let mut value = value;
    let mut at = 0;
    while value.abs() >= base && at + 1 < units.len() {
        value /= base;
        at += 1;
    }
    let unit = units.get(at).copied().unwrap_or("");
    let written = write!(out, "{value:.2}{unit}");
    debug_assert!(written.is_ok());
}

fn readable_size(value: f64, out: &mut String) {
    scaled(
        value,
        1024.0,
        &[
            " B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB", " ZiB", " YiB",
        ],
        out,
    );
}

fn readable_quantity(value: f64, out: &mut String) {
    let units = [
        "",
        " thousand",
        " million",
        " billion",
        " trillion",
        " quadrillion",
        " quintillion",
    ];
    scaled(value, 1000.0, &units, out);
}

fn readable_delta(value: f64, out: &mut String) {
    const UNITS: [(f64, &str); 6] = [
        (31_556_952.0, "year"),
        (2_629_746.0, "month"),
        (86_400.0, "day"),
        (3_600.0, "hour"),
        (60.0, "minute"),
        (1.0, "second"),
    ];
    if value < 0.0 {
        out.push_str("- ");
    }
    let mut rest = value.abs().trunc();
    let mut parts = Vec::new();
    for (seconds, name) in UNITS {
        let count = (rest / seconds).floor();
        rest -= count * seconds;
        if count > 0.0 {
            let plural = if (count - 1.0).abs() < f64::EPSILON {
                ""
            } else {
                "s"
            };
            parts.push(format!("{count} {name}{plural}"));
        }
    }
    match parts.split_last() {
        None => out.push_str("0 seconds"),
        Some((last, [])) => out.push_str(last),
        Some((last, first)) => {
            out.push_str(&first.join(", "));
            out.push_str(" and ");
            out.push_str(last);
        }
    }
}
