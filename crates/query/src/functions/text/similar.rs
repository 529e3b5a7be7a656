//! How alike two texts are.

use datafusion::arrow::datatypes::{Float64Type, UInt64Type};

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Texts, flags, numbers};
use crate::functions::signature::{Call, Entry, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("levenshteinDistance", (2, 2), |call| {
        distance(call, by_bytes)
    }),
    strict("editDistance", (2, 2), |call| distance(call, by_bytes)),
    strict("levenshteinDistanceUTF8", (2, 2), |call| {
        distance(call, strsim::levenshtein)
    }),
    strict("editDistanceUTF8", (2, 2), |call| {
        distance(call, strsim::levenshtein)
    }),
    strict("damerauLevenshteinDistance", (2, 2), |call| {
        distance(call, strsim::damerau_levenshtein)
    }),
    strict("byteHammingDistance", (2, 2), |call| {
        distance(call, hamming)
    }),
    strict("mismatches", (2, 2), |call| distance(call, hamming)),
    strict("jaroSimilarity", (2, 2), |call| {
        similarity(call, strsim::jaro)
    }),
    strict("jaroWinklerSimilarity", (2, 2), |call| {
        similarity(call, strsim::jaro_winkler)
    }),
    strict("hasSubsequence", (2, 2), |call| {
        subsequence(call, |h, n| (h.to_owned(), n.to_owned()))
    }),
    strict("hasSubsequenceUTF8", (2, 2), |call| {
        subsequence(call, |h, n| (h.to_owned(), n.to_owned()))
    }),
    strict("hasSubsequenceCaseInsensitive", (2, 2), |call| {
        subsequence(call, |h, n| {
            (h.to_ascii_lowercase(), n.to_ascii_lowercase())
        })
    }),
    strict("hasSubsequenceCaseInsensitiveUTF8", (2, 2), |call| {
        subsequence(call, |h, n| (h.to_lowercase(), n.to_lowercase()))
    }),
];

/// Longest text whose distance is computed: the work grows with the product of the lengths.
const MAX_BYTES: usize = 64 * 1024;

fn too_long() -> datafusion::error::DataFusionError {
    QueryError::new(
        ErrorCode::TooLargeStringSize,
        format!("texts longer than {MAX_BYTES} bytes are not compared by distance"),
    )
    .external()
}

fn by_bytes(a: &str, b: &str) -> usize {
    let (a, b): (Vec<u8>, Vec<u8>) = (a.bytes().collect(), b.bytes().collect());
    strsim::generic_levenshtein(&a, &b)
}

fn hamming(a: &str, b: &str) -> usize {
    let differing = a.bytes().zip(b.bytes()).filter(|(a, b)| a != b).count();
    differing + a.len().abs_diff(b.len())
}

fn distance(call: &Call<'_>, f: fn(&str, &str) -> usize) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let (a, b) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        numbers::<UInt64Type>(cols, rows, |row| {
            let (a, b) = (a.get(row), b.get(row));
            if a.len().max(b.len()) > MAX_BYTES {
                return Err(too_long());
            }
            Ok(u64::try_from(f(a, b)).unwrap_or(u64::MAX))
        })
    }))
}

fn similarity(call: &Call<'_>, f: fn(&str, &str) -> f64) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::Float64, move |cols, rows| {
        let (a, b) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        numbers::<Float64Type>(cols, rows, |row| {
            let (a, b) = (a.get(row), b.get(row));
            if a.len().max(b.len()) > MAX_BYTES {
                return Err(too_long());
            }
            Ok(f(a, b))
        })
    }))
}

/// Whether the characters of the needle appear in the haystack in their order.
fn subsequence(call: &Call<'_>, fold: fn(&str, &str) -> (String, String)) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let (haystacks, needles) = (Texts::of(cols, 0)?, Texts::of(cols, 1)?);
        flags(cols, rows, |row| {
            let (haystack, needle) = fold(haystacks.get(row), needles.get(row));
            let mut rest = haystack.chars();
            Ok(needle.chars().all(|wanted| rest.any(|c| c == wanted)))
        })
    }))
}
