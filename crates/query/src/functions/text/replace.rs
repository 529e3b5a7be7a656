//! Replacing text and matches.

use super::budget::{Budget, too_large};
use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::pattern::regex;
use crate::functions::rows::{Texts, texts};
use crate::functions::signature::{Call, Entry, strict};
use crate::functions::string::mapped;
use crate::limits::MAX_VALUE_BYTES;
use crate::types::Type;

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
];

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
