//! Finding: positions, tokens, several needles at once, patterns.

use datafusion::arrow::datatypes::UInt64Type;

use super::kernel::Resolved;
use super::pattern::{like_to_regex, regex};
use super::rows::{Longs, Texts, flags, numbers, text_lists};
use super::signature::{Call, Entry, strict};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("position", (2, 3), |call| {
        position(call, Case::Exact, Unit::Byte)
    })
    .any_case(),
    strict("locate", (2, 3), locate).any_case(),
    strict("positionCaseInsensitive", (2, 3), |call| {
        position(call, Case::Ascii, Unit::Byte)
    }),
    strict("positionUTF8", (2, 3), |call| {
        position(call, Case::Exact, Unit::Char)
    }),
    strict("positionCaseInsensitiveUTF8", (2, 3), |call| {
        position(call, Case::Ascii, Unit::Char)
    }),
    strict("countSubstrings", (2, 3), |call| count(call, Case::Exact)).any_case(),
    strict("countSubstringsCaseInsensitive", (2, 3), |call| {
        count(call, Case::Ascii)
    }),
    strict("hasToken", (2, 2), |call| has_token(call, Case::Exact)),
    strict("hasTokenCaseInsensitive", (2, 2), |call| {
        has_token(call, Case::Ascii)
    }),
    strict("hasAllTokens", (2, 2), |call| has_tokens(call, true)),
    strict("hasAnyTokens", (2, 2), |call| has_tokens(call, false)),
    strict("tokens", (1, 1), tokens_of),
    strict("multiSearchAny", (2, 2), |call| {
        multi_search(call, Case::Exact)
    }),
    strict("multiSearchAnyCaseInsensitive", (2, 2), |call| {
        multi_search(call, Case::Ascii)
    }),
    strict("multiMatchAny", (2, 2), multi_match),
    strict("match", (2, 2), |call| matches(call, false, regex)),
    strict("REGEXP_MATCHES", (2, 2), |call| matches(call, false, regex)).any_case(),
    strict("like", (2, 2), |call| {
        matches(call, false, |p| like_to_regex(p, false))
    }),
    strict("notLike", (2, 2), |call| {
        matches(call, true, |p| like_to_regex(p, false))
    }),
    strict("ilike", (2, 2), |call| {
        matches(call, false, |p| like_to_regex(p, true))
    }),
    strict("notILike", (2, 2), |call| {
        matches(call, true, |p| like_to_regex(p, true))
    }),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Exact,
    Ascii,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Byte,
    Char,
}

fn folded(text: &str, case: Case) -> String {
    match case {
        Case::Exact => text.to_owned(),
        Case::Ascii => text.to_lowercase(),
    }
}

fn locate(call: &Call<'_>) -> Result<Resolved> {
    // MySQL's order: needle first.
    let mut args = call.args.to_vec();
    args.swap(0, 1);
    let inner = Call {
        name: call.name,
        args: &args,
        context: call.context,
    };
    let resolved = position(&inner, Case::Exact, Unit::Byte)?;
    let kernel = resolved.kernel;
    Ok(Resolved::new(resolved.ty, move |cols, rows| {
        let mut cols = cols.to_vec();
        cols.swap(0, 1);
        kernel.run(&cols, rows)
    }))
}

fn find(haystack: &str, needle: &str, case: Case) -> Option<usize> {
    match case {
        Case::Exact => memchr::memmem::find(haystack.as_bytes(), needle.as_bytes()),
        Case::Ascii => folded(haystack, case).find(&folded(needle, case)),
    }
}

fn position(call: &Call<'_>, case: Case, unit: Unit) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    call.want_integer(&[2])?;
    let with_start = call.args.len() > 2;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let (s, needles) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        let starts = if with_start {
            Some(Longs::of(cols, 2)?)
        } else {
            None
        };
        numbers::<UInt64Type>(cols, rows, |row| {
            let text = s.get(row);
            let start = starts.as_ref().map_or(1, |starts| starts.get(row)).max(1);
            let skipped = usize::try_from(start - 1).unwrap_or(usize::MAX);
            let from = match unit {
                Unit::Byte => skipped,
                Unit::Char => text
                    .char_indices()
                    .nth(skipped)
                    .map_or(text.len(), |(i, _)| i),
            };
            let Some(rest) = text.get(from..) else {
                return Ok(0);
            };
            let found = find(rest, needles.get(row), case).map(|at| from + at);
            Ok(found.map_or(0, |at| to_position(text, at, unit)))
        })
    }))
}

fn to_position(text: &str, at: usize, unit: Unit) -> u64 {
    let before = match unit {
        Unit::Byte => at,
        Unit::Char => text.get(..at).map_or(0, |head| head.chars().count()),
    };
    u64::try_from(before + 1).unwrap_or(u64::MAX)
}

fn count(call: &Call<'_>, case: Case) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    call.want_integer(&[2])?;
    let with_start = call.args.len() > 2;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let (s, needles) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        let starts = if with_start {
            Some(Longs::of(cols, 2)?)
        } else {
            None
        };
        numbers::<UInt64Type>(cols, rows, |row| {
            let start = starts.as_ref().map_or(1, |starts| starts.get(row)).max(1);
            let from = usize::try_from(start - 1).unwrap_or(usize::MAX);
            let text = s.get(row).get(from..).unwrap_or("");
            let needle = folded(needles.get(row), case);
            if needle.is_empty() {
                return Ok(0);
            }
            let found = folded(text, case).matches(&needle).count();
            Ok(u64::try_from(found).unwrap_or(u64::MAX))
        })
    }))
}

/// Bytes of which a token consists.
fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Tokens of a text: maximal runs of ASCII letters, digits and bytes from 0x80.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric())
        .filter(|t| !t.is_empty())
}

fn contains_token(text: &str, needle: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let finder = memchr::memmem::find_iter(bytes, needle);
    finder.into_iter().any(|at| {
        let before = at.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(at + needle.len());
        !before.is_some_and(|b| in_token(*b)) && !after.is_some_and(|b| in_token(*b))
    })
}

fn has_token(call: &Call<'_>, case: Case) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let needle = call.constant_text(1)?;
    if needle.bytes().any(|b| !in_token(b)) {
        return Err(QueryError::new(
            ErrorCode::BadArguments,
            "Needle must not contain whitespace or separator characters",
        ));
    }
    let needle = folded(needle, case);
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| {
            let text = s.get(row);
            if needle.is_empty() {
                return Ok(false);
            }
            Ok(match case {
                Case::Exact => contains_token(text, needle.as_bytes()),
                Case::Ascii => contains_token(&folded(text, case), needle.as_bytes()),
            })
        })
    }))
}

/// Constant needles: a text to split, or an array of texts.
fn needles(call: &Call<'_>, i: usize) -> Result<Vec<String>> {
    match call.constant(i) {
        Some(Value::String(text)) => Ok(tokens(text).map(str::to_owned).collect()),
        Some(Value::Array(items)) => {
            let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
            texts
                .collect::<Option<Vec<_>>>()
                .ok_or_else(|| call.illegal(i))
        }
        _ => Err(call.fail(ErrorCode::IllegalColumn, "the needles must be constant")),
    }
}

fn has_tokens(call: &Call<'_>, all: bool) -> Result<Resolved> {
    call.want_text(&[0])?;
    let needles = needles(call, 1)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| {
            let text = s.get(row);
            let mut found = needles
                .iter()
                .map(|needle| contains_token(text, needle.as_bytes()));
            Ok(!needles.is_empty()
                && if all {
                    found.all(|f| f)
                } else {
                    found.any(|f| f)
                })
        })
    }))
}

fn tokens_of(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(
        Type::Array(Box::new(Type::String)),
        |cols, rows| {
            let s = Texts::of(cols, 0)?;
            text_lists(cols, rows, |row, items| {
                tokens(s.get(row)).for_each(|token| items.append_value(token));
                Ok(())
            })
        },
    ))
}

fn constant_texts(call: &Call<'_>, i: usize) -> Result<Vec<String>> {
    let Some(Value::Array(items)) = call.constant(i) else {
        return Err(call.fail(
            ErrorCode::IllegalColumn,
            "the needles must be a constant array",
        ));
    };
    let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
    texts
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| call.illegal(i))
}

fn multi_search(call: &Call<'_>, case: Case) -> Result<Resolved> {
    call.want_text(&[0])?;
    let needles: Vec<String> = constant_texts(call, 1)?
        .iter()
        .map(|n| folded(n, case))
        .collect();
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| {
            let text = s.get(row);
            let lower = if case == Case::Ascii {
                folded(text, case)
            } else {
                String::new()
            };
            let text = if case == Case::Ascii {
                lower.as_str()
            } else {
                text
            };
            Ok(needles
                .iter()
                .any(|needle| find(text, needle, Case::Exact).is_some()))
        })
    }))
}

fn multi_match(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    let patterns = constant_texts(call, 1)?;
    let compiled = patterns
        .iter()
        .map(|p| regex(p))
        .collect::<Result<Vec<_>>>()?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        flags(cols, rows, |row| {
            Ok(compiled.iter().any(|re| re.is_match(s.get(row))))
        })
    }))
}

type Compile = fn(&str) -> Result<regex::Regex>;

fn matches(call: &Call<'_>, negated: bool, compile: Compile) -> Result<Resolved> {
    if !call.ty(0).is_text() && !matches!(call.ty(0), Type::Enum8(_)) {
        return Err(call.illegal(0));
    }
    call.want_text(&[1])?;
    let constant = call
        .constant(1)
        .and_then(Value::as_text)
        .map(compile)
        .transpose()?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        if let Some(re) = &constant {
            return flags(cols, rows, |row| Ok(re.is_match(s.get(row)) != negated));
        }
        // Patterns from a column repeat: keep the last one.
        let patterns = Texts::of(cols, 1)?;
        let mut last: Option<(&str, regex::Regex)> = None;
        flags(cols, rows, |row| {
            let pattern = patterns.get(row);
            if last.as_ref().is_none_or(|(text, _)| *text != pattern) {
                last = Some((pattern, compile(pattern).map_err(QueryError::external)?));
            }
            Ok(last.as_ref().is_some_and(|(_, re)| re.is_match(s.get(row))) != negated)
        })
    }))
}
