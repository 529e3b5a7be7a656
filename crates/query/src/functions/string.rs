//! Text in one piece: lengths, cutting, case, trimming, joining. Positions count bytes unless a name says UTF8; a cut
//! inside a character gives U+FFFD for the broken part, because text here is valid UTF-8.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt64Type;
use datafusion::error::Result as DfResult;

use super::convert::{OnBad, caster};
use super::kernel::{Col, Resolved};
use super::range::{slice, to_usize};
use super::rows::{Lists, Longs, Texts, arg, flags, numbers, pieces, texts};
use super::signature::{Call, Entry, MANY, strict};
use crate::error::Result;
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("length", (1, 1), |call| length(call, |s| s.len())),
    strict("OCTET_LENGTH", (1, 1), |call| length(call, |s| s.len())).any_case(),
    strict("lengthUTF8", (1, 1), chars),
    strict("CHAR_LENGTH", (1, 1), chars).any_case(),
    strict("CHARACTER_LENGTH", (1, 1), chars).any_case(),
    strict("empty", (1, 1), |call| empty(call, true)),
    strict("notEmpty", (1, 1), |call| empty(call, false)),
    strict("lower", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_ascii_lowercase()))
    })
    .any_case(),
    strict("lcase", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_ascii_lowercase()))
    })
    .any_case(),
    strict("upper", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_ascii_uppercase()))
    })
    .any_case(),
    strict("ucase", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_ascii_uppercase()))
    })
    .any_case(),
    strict("lowerUTF8", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_lowercase()))
    }),
    strict("upperUTF8", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(&s.to_uppercase()))
    }),
    strict("reverse", (1, 1), reverse).any_case(),
    strict("reverseUTF8", (1, 1), |call| {
        mapped(call, |s, out| out.extend(s.chars().rev()))
    }),
    strict("trim", (1, 2), |call| trim(call, true, true)).any_case(),
    strict("trimBoth", (1, 2), |call| trim(call, true, true)),
    strict("trimLeft", (1, 2), |call| trim(call, true, false)),
    strict("ltrim", (1, 2), |call| trim(call, true, false)).any_case(),
    strict("trimRight", (1, 2), |call| trim(call, false, true)),
    strict("rtrim", (1, 2), |call| trim(call, false, true)).any_case(),
    strict("substring", (2, 3), |call| substring(call, Unit::Byte)).any_case(),
    strict("substr", (2, 3), |call| substring(call, Unit::Byte)).any_case(),
    strict("mid", (2, 3), |call| substring(call, Unit::Byte)).any_case(),
    strict("substringUTF8", (2, 3), |call| substring(call, Unit::Char)),
    strict("left", (2, 2), |call| edge(call, Unit::Byte, true)).any_case(),
    strict("right", (2, 2), |call| edge(call, Unit::Byte, false)).any_case(),
    strict("leftUTF8", (2, 2), |call| edge(call, Unit::Char, true)),
    strict("rightUTF8", (2, 2), |call| edge(call, Unit::Char, false)),
    strict("concat", (1, MANY), concat).any_case(),
    strict("concatWithSeparator", (1, MANY), concat_with).any_case(),
    strict("concat_ws", (1, MANY), concat_with).any_case(),
    strict("startsWith", (2, 2), |call| {
        compared(call, |s, n| s.starts_with(n))
    }),
    strict("endsWith", (2, 2), |call| {
        compared(call, |s, n| s.ends_with(n))
    }),
    strict("toValidUTF8", (1, 1), |call| {
        mapped(call, |s, out| out.push_str(s))
    }),
    strict("isValidUTF8", (1, 1), |call| {
        call.want_text(&[0])?;
        Ok(Resolved::new(Type::UInt8, |cols, rows| {
            flags(cols, rows, |_| Ok(true))
        }))
    }),
    strict("appendTrailingCharIfAbsent", (2, 2), |call| {
        call.want_text(&[0, 1])?;
        Ok(Resolved::new(Type::String, |cols, rows| {
            let (s, end) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
            texts(cols, rows, |row, out| {
                out.push_str(s.get(row));
                if !out.is_empty() && !out.ends_with(end.get(row)) {
                    out.push_str(end.get(row));
                }
                Ok(())
            })
        }))
    }),
];

/// Length of text, arrays and maps.
fn length(call: &Call<'_>, count: fn(&str) -> usize) -> Result<Resolved> {
    if let Type::Array(_) | Type::Map(..) = call.ty(0) {
        let map = matches!(call.ty(0), Type::Map(..));
        return Ok(Resolved::new(Type::UInt64, move |cols, rows| {
            let lengths = item_counts(cols, rows, map)?;
            numbers::<UInt64Type>(cols, rows, |row| Ok(lengths.get(row).copied().unwrap_or(0)))
        }));
    }
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| Ok(to_u64(count(s.get(row)))))
    }))
}

/// Length in characters.
fn chars(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    length(call, |s| s.chars().count())
}

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn item_counts(cols: &[Col], rows: usize, map: bool) -> DfResult<Vec<u64>> {
    let col = arg(cols, 0)?;
    if map {
        let full = col.full(rows)?;
        let map = full.as_map();
        return Ok((0..rows)
            .map(|row| u64::try_from(map.value_length(row)).unwrap_or(0))
            .collect());
    }
    let lists = Lists::of(cols, 0)?;
    Ok((0..rows)
        .map(|row| to_u64(lists.range(row).len()))
        .collect())
}

fn empty(call: &Call<'_>, wanted: bool) -> Result<Resolved> {
    if let Type::Array(_) | Type::Map(..) = call.ty(0) {
        let map = matches!(call.ty(0), Type::Map(..));
        return Ok(Resolved::new(Type::UInt8, move |cols, rows| {
            let lengths = item_counts(cols, rows, map)?;
            flags(cols, rows, |row| {
                Ok((lengths.get(row) == Some(&0)) == wanted)
            })
        }));
    }
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| Ok(s.get(row).is_empty() == wanted))
    }))
}

/// Text to text.
pub(super) fn mapped(call: &Call<'_>, f: fn(&str, &mut String)) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            f(s.get(row), out);
            Ok(())
        })
    }))
}

fn compared(call: &Call<'_>, f: fn(&str, &str) -> bool) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let (s, n) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        flags(cols, rows, |row| Ok(f(s.get(row), n.get(row))))
    }))
}

fn reverse(call: &Call<'_>) -> Result<Resolved> {
    if let Type::Array(item) = call.ty(0) {
        return Ok(super::array::reversed((**item).clone()));
    }
    mapped(call, |s, out| {
        if s.is_ascii() {
            out.extend(s.chars().rev());
        } else {
            let bytes: Vec<u8> = s.bytes().rev().collect();
            out.push_str(&String::from_utf8_lossy(&bytes));
        }
    })
}

fn trim(call: &Call<'_>, left: bool, right: bool) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let set = call.optional_text(1)?.unwrap_or(" ").to_owned();
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        let inside = |c: char| set.contains(c);
        pieces(cols, rows, |row| {
            let mut text = s.get(row);
            if left {
                text = text.trim_start_matches(inside);
            }
            if right {
                text = text.trim_end_matches(inside);
            }
            Ok(text)
        })
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Char,
}

/// Appends bytes (or characters) `from..to` of `text`.
fn cut(text: &str, from: usize, to: usize, unit: Unit, out: &mut String) {
    if from >= to {
        return;
    }
    if unit == Unit::Char && !text.is_ascii() {
        out.extend(text.chars().skip(from).take(to - from));
        return;
    }
    let (from, to) = (from.min(text.len()), to.min(text.len()));
    match text.get(from..to) {
        Some(piece) => out.push_str(piece),
        None => {
            let bytes = text.as_bytes().get(from..to).unwrap_or_default();
            out.push_str(&String::from_utf8_lossy(bytes));
        }
    }
}

fn size(text: &str, unit: Unit) -> i64 {
    let count = if unit == Unit::Byte || text.is_ascii() {
        text.len()
    } else {
        text.chars().count()
    };
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn substring(call: &Call<'_>, unit: Unit) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1, 2])?;
    let limited = call.args.len() > 2;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, offsets) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        let lengths = if limited {
            Some(Longs::of(cols, 2)?)
        } else {
            None
        };
        texts(cols, rows, |row, out| {
            let text = s.get(row);
            let total = size(text, unit);
            let wanted = lengths.as_ref().map_or(i64::MAX, |l| l.get(row));
            let (from, to) = slice(total, offsets.get(row), wanted);
            cut(text, from, to, unit, out);
            Ok(())
        })
    }))
}

fn edge(call: &Call<'_>, unit: Unit, left: bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let (s, counts) = (Texts::of(cols, 0)?, Longs::of(cols, 1)?);
        texts(cols, rows, |row, out| {
            let text = s.get(row);
            let total = size(text, unit);
            let n = counts.get(row);
            // A negative count leaves that many out at the other end.
            let kept = if n < 0 {
                total.saturating_add(n).max(0)
            } else {
                n.min(total)
            };
            let (from, to) = if left {
                (0, kept)
            } else {
                (total - kept, total)
            };
            cut(text, to_usize(from), to_usize(to), unit, out);
            Ok(())
        })
    }))
}

/// Arguments of other types are written as text first.
fn as_text(call: &Call<'_>) -> Result<Vec<super::convert::Caster>> {
    let types = call.args.iter().map(|arg| &arg.ty);
    types
        .map(|ty| caster(ty, &Type::String, OnBad::Fail, call.context))
        .collect()
}

fn text_cols(cols: &[Col], casters: &[super::convert::Caster]) -> DfResult<Vec<Col>> {
    let each = cols.iter().zip(casters).map(|(col, cast)| {
        Ok(Col {
            array: cast(&col.array)?,
            constant: col.constant,
        })
    });
    each.collect()
}

fn concat(call: &Call<'_>) -> Result<Resolved> {
    if call.args.iter().all(|arg| matches!(arg.ty, Type::Array(_))) {
        return super::array::concat(call);
    }
    let casters = as_text(call)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let cols = text_cols(cols, &casters)?;
        let parts = (0..cols.len())
            .map(|i| Texts::of(&cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        texts(&cols, rows, |row, out| {
            for part in &parts {
                out.push_str(part.get(row));
            }
            Ok(())
        })
    }))
}

fn concat_with(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    let casters = as_text(call)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let cols = text_cols(cols, &casters)?;
        let separator = Texts::of(&cols, 0)?;
        let parts = (1..cols.len())
            .map(|i| Texts::of(&cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        texts(&cols, rows, |row, out| {
            for (i, part) in parts.iter().enumerate() {
                out.push_str(if i > 0 { separator.get(row) } else { "" });
                out.push_str(part.get(row));
            }
            Ok(())
        })
    }))
}
