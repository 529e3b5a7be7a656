//! Pieces of text: extracting and splitting.

use datafusion::arrow::datatypes::UInt64Type;

use crate::error::{ErrorCode, Result};
use crate::functions::kernel::Resolved;
use crate::functions::pattern::regex;
use crate::functions::rows::{Texts, numbers, text_lists, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
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
];

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
