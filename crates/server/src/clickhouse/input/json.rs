//! JSON by rows: objects or arrays, one after the other, in a list, or as the `data` of a document.

use cairn_query::{ErrorCode, QueryError, Type, Value};
use serde_json::{Deserializer, Value as Json};

use super::literal::read_field;
use super::rows::{Places, Rows, at_row, incorrect};
use super::{Head, Result};

/// JSONEachRow and JSON.
pub(super) fn read_objects(data: &[u8], rows: &mut Rows) -> Result<()> {
    each(data, rows, &mut |json, rows| object(json, rows))
}

/// JSONCompactEachRow and its header forms.
pub(super) fn read_arrays(data: &[u8], names: Head, rows: &mut Rows) -> Result<()> {
    let mut heads = match names {
        Head::None => 0,
        Head::Names => 1,
        Head::NamesAndTypes => 2,
    };
    let named = heads;
    let mut places = rows.in_order();
    each(data, rows, &mut |json, rows| {
        let Json::Array(items) = json else {
            return Err(incorrect("a row is not an array"));
        };
        if heads == 0 {
            return array(items, &places, rows);
        }
        if heads == named {
            let names: Vec<String> = items
                .iter()
                .filter_map(Json::as_str)
                .map(str::to_owned)
                .collect();
            places = rows.named(&names);
        }
        heads -= 1;
        Ok(())
    })
}

fn each(
    data: &[u8],
    rows: &mut Rows,
    row: &mut dyn FnMut(Json, &mut Rows) -> Result<()>,
) -> Result<()> {
    let mut rest = data;
    loop {
        // Rows may be separated by commas.
        let blank = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        let begin = rest
            .iter()
            .position(|byte| !blank(byte))
            .unwrap_or(rest.len());
        rest = &rest[begin..];
        if rest.is_empty() {
            return Ok(());
        }
        let mut stream = Deserializer::from_slice(rest).into_iter::<Json>();
        let json = match stream.next() {
            Some(Ok(json)) => json,
            Some(Err(error)) => {
                let what = incorrect(format!("Cannot parse JSON: {error}"));
                return Err(at_row(&what, rows.count()));
            }
            None => return Ok(()),
        };
        rest = &rest[stream.byte_offset()..];
        for json in unfold(json) {
            let outcome = row(json, rows);
            outcome.map_err(|error| at_row(&error, rows.count()))?;
        }
    }
}

/// A list of objects, or the data of a document, is many rows.
fn unfold(json: Json) -> Vec<Json> {
    if let Json::Array(items) = json {
        if !items.is_empty() && items.iter().all(Json::is_object) {
            return items;
        }
        return vec![Json::Array(items)];
    }
    if let Json::Object(mut object) = json {
        let is_list = |name: &str| object.get(name).is_some_and(Json::is_array);
        if is_list("meta")
            && is_list("data")
            && let Some(Json::Array(items)) = object.remove("data")
        {
            return items;
        }
        return vec![Json::Object(object)];
    }
    vec![json]
}

fn object(json: Json, rows: &mut Rows) -> Result<()> {
    let Json::Object(object) = json else {
        return Err(incorrect("a row is not an object"));
    };
    let mut row = vec![None; rows.width()];
    for (name, json) in object {
        let Some(place) = rows.place(&name) else {
            continue;
        };
        if let Some(slot) = row.get_mut(place) {
            *slot = value(json, &rows.ty(place), rows)?;
        }
    }
    rows.push(row);
    Ok(())
}

fn array(items: Vec<Json>, places: &Places, rows: &mut Rows) -> Result<()> {
    if items.len() != places.len() {
        let what = format!(
            "a row has {} values instead of {}",
            items.len(),
            places.len()
        );
        return Err(incorrect(what));
    }
    let mut row = vec![None; rows.width()];
    for (json, place) in items.into_iter().zip(places) {
        let Some(place) = *place else { continue };
        if let Some(slot) = row.get_mut(place) {
            *slot = value(json, &rows.ty(place), rows)?;
        }
    }
    rows.push(row);
    Ok(())
}

/// `None` is the column's default.
fn value(json: Json, ty: &Type, rows: &Rows) -> Result<Option<Value>> {
    if json.is_null() {
        return Ok(None);
    }
    let bare = ty.bare();
    let nested = |json: Json, ty: &Type| -> Result<Value> {
        Ok(value(json, ty, rows)?.unwrap_or_else(|| ty.default_value()))
    };
    let read = match (bare, json) {
        (Type::Array(item), Json::Array(items)) => {
            let items = items.into_iter().map(|json| nested(json, item));
            Value::Array(items.collect::<Result<_>>()?)
        }
        (Type::Map(key, item), Json::Object(entries)) => {
            let entries = entries.into_iter().map(|(name, json)| {
                let key = read_field(&name, key, rows.settings.timezone)?;
                Ok((key, nested(json, item)?))
            });
            Value::Map(entries.collect::<Result<_>>()?)
        }
        (_, Json::String(text)) => read_field(&text, bare, rows.settings.timezone)?,
        (Type::String, Json::Number(number)) => Value::String(number.to_string()),
        (Type::String, other) => Value::String(other.to_string()),
        (Type::Bool, Json::Bool(truth)) => Value::Bool(truth),
        (_, Json::Bool(truth)) if bare.is_number() => Value::UInt(u64::from(truth)),
        (_, Json::Number(number)) => self::number(&number, bare, rows)?,
        (_, other) => {
            return Err(incorrect(format!(
                "Cannot read a value of type {bare} from {other}"
            )));
        }
    };
    Ok(Some(read))
}

fn number(number: &serde_json::Number, ty: &Type, rows: &Rows) -> Result<Value> {
    if ty.is_integer() {
        if let Some(value) = number.as_u64() {
            return Ok(Value::UInt(value));
        }
        if let Some(value) = number.as_i64() {
            if ty.is_unsigned() {
                let what = "Unsigned type must not contain '-' symbol";
                return Err(QueryError::new(ErrorCode::CannotParseNumber, what));
            }
            return Ok(Value::Int(value));
        }
        return Err(QueryError::new(
            ErrorCode::CannotParseInputAssertionFailed,
            format!("Cannot parse input: expected an integer before: '{number}'"),
        ));
    }
    if ty.is_float() {
        return number
            .as_f64()
            .map(Value::Float)
            .ok_or_else(|| incorrect("not a number"));
    }
    if matches!(ty, Type::Bool) {
        return Ok(Value::Bool(number.as_u64() != Some(0)));
    }
    read_field(&number.to_string(), ty, rows.settings.timezone)
}
