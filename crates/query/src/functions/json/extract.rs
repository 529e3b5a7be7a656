//! `JSONExtract(…, 'T')`: a part of a document as a value of any type. What does not fit gives the type's default.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewArray};
use datafusion::error::Result as DfResult;

use super::field::{Documents, check};
use super::value::Json;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::convert::{Caster, OnBad, caster};
use crate::functions::kernel::{Context, Resolved};
use crate::functions::rows::validity;
use crate::functions::signature::{Call, Entry, MANY, raw};
use crate::types::{Type, Value, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    raw("JSONExtract", (2, MANY), extract),
    raw("JSONExtractKeysAndValues", (2, MANY), keys_and_values),
    raw("JSONExtractKeysAndValuesRaw", (1, MANY), |call| {
        pairs(call, call.args.len(), &Reader::Raw, &Type::String)
    }),
];

/// How a JSON value becomes a value of a type.
#[derive(Clone)]
enum Reader {
    /// The document's own text.
    Raw,
    Text,
    Number(Type),
    Bool,
    /// Read from text by the conversion of the dialect.
    Parsed(Type, Caster),
    Nullable(Box<Self>),
    Array(Box<Self>, Type),
    Tuple(Vec<(Option<String>, Self, Type)>),
    Map(Box<Self>, Type),
}

impl Reader {
    fn of(ty: &Type, context: &Context) -> Result<Self> {
        Ok(match ty {
            Type::String => Self::Text,
            Type::Bool => Self::Bool,
            Type::LowCardinality(inner) => Self::of(inner, context)?,
            Type::Nullable(inner) => Self::Nullable(Box::new(Self::of(inner, context)?)),
            Type::Array(item) => Self::Array(Box::new(Self::of(item, context)?), (**item).clone()),
            Type::Tuple(items) => Self::Tuple(
                items
                    .iter()
                    .map(|(name, ty)| Ok((name.clone(), Self::of(ty, context)?, ty.clone())))
                    .collect::<Result<_>>()?,
            ),
            Type::Map(key, value) if key.bare().is_text() => {
                Self::Map(Box::new(Self::of(value, context)?), (**value).clone())
            }
            Type::Map(..) => return Err(unsupported(ty)),
            _ if ty.is_integer() || ty.is_float() => Self::Number(ty.clone()),
            _ => Self::Parsed(
                ty.clone(),
                caster(&Type::String, &ty.nullable(), OnBad::Null, context)?,
            ),
        })
    }

    /// The value; nothing when it does not fit.
    fn read(&self, json: &Json) -> Option<Value> {
        match self {
            Self::Raw => Some(Value::String(json.to_string())),
            Self::Text => Some(Value::String(match json {
                Json::Null => return None,
                Json::String(text) => text.clone(),
                Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                    json.to_string()
                }
            })),
            Self::Bool => match json {
                Json::Bool(flag) => Some(Value::Bool(*flag)),
                Json::Number(number) => Some(Value::Bool(number.as_f64()? != 0.0)),
                Json::Null | Json::String(_) | Json::Array(_) | Json::Object(_) => None,
            },
            Self::Number(ty) => number(json, ty),
            Self::Parsed(ty, cast) => {
                let text = match json {
                    Json::String(text) => text.clone(),
                    Json::Number(number) => number.to_string(),
                    Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => return None,
                };
                let array: ArrayRef = Arc::new(StringViewArray::from_iter_values([text]));
                let read = cast(&array).ok()?;
                let value = Value::from_array(&read, 0, ty).ok()?;
                (!value.is_null()).then_some(value)
            }
            Self::Nullable(inner) => match json {
                Json::Null => Some(Value::Null),
                _ => inner.read(json),
            },
            Self::Array(..) | Self::Tuple(_) | Self::Map(..) => self.read_nested(json),
        }
    }

    fn read_nested(&self, json: &Json) -> Option<Value> {
        match (self, json) {
            (Self::Array(reader, item), Json::Array(items)) => {
                let read: Vec<Option<Value>> = items.iter().map(|item| reader.read(item)).collect();
                if !items.is_empty() && read.iter().all(Option::is_none) {
                    return None;
                }
                let filled = read.into_iter();
                Some(Value::Array(
                    filled
                        .map(|value| value.unwrap_or_else(|| item.default_value()))
                        .collect(),
                ))
            }
            (Self::Tuple(fields), Json::Array(items)) => Some(Value::Tuple(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, (_, reader, ty))| {
                        let item = items.get(i).and_then(|item| reader.read(item));
                        item.unwrap_or_else(|| ty.default_value())
                    })
                    .collect(),
            )),
            (Self::Tuple(fields), Json::Object(entries)) => Some(Value::Tuple(
                fields
                    .iter()
                    .enumerate()
                    .map(|(i, (name, reader, ty))| {
                        let entry = match name {
                            Some(name) => entries.iter().find(|(key, _)| key == name),
                            None => entries.get(i),
                        };
                        let item = entry.and_then(|(_, item)| reader.read(item));
                        item.unwrap_or_else(|| ty.default_value())
                    })
                    .collect(),
            )),
            (Self::Map(reader, ty), Json::Object(entries)) => Some(Value::Map(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let value = reader.read(value).unwrap_or_else(|| ty.default_value());
                        (Value::String(key.clone()), value)
                    })
                    .collect(),
            )),
            _ => None,
        }
    }
}

fn unsupported(ty: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!("{ty} cannot be extracted from JSON"),
    )
}

/// A number from a number, a text that is one, or a Bool, when it is in the type's range.
#[expect(
    clippy::cast_possible_truncation,
    reason = "only floats without a fraction and within the range are cut"
)]
fn number(json: &Json, ty: &Type) -> Option<Value> {
    let parsed;
    let number = match json {
        Json::Number(number) => number,
        Json::String(text) => {
            parsed = text.parse::<serde_json::Number>().ok()?;
            &parsed
        }
        Json::Bool(flag) => {
            return Some(if ty.is_float() {
                Value::Float(f64::from(u8::from(*flag)))
            } else {
                Value::UInt(u64::from(*flag))
            });
        }
        Json::Null | Json::Array(_) | Json::Object(_) => return None,
    };
    if ty.is_float() {
        return number.as_f64().map(Value::Float);
    }
    let whole = number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
        .or_else(|| {
            let float = number.as_f64()?;
            let fits = float.fract() == 0.0 && float.abs() < 1e19;
            fits.then_some(float as i128)
        })?;
    let bits = ty.bits();
    let (low, high) = if ty.is_signed() {
        (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1)
    } else {
        (0, (1_i128 << bits) - 1)
    };
    if !(low..=high).contains(&whole) {
        return None;
    }
    match u64::try_from(whole) {
        Ok(value) => Some(Value::UInt(value)),
        Err(_) => i64::try_from(whole).ok().map(Value::Int),
    }
}

/// The call without its last argument, the type, and that type.
fn without_type<'a>(call: &'a Call<'_>) -> Result<(Call<'a>, Type)> {
    let last = call.args.len() - 1;
    let ty: Type = call.constant_text(last)?.parse()?;
    let args = call.args.get(..last).unwrap_or_default();
    let inner = Call {
        name: call.name,
        args,
        context: call.context,
    };
    Ok((inner, ty))
}

fn bare_check(call: &Call<'_>) -> Result<()> {
    let bare: Vec<_> = call
        .args
        .iter()
        .map(|arg| crate::functions::Argument {
            ty: arg.ty.bare().clone(),
            constant: arg.constant.clone(),
        })
        .collect();
    check(&Call {
        name: call.name,
        args: &bare,
        context: call.context,
    })
}

fn extract(call: &Call<'_>) -> Result<Resolved> {
    let (inner, ty) = without_type(call)?;
    bare_check(&inner)?;
    let reader = Reader::of(&ty, call.context)?;
    let path = inner.args.len();
    let result = ty.clone();
    Ok(Resolved::new(result, move |cols, rows| {
        let cols = cols.get(..path).unwrap_or_default();
        let documents = Documents::of(cols)?;
        let mask = validity(cols, rows);
        let values: Vec<Value> = (0..rows)
            .map(|row| {
                let known = mask.as_ref().is_none_or(|mask| mask.is_valid(row));
                let found = if known { documents.find(row) } else { None };
                let value = found.and_then(|json| reader.read(&json));
                value.unwrap_or_else(|| ty.default_value())
            })
            .collect();
        to_array(&ty, &values)
    }))
}

fn to_array(ty: &Type, values: &[Value]) -> DfResult<ArrayRef> {
    values_to_array(ty, values).map_err(QueryError::external)
}

fn keys_and_values(call: &Call<'_>) -> Result<Resolved> {
    let (inner, ty) = without_type(call)?;
    let reader = Reader::of(&ty, call.context)?;
    pairs(&inner, inner.args.len(), &reader, &ty)
}

fn pairs(call: &Call<'_>, path: usize, reader: &Reader, ty: &Type) -> Result<Resolved> {
    bare_check(call)?;
    let pair = Type::Tuple(vec![(None, Type::String), (None, ty.clone())]);
    let result = Type::Array(Box::new(pair));
    let (physical, reader) = (result.clone(), reader.clone());
    Ok(Resolved::new(result, move |cols, rows| {
        let cols = cols.get(..path).unwrap_or_default();
        let documents = Documents::of(cols)?;
        let mask = validity(cols, rows);
        let values: Vec<Value> = (0..rows)
            .map(|row| {
                let known = mask.as_ref().is_none_or(|mask| mask.is_valid(row));
                let found = if known { documents.find(row) } else { None };
                let Some(Json::Object(entries)) = found else {
                    return Value::Array(Vec::new());
                };
                let kept = entries.into_iter().filter_map(|(key, value)| {
                    let value = reader.read(&value)?;
                    Some(Value::Tuple(vec![Value::String(key), value]))
                });
                Value::Array(kept.collect())
            })
            .collect();
        to_array(&physical, &values)
    }))
}
