//! Text to values, one type at a time.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{
    Array, ArrayRef, BooleanBuilder, FixedSizeBinaryBuilder, PrimitiveBuilder, StringViewArray,
    StringViewBuilder,
};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, Decimal128Type, Float64Type, Int8Type, Int64Type, UInt64Type,
};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::parse;
use crate::functions::time::{DAY_S, Zone, power_of_ten, rescale};
use crate::functions::wrap::wrap;
use crate::types::Type;

/// What becomes of text that does not spell a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnBad {
    /// The query ends with an error.
    Fail,
    /// NULL
    Null,
    /// The type's default value.
    Default,
}

/// What reading text needs to know.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) on_bad: OnBad,
    pub(super) tz: Tz,
}

/// Values of a type that the text spells; NULL stays NULL.
pub(super) fn read(texts: &StringViewArray, to: &Type, how: Reading) -> DfResult<ArrayRef> {
    let physical = to.arrow();
    match to {
        Type::Float32 | Type::Float64 => {
            let parsed = each::<Float64Type>(texts, how, |text| {
                parse::float(text).map_err(|bad| bad.error(text, &to.to_string(), true))
            })?;
            wrap(&parsed, &physical)
        }
        Type::Date | Type::Date32 => {
            let days = each::<Int64Type>(texts, how, |text| read_date(text, how.tz))?;
            wrap(&days, &physical)
        }
        Type::DateTime(_) => {
            let zone = Zone::new(how.tz);
            let seconds = each::<Int64Type>(texts, how, |text| {
                let instant = parse::time(text, &zone).ok_or_else(|| bad_time(text, to))?;
                Ok(instant.utc_s.clamp(0, i64::from(u32::MAX)))
            })?;
            wrap(&seconds, &physical)
        }
        Type::DateTime64(scale, _) => {
            let zone = Zone::new(how.tz);
            let scale = *scale;
            each::<Int64Type>(texts, how, |text| {
                let instant = parse::time(text, &zone).ok_or_else(|| bad_time(text, to))?;
                let fraction = rescale(instant.fraction_ns, 9, scale);
                let ticks = instant.utc_s.checked_mul(power_of_ten(scale));
                ticks.and_then(|t| t.checked_add(fraction)).ok_or_else(|| {
                    QueryError::new(ErrorCode::DecimalOverflow, "DateTime64 convert overflow")
                })
            })
        }
        Type::Bool => read_bools(texts, how),
        Type::Uuid => read_uuids(texts, how),
        Type::Enum8(items) => each::<Int8Type>(texts, how, |text| {
            items
                .iter()
                .find(|(name, _)| name == text)
                .map(|(_, number)| *number)
                .ok_or_else(|| {
                    let what = format!("Unknown element '{text}' for enum");
                    QueryError::new(ErrorCode::UnknownElementOfEnum, what)
                })
        }),
        Type::Decimal(_, scale) => {
            let scale = *scale;
            let units = each::<Decimal128Type>(texts, how, |text| read_decimal(text, scale))?;
            let typed = datafusion::arrow::array::AsArray::as_primitive::<Decimal128Type>(&units);
            Ok(Arc::new(typed.clone().with_data_type(physical)))
        }
        Type::FixedString(bytes) => fixed(texts, *bytes),
        _ if to.is_integer() => read_integers(texts, to, how),
        _ => Err(QueryError::new(
            ErrorCode::NotImplemented,
            format!("Conversion from String to {to} is not supported"),
        )
        .external()),
    }
}

/// Values that texts spell, for data that comes from outside a query.
pub(crate) fn convert_texts(texts: &StringViewArray, to: &Type, tz: Tz) -> Result<ArrayRef> {
    let how = Reading {
        on_bad: OnBad::Fail,
        tz,
    };
    Ok(read(texts, to, how)?)
}

/// Parses every text; a bad one ends as `how` says.
fn each<T: ArrowPrimitiveType>(
    texts: &StringViewArray,
    how: Reading,
    mut parse: impl FnMut(&str) -> Result<T::Native>,
) -> DfResult<ArrayRef> {
    let mut builder = PrimitiveBuilder::<T>::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) {
            builder.append_null();
            continue;
        }
        match (parse(texts.value(row)), how.on_bad) {
            (Ok(value), _) => builder.append_value(value),
            (Err(error), OnBad::Fail) => return Err(error.external()),
            (Err(_), OnBad::Null) => builder.append_null(),
            (Err(_), OnBad::Default) => builder.append_value(T::Native::default()),
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn read_integers(texts: &StringViewArray, to: &Type, how: Reading) -> DfResult<ArrayRef> {
    let name = to.to_string();
    let bits = to.bits();
    let signed = to.is_signed();
    let low = each::<UInt64Type>(texts, how, |text| {
        let value = parse::integer(text).map_err(|bad| bad.error(text, &name, false))?;
        let negative_unsigned = !signed && text.starts_with('-');
        if negative_unsigned {
            let bad = parse::BadNumber::Malformed;
            return Err(bad.error(text, &name, false));
        }
        let fits = if signed {
            value >= -(1_i128 << (bits - 1)) && value < 1_i128 << (bits - 1)
        } else {
            value < 1_i128 << bits
        };
        if !fits && how.on_bad != OnBad::Fail {
            return Err(parse::BadNumber::Malformed.error(text, &name, false));
        }
        Ok(u64::try_from(value & i128::from(u64::MAX)).unwrap_or(0))
    })?;
    wrap(&low, &to.arrow())
}

fn read_date(text: &str, tz: Tz) -> Result<i64> {
    if let Some(day) = parse::date(text) {
        return Ok(day);
    }
    let zone = Zone::new(tz);
    parse::time(text, &zone)
        .filter(|_| text.len() > 6)
        .map(|instant| zone.local_s(instant.utc_s).div_euclid(DAY_S))
        .ok_or_else(|| {
            QueryError::new(
                ErrorCode::CannotParseDate,
                format!("Cannot parse date here: {}", head(text)),
            )
        })
}

fn head(text: &str) -> String {
    text.chars().take(100).collect()
}

fn bad_time(text: &str, to: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::CannotParseDatetime,
        format!("Cannot parse {to} from string '{}'", head(text)),
    )
}

fn read_bools(texts: &StringViewArray, how: Reading) -> DfResult<ArrayRef> {
    let mut builder = BooleanBuilder::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) {
            builder.append_null();
            continue;
        }
        let text = texts.value(row);
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "t" | "y" | "yes" | "on" | "enable" | "enabled" => {
                builder.append_value(true);
            }
            "false" | "0" | "f" | "n" | "no" | "off" | "disable" | "disabled" => {
                builder.append_value(false);
            }
            _ => match how.on_bad {
                OnBad::Fail => {
                    let what = format!("Cannot parse boolean value here: '{}'", head(text));
                    return Err(QueryError::new(ErrorCode::CannotParseBool, what).external());
                }
                OnBad::Null => builder.append_null(),
                OnBad::Default => builder.append_value(false),
            },
        }
    }
    Ok(Arc::new(builder.finish()))
}

fn read_uuids(texts: &StringViewArray, how: Reading) -> DfResult<ArrayRef> {
    let mut builder = FixedSizeBinaryBuilder::with_capacity(texts.len(), 16);
    for row in 0..texts.len() {
        if texts.is_null(row) {
            builder.append_null();
            continue;
        }
        let text = texts.value(row);
        match (uuid::Uuid::parse_str(text), how.on_bad) {
            (Ok(id), _) => builder.append_value(id.as_bytes())?,
            (Err(_), OnBad::Fail) => {
                let what = format!("Cannot parse UUID from String '{}'", head(text));
                return Err(QueryError::new(ErrorCode::CannotParseUuid, what).external());
            }
            (Err(_), OnBad::Null) => builder.append_null(),
            (Err(_), OnBad::Default) => builder.append_value([0_u8; 16])?,
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Decimal text to units of 10^-scale; digits beyond the scale are cut.
fn read_decimal(text: &str, scale: u8) -> Result<i128> {
    let bad = || parse::BadNumber::Malformed.error(text, "Decimal", false);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || text.is_empty() {
        return Err(bad());
    }
    let negative = whole.starts_with('-');
    let whole = if matches!(whole, "" | "-" | "+") && !fraction.is_empty() {
        "0"
    } else {
        whole
    };
    let mut units = parse::integer(whole).map_err(|_| bad())?;
    for i in 0..usize::from(scale) {
        let digit = fraction
            .as_bytes()
            .get(i)
            .map_or(0, |b| i128::from(b - b'0'));
        let signed = if negative { -digit } else { digit };
        units = units
            .checked_mul(10)
            .and_then(|u| u.checked_add(signed))
            .ok_or_else(|| QueryError::new(ErrorCode::DecimalOverflow, "Decimal overflow"))?;
    }
    Ok(units)
}

/// Padded with zero bytes; longer texts do not fit.
fn fixed(texts: &StringViewArray, bytes: u32) -> DfResult<ArrayRef> {
    let size = usize::try_from(bytes).unwrap_or(usize::MAX);
    let mut builder = StringViewBuilder::with_capacity(texts.len());
    for row in 0..texts.len() {
        if texts.is_null(row) {
            builder.append_null();
            continue;
        }
        let text = texts.value(row);
        if text.len() > size {
            let what = format!("String too long for type FixedString({bytes})");
            return Err(QueryError::new(ErrorCode::TooLargeStringSize, what).external());
        }
        let padding = "\0".repeat(size - text.len());
        builder.append_value(format!("{text}{padding}"));
    }
    Ok(Arc::new(builder.finish()))
}
