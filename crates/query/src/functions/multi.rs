//! Several needles at once: which one is found, where, and all of their places.

use datafusion::arrow::array::UInt64Array;
use datafusion::arrow::datatypes::{UInt8Type, UInt64Type};
use std::sync::Arc;

use super::kernel::Resolved;
use super::pattern::regex;
use super::rows::{Texts, list, numbers, optional_numbers, validity};
use super::signature::{Call, Entry, strict};
use crate::error::{ErrorCode, Result};
use crate::types::{Type, Value};

pub(super) static ENTRIES: &[Entry] = &[
    strict("multiSearchFirstIndex", (2, 2), |call| {
        first(call, Fold::Exact, Answer::Index)
    }),
    strict("multiSearchFirstIndexCaseInsensitive", (2, 2), |call| {
        first(call, Fold::Ascii, Answer::Index)
    }),
    strict("multiSearchFirstIndexUTF8", (2, 2), |call| {
        first(call, Fold::Exact, Answer::Index)
    }),
    strict("multiSearchFirstPosition", (2, 2), |call| {
        first(call, Fold::Exact, Answer::Position)
    }),
    strict("multiSearchFirstPositionCaseInsensitive", (2, 2), |call| {
        first(call, Fold::Ascii, Answer::Position)
    }),
    strict("multiSearchAnyUTF8", (2, 2), |call| any(call, Fold::Exact)),
    strict("multiSearchAnyCaseInsensitiveUTF8", (2, 2), |call| {
        any(call, Fold::Unicode)
    }),
    strict("multiSearchAllPositions", (2, 2), |call| {
        all_positions(call, Fold::Exact)
    }),
    strict("multiSearchAllPositionsCaseInsensitive", (2, 2), |call| {
        all_positions(call, Fold::Ascii)
    }),
    strict("multiMatchAnyIndex", (2, 2), |call| patterns(call, false)),
    strict("multiMatchAllIndices", (2, 2), |call| patterns(call, true)),
    strict("hasTokenOrNull", (2, 2), |call| token_or_null(call, false)),
    strict("hasTokenCaseInsensitiveOrNull", (2, 2), |call| {
        token_or_null(call, true)
    }),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fold {
    Exact,
    Ascii,
    Unicode,
}

impl Fold {
    fn of(self, text: &str) -> String {
        match self {
            Self::Exact => text.to_owned(),
            Self::Ascii => text.to_ascii_lowercase(),
            Self::Unicode => text.to_lowercase(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Index,
    Position,
}

/// Most needles: ClickHouse counts them in 8 bits.
const MAX_NEEDLES: usize = 255;

fn needles(call: &Call<'_>) -> Result<Vec<String>> {
    call.want_text(&[0])?;
    let Some(Value::Array(items)) = call.constant(1) else {
        return Err(call.fail(
            ErrorCode::IllegalColumn,
            "the needles must be a constant array of strings",
        ));
    };
    if items.len() > MAX_NEEDLES {
        return Err(call.fail(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            "there may be at most 255 needles",
        ));
    }
    let texts = items.iter().map(|item| item.as_text().map(str::to_owned));
    texts
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| call.illegal(1))
}

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

fn first(call: &Call<'_>, fold: Fold, answer: Answer) -> Result<Resolved> {
    let needles: Vec<String> = needles(call)?.iter().map(|n| fold.of(n)).collect();
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let text = fold.of(s.get(row));
            let mut found = needles
                .iter()
                .enumerate()
                .filter_map(|(i, needle)| Some((text.find(needle)?, i)));
            Ok(match answer {
                Answer::Index => found.next().map_or(0, |(_, i)| to_u64(i + 1)),
                Answer::Position => found.min().map_or(0, |(at, _)| to_u64(at + 1)),
            })
        })
    }))
}

fn any(call: &Call<'_>, fold: Fold) -> Result<Resolved> {
    let needles: Vec<String> = needles(call)?.iter().map(|n| fold.of(n)).collect();
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt8Type>(cols, rows, |row| {
            let text = fold.of(s.get(row));
            Ok(u8::from(needles.iter().any(|needle| text.contains(needle))))
        })
    }))
}

/// A list of numbers per row.
fn number_lists(
    cols: &[super::kernel::Col],
    rows: usize,
    f: impl Fn(usize, &mut Vec<u64>),
) -> datafusion::error::Result<datafusion::arrow::array::ArrayRef> {
    let mask = validity(cols, rows);
    let (mut all, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
    for row in 0..rows {
        let before = all.len();
        if mask.as_ref().is_none_or(|mask| mask.is_valid(row)) {
            f(row, &mut all);
        }
        lengths.push(all.len() - before);
    }
    list(
        &Type::UInt64,
        lengths,
        Arc::new(UInt64Array::from(all)),
        None,
    )
}

fn all_positions(call: &Call<'_>, fold: Fold) -> Result<Resolved> {
    let needles: Vec<String> = needles(call)?.iter().map(|n| fold.of(n)).collect();
    let ty = Type::Array(Box::new(Type::UInt64));
    Ok(Resolved::new(ty, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        number_lists(cols, rows, |row, all| {
            let text = fold.of(s.get(row));
            let place = |needle: &String| text.find(needle).map_or(0, |at| to_u64(at + 1));
            all.extend(needles.iter().map(place));
        })
    }))
}

fn patterns(call: &Call<'_>, all: bool) -> Result<Resolved> {
    let patterns = needles(call)?;
    let patterns = patterns
        .iter()
        .map(|pattern| regex(pattern))
        .collect::<Result<Vec<_>>>()?;
    if all {
        let ty = Type::Array(Box::new(Type::UInt64));
        return Ok(Resolved::new(ty, move |cols, rows| {
            let s = Texts::of(cols, 0)?;
            number_lists(cols, rows, |row, found| {
                let hits = patterns.iter().enumerate();
                let hits = hits.filter(|(_, re)| re.is_match(s.get(row)));
                found.extend(hits.map(|(i, _)| to_u64(i + 1)));
            })
        }));
    }
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let hit = patterns.iter().position(|re| re.is_match(s.get(row)));
            Ok(hit.map_or(0, |i| to_u64(i + 1)))
        })
    }))
}

fn is_token_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || !c.is_ascii()
}

/// NULL for a needle that can be no token.
fn token_or_null(call: &Call<'_>, folded: bool) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let needle = call.constant_text(1)?.to_owned();
    let fold = if folded { Fold::Ascii } else { Fold::Exact };
    let needle = fold.of(&needle);
    let valid = needle.chars().all(is_token_char);
    Ok(Resolved::new(Type::UInt8.nullable(), move |cols, rows| {
        let s = Texts::of(cols, 0)?;
        optional_numbers::<UInt8Type>(cols, rows, |row| {
            let text = fold.of(s.get(row));
            let mut tokens = text.split(|c| !is_token_char(c));
            Ok(valid.then(|| u8::from(tokens.any(|token| !token.is_empty() && token == needle))))
        })
    }))
}
