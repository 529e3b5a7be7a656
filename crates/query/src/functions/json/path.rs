//! The functions with SQL/JSON paths such as `$.a.b[0]`, merging of documents, and small questions about them.

use datafusion::arrow::datatypes::{Int8Type, UInt64Type};

use super::field::{Documents, check};
use super::value::Json;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Texts, flags, numbers, optional_numbers, texts};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::types::Type;

pub(super) static ENTRIES: &[Entry] = &[
    strict("JSON_VALUE", (2, 2), |call| {
        with_path(call, |found| match found {
            Json::String(text) => Some(text.clone()),
            Json::Null => Some("null".to_owned()),
            Json::Bool(_) | Json::Number(_) => Some(found.to_string()),
            Json::Array(_) | Json::Object(_) => None,
        })
    }),
    strict("JSON_QUERY", (2, 2), query),
    strict("JSON_EXISTS", (2, 2), exists),
    strict("JSONMergePatch", (1, MANY), merge),
    strict("jsonMergePatch", (1, MANY), merge),
    strict("JSONType", (1, MANY), kind),
    strict("JSONKey", (2, 2), key),
    strict("JSONArrayLength", (1, 1), array_length),
    strict("JSON_ARRAY_LENGTH", (1, 1), array_length).any_case(),
];

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Position(usize),
    /// `[*]`
    All,
}

fn bad_path(path: &str) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!("Unable to parse JSONPath `{path}`"),
    )
}

fn parse_path(path: &str) -> Result<Vec<Step>> {
    let mut rest = path
        .trim()
        .strip_prefix('$')
        .ok_or_else(|| bad_path(path))?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let (item, after) = inside.split_once(']').ok_or_else(|| bad_path(path))?;
            let item = item.trim();
            let quoted = item.trim_matches(['"', '\'']);
            steps.push(if item == "*" {
                Step::All
            } else if quoted.len() < item.len() {
                Step::Key(quoted.to_owned())
            } else {
                Step::Position(item.parse().map_err(|_| bad_path(path))?)
            });
            rest = after;
        } else if let Some(after) = rest.strip_prefix('.') {
            if let Some(quoted) = after.strip_prefix('"') {
                let (key, after) = quoted.split_once('"').ok_or_else(|| bad_path(path))?;
                steps.push(Step::Key(key.to_owned()));
                rest = after;
                continue;
            }
            let end = after.find(['.', '[']).unwrap_or(after.len());
            let (key, after) = after.split_at(end);
            if key.is_empty() {
                return Err(bad_path(path));
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        } else {
            return Err(bad_path(path));
        }
    }
    Ok(steps)
}

/// Everything that the path leads to.
fn follow<'a>(at: &'a Json, steps: &[Step], found: &mut Vec<&'a Json>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(at);
        return;
    };
    match (step, at) {
        (Step::Key(key), Json::Object(entries)) => {
            if let Some((_, next)) = entries.iter().find(|(name, _)| name == key) {
                follow(next, rest, found);
            }
        }
        (Step::Position(i), Json::Array(items)) => {
            if let Some(next) = items.get(*i) {
                follow(next, rest, found);
            }
        }
        (Step::All, Json::Array(items)) => items.iter().for_each(|next| follow(next, rest, found)),
        _ => {}
    }
}

fn with_path(call: &Call<'_>, show: fn(&Json) -> Option<String>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let steps = parse_path(call.constant_text(1)?)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let documents = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            let Some(json) = Json::parse(documents.get(row)) else {
                return Ok(());
            };
            let mut found = Vec::new();
            follow(&json, &steps, &mut found);
            if let Some(text) = found.into_iter().find_map(show) {
                out.push_str(&text);
            }
            Ok(())
        })
    }))
}

/// All that was found, in brackets.
fn query(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let steps = parse_path(call.constant_text(1)?)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let documents = Texts::of(cols, 0)?;
        texts(cols, rows, |row, out| {
            let Some(json) = Json::parse(documents.get(row)) else {
                return Ok(());
            };
            let mut found = Vec::new();
            follow(&json, &steps, &mut found);
            if !found.is_empty() {
                let items: Vec<String> = found.into_iter().map(Json::to_string).collect();
                out.push_str(&format!("[{}]", items.join(", ")));
            }
            Ok(())
        })
    }))
}

fn exists(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0, 1])?;
    let steps = parse_path(call.constant_text(1)?)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let documents = Texts::of(cols, 0)?;
        flags(cols, rows, |row| {
            let json = Json::parse(documents.get(row));
            let mut found = Vec::new();
            if let Some(json) = &json {
                follow(json, &steps, &mut found);
            }
            Ok(!found.is_empty())
        })
    }))
}

fn patched(target: Json, patch: Json) -> Json {
    let Json::Object(changes) = patch else {
        return patch;
    };
    let mut entries = if let Json::Object(entries) = target {
        entries
    } else {
        Vec::new()
    };
    for (key, change) in changes {
        let known = entries.iter().position(|(name, _)| *name == key);
        let old = known.map(|at| entries.remove(at).1).unwrap_or(Json::Null);
        let at = known.unwrap_or(entries.len());
        entries.insert(at, (key, patched(old, change)));
    }
    Json::Object(entries)
}

fn merge(call: &Call<'_>) -> Result<Resolved> {
    let count = call.args.len();
    call.want_text(&(0..count).collect::<Vec<_>>())?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let documents = (0..count)
            .map(|i| Texts::of(cols, i))
            .collect::<datafusion::error::Result<Vec<_>>>()?;
        texts(cols, rows, |row, out| {
            let mut merged = Json::Object(Vec::new());
            for texts in &documents {
                let json = Json::parse(texts.get(row)).ok_or_else(|| {
                    let what = "Wrong JSON string to merge: expected an object";
                    QueryError::new(ErrorCode::BadArguments, what).external()
                })?;
                merged = patched(merged, json);
            }
            out.push_str(&merged.to_string());
            Ok(())
        })
    }))
}

const KINDS: [(&str, i8); 8] = [
    ("Null", 0),
    ("String", 34),
    ("Array", 91),
    ("Bool", 98),
    ("Double", 100),
    ("Int64", 105),
    ("UInt64", 117),
    ("Object", 123),
];

fn kind(call: &Call<'_>) -> Result<Resolved> {
    check(call)?;
    let names = KINDS.iter().map(|(name, n)| ((*name).to_owned(), *n));
    Ok(Resolved::new(Type::Enum8(names.collect()), |cols, rows| {
        let documents = Documents::of(cols)?;
        numbers::<Int8Type>(cols, rows, |row| {
            Ok(match documents.find(row) {
                None | Some(Json::Null) => 0,
                Some(Json::String(_)) => 34,
                Some(Json::Array(_)) => 91,
                Some(Json::Bool(_)) => 98,
                Some(Json::Number(number)) if number.is_i64() => 105,
                Some(Json::Number(number)) if number.is_u64() => 117,
                Some(Json::Number(_)) => 100,
                Some(Json::Object(_)) => 123,
            })
        })
    }))
}

fn key(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    call.want_integer(&[1])?;
    Ok(Resolved::new(Type::String, |cols, rows| {
        let documents = Texts::of(cols, 0)?;
        let positions = crate::functions::rows::Longs::of(cols, 1)?;
        texts(cols, rows, |row, out| {
            if let Some(Json::Object(entries)) = Json::parse(documents.get(row)) {
                let at = super::field::position(positions.get(row), entries.len());
                if let Some((key, _)) = at.and_then(|at| entries.get(at)) {
                    out.push_str(key);
                }
            }
            Ok(())
        })
    }))
}

fn array_length(call: &Call<'_>) -> Result<Resolved> {
    call.want_text(&[0])?;
    Ok(Resolved::new(Type::UInt64.nullable(), |cols, rows| {
        let documents = Texts::of(cols, 0)?;
        optional_numbers::<UInt64Type>(cols, rows, |row| {
            Ok(match Json::parse(documents.get(row)) {
                Some(Json::Array(items)) => u64::try_from(items.len()).ok(),
                _ => None,
            })
        })
    }))
}
