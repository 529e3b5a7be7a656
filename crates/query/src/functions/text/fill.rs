//! `format`: texts filled into a pattern.

use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, Result};
use crate::functions::convert::{Caster, OnBad, caster};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Texts, texts};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[strict("format", (1, MANY), format_text)];

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
