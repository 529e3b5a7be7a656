//! JSON inside text: `JSONExtract…` with paths of keys and 1-based positions. Wrong or missing parts give defaults.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use datafusion::error::Result as DfResult;

use super::value::Json;
use crate::error::Result;
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Longs, Texts, arg, flags, numbers, text_lists, texts};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("JSONHas", (1, MANY), |call| flag(call, |_| true)),
    strict("isValidJSON", (1, 1), |call| flag(call, |_| true)),
    strict("JSONExtractBool", (1, MANY), |call| flag(call, is_true)),
    strict("JSONExtractString", (1, MANY), |call| {
        string(call, extracted_text)
    }),
    strict("JSONExtractRaw", (1, MANY), |call| {
        string(call, Json::to_string)
    }),
    strict("JSONExtractInt", (1, MANY), int),
    strict("JSONExtractUInt", (1, MANY), uint),
    strict("JSONExtractFloat", (1, MANY), float),
    strict("JSONLength", (1, MANY), length),
    strict("JSONExtractKeys", (1, MANY), keys),
    strict("JSONExtractArrayRaw", (1, MANY), array_raw),
    strict("simpleJSONExtractString", (2, 2), |call| {
        string(call, plain_text)
    }),
    strict("visitParamExtractString", (2, 2), |call| {
        string(call, plain_text)
    }),
    strict("simpleJSONExtractRaw", (2, 2), |call| {
        string(call, Json::to_string)
    }),
    strict("simpleJSONExtractInt", (2, 2), simple_int),
    strict("simpleJSONExtractUInt", (2, 2), simple_uint),
    strict("simpleJSONExtractFloat", (2, 2), float),
    strict("simpleJSONExtractBool", (2, 2), |call| {
        flag(call, is_literally_true)
    }),
    strict("simpleJSONHas", (2, 2), |call| flag(call, |_| true)),
];

pub(super) fn check(call: &Call<'_>) -> Result<()> {
    call.want_text(&[0])?;
    for i in 1..call.args.len() {
        if !call.ty(i).is_text() && !call.ty(i).is_integer() {
            return Err(call.illegal(i));
        }
    }
    Ok(())
}

enum Step<'a> {
    Key(Texts<'a>),
    Position(Longs),
}

/// The documents of a batch with the path to follow in each.
pub(super) struct Documents<'a> {
    texts: Texts<'a>,
    steps: Vec<Step<'a>>,
}

impl<'a> Documents<'a> {
    pub(super) fn of(cols: &'a [Col]) -> DfResult<Self> {
        let mut steps = Vec::new();
        for i in 1..cols.len() {
            steps.push(if arg(cols, i)?.array.as_string_view_opt().is_some() {
                Step::Key(Texts::of(cols, i)?)
            } else {
                Step::Position(Longs::of(cols, i)?)
            });
        }
        Ok(Self {
            texts: Texts::of(cols, 0)?,
            steps,
        })
    }

    /// The part at the end of the path, `None` when there is none.
    pub(super) fn find(&self, row: usize) -> Option<Json> {
        let text = self.texts.get(row);
        let mut at = Json::parse(text)?;
        for step in &self.steps {
            at = match (step, at) {
                (Step::Key(key), Json::Object(entries)) => {
                    let wanted = key.get(row);
                    entries.into_iter().find(|(key, _)| key == wanted)?.1
                }
                (Step::Position(index), Json::Array(mut items)) => {
                    let i = position(index.get(row), items.len())?;
                    items.swap_remove(i)
                }
                (Step::Position(index), Json::Object(map)) => {
                    let i = position(index.get(row), map.len())?;
                    map.into_iter().nth(i)?.1
                }
                _ => return None,
            };
        }
        Some(at)
    }
}

pub(super) fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let at = if index > 0 {
        index - 1
    } else {
        length.checked_add(index)?
    };
    if index == 0 || at >= length {
        return None;
    }
    usize::try_from(at).ok()
}

fn flag(call: &Call<'_>, f: fn(&Json) -> bool) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let documents = Documents::of(cols)?;
        flags(cols, rows, |row| {
            Ok(documents.find(row).is_some_and(|v| f(&v)))
        })
    }))
}

/// `true`, or a number that is not zero.
fn is_true(value: &Json) -> bool {
    match value {
        Json::Bool(flag) => *flag,
        Json::Number(number) => {
            number.as_u64().is_some_and(|n| n != 0) || number.as_i64().is_some_and(|n| n != 0)
        }
        Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => false,
    }
}

/// Only `true`.
fn is_literally_true(value: &Json) -> bool {
    *value == Json::Bool(true)
}

/// Text, and nothing for any other value.
fn plain_text(value: &Json) -> String {
    if let Json::String(text) = value {
        return text.clone();
    }
    String::new()
}

fn extracted_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

fn string(call: &Call<'_>, f: fn(&Json) -> String) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let documents = Documents::of(cols)?;
        texts(cols, rows, |row, out| {
            if let Some(value) = documents.find(row) {
                out.push_str(&f(&value));
            }
            Ok(())
        })
    }))
}

/// A number, or text that spells one.
fn as_number(value: &Json) -> Option<serde_json::Number> {
    match value {
        Json::Number(number) => Some(number.clone()),
        Json::String(text) => serde_json::from_str(text).ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a number with a fraction is cut, as the dialect does"
)]
fn to_int(number: &serde_json::Number) -> i64 {
    number
        .as_i64()
        .or_else(|| number.as_f64().map(|f| f as i64))
        .unwrap_or(0)
}

fn int(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::Int64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<Int64Type>(cols, rows, |row| {
            let found = documents.find(row).as_ref().and_then(as_number);
            Ok(found.as_ref().map_or(0, to_int))
        })
    }))
}

fn uint(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::UInt64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let found = documents.find(row).as_ref().and_then(as_number);
            let value =
                |n: &serde_json::Number| n.as_u64().or_else(|| u64::try_from(to_int(n)).ok());
            Ok(found.as_ref().and_then(value).unwrap_or(0))
        })
    }))
}

fn simple_int(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::Int64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<Int64Type>(cols, rows, |row| {
            Ok(documents
                .find(row)
                .as_ref()
                .and_then(as_number)
                .and_then(|n| n.as_i64())
                .unwrap_or(0))
        })
    }))
}

fn simple_uint(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::UInt64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            Ok(documents
                .find(row)
                .as_ref()
                .and_then(as_number)
                .and_then(|n| n.as_u64())
                .unwrap_or(0))
        })
    }))
}

fn float(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::Float64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<Float64Type>(cols, rows, |row| {
            let found = documents.find(row).as_ref().and_then(as_number);
            Ok(found.and_then(|n| n.as_f64()).unwrap_or(0.0))
        })
    }))
}

fn length(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(Type::UInt64, |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<UInt64Type>(cols, rows, |row| {
            let found = documents.find(row);
            let count = found.map_or(0, |v| match v {
                Json::Array(items) => items.len(),
                Json::Object(map) => map.len(),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
            });
            Ok(u64::try_from(count).unwrap_or(0))
        })
    }))
}

fn keys(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(
        Type::Array(Box::new(Type::String)),
        |cols, rows| {
            let documents = Documents::of(cols)?;
            text_lists(cols, rows, |row, items| {
                if let Some(Json::Object(map)) = documents.find(row) {
                    map.iter().for_each(|(key, _)| items.append_value(key));
                }
                Ok(())
            })
        },
    ))
}

fn array_raw(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    Ok(Resolved::new(
        Type::Array(Box::new(Type::String)),
        |cols, rows| {
            let documents = Documents::of(cols)?;
            text_lists(cols, rows, |row, items| {
                if let Some(Json::Array(values)) = documents.find(row) {
                    values
                        .iter()
                        .for_each(|value| items.append_value(value.to_string()));
                }
                Ok(())
            })
        },
    ))
}
