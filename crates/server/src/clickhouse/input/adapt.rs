//! A value of one type as a value of another, as far as clients send other types than the table has.

use cairn_query::{ErrorCode, QueryError, Type, Value};
use chrono_tz::Tz;

use super::Result;
use super::literal::read_field;

/// Turns a value of type `from` into one of type `to`. NULL becomes the default.
pub(in crate::clickhouse) fn adapt(
    value: Value,
    from: &Type,
    to: &Type,
    timezone: Tz,
) -> Result<Value> {
    let (from, to) = (from.bare(), to.bare());
    if value.is_null() {
        return Ok(to.default_value());
    }
    if from == to {
        return Ok(value);
    }
    let refused = || {
        QueryError::new(
            ErrorCode::CannotConvertType,
            format!("Cannot convert a value of type {from} to {to}"),
        )
    };
    if let (Type::Array(from), Type::Array(to), Value::Array(items)) = (from, to, &value) {
        let items = items
            .iter()
            .map(|item| adapt(item.clone(), from, to, timezone));
        return Ok(Value::Array(items.collect::<Result<_>>()?));
    }
    if let (Type::Map(key, item), Type::Map(to_key, to_item), Value::Map(entries)) =
        (from, to, &value)
    {
        let entries = entries.iter().map(|(k, v)| {
            let key = adapt(k.clone(), key, to_key, timezone)?;
            Ok((key, adapt(v.clone(), item, to_item, timezone)?))
        });
        return Ok(Value::Map(entries.collect::<Result<_>>()?));
    }
    if let Some(text) = value.as_text() {
        return read_field(text, to, timezone);
    }
    if is_time(from) && is_time(to) {
        return time(&value, ticks(from), ticks(to)).ok_or_else(refused);
    }
    if matches!(to, Type::String) {
        return plain_text(&value).map(Value::String).ok_or_else(refused);
    }
    let numbers = (from.is_number() || matches!(from, Type::Bool)) && to.is_number();
    let epochs = from.is_integer() && is_time(to);
    if numbers {
        return Ok(value);
    }
    if epochs {
        return time(&value, 1, ticks(to)).ok_or_else(refused);
    }
    Err(refused())
}

fn is_time(ty: &Type) -> bool {
    matches!(ty, Type::DateTime(_) | Type::DateTime64(..))
}

/// How many units of a time a second has.
fn ticks(ty: &Type) -> i128 {
    if let Type::DateTime64(precision, _) = ty {
        return 10_i128.pow(u32::from(*precision));
    }
    1
}

fn time(value: &Value, from: i128, to: i128) -> Option<Value> {
    let units = value.as_i128()?.checked_mul(to)?.div_euclid(from);
    if to == 1 {
        return u64::try_from(units).ok().map(Value::UInt);
    }
    i64::try_from(units).ok().map(Value::Int)
}

fn plain_text(value: &Value) -> Option<String> {
    if let Value::Float(number) = value {
        return Some(number.to_string());
    }
    if let Value::Bool(truth) = value {
        return Some(truth.to_string());
    }
    value.as_i128().map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_numbers_fit_where_they_can() {
        let ty = |text: &str| text.parse::<Type>().unwrap();
        for (value, from, to, expected) in [
            (Value::UInt(7), "UInt8", "UInt64", Some(Value::UInt(7))),
            (
                Value::UInt(7),
                "DateTime",
                "DateTime64(9)",
                Some(Value::Int(7_000_000_000)),
            ),
            (
                Value::Int(7_500),
                "DateTime64(3)",
                "DateTime64(9)",
                Some(Value::Int(7_500_000_000)),
            ),
            (
                Value::Int(7_500),
                "DateTime64(3)",
                "DateTime",
                Some(Value::UInt(7)),
            ),
            (
                Value::UInt(7),
                "UInt8",
                "String",
                Some(Value::String("7".to_owned())),
            ),
            (
                Value::String("7".to_owned()),
                "String",
                "UInt8",
                Some(Value::UInt(7)),
            ),
            (
                Value::Null,
                "Nullable(UInt8)",
                "UInt8",
                Some(Value::UInt(0)),
            ),
            (Value::Array(vec![]), "Array(UInt8)", "UInt8", None),
        ] {
            let adapted = adapt(value, &ty(from), &ty(to), Tz::UTC);
            assert_eq!(adapted.ok(), expected, "{from} to {to}");
        }
    }
}
