//! Values as text, as `toString` gives it.

use std::fmt::Write;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::{
    Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::time::{Civil, DAY_S, Zone, parse_zone, power_of_ten};
use crate::types::{Quoted, Type, uuid_text};

/// Text of every row; NULL stays NULL.
pub(super) fn to_text(array: &ArrayRef, ty: &Type, zone: &str) -> DfResult<ArrayRef> {
    let tz = parse_zone(zone).map_err(QueryError::external)?;
    let mut builder = StringViewBuilder::with_capacity(array.len());
    let mut buffer = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            builder.append_null();
            continue;
        }
        if let Type::FixedString(_) = ty {
            let padded = array.as_string_view().value(row);
            builder.append_value(padded.trim_end_matches('\0'));
            continue;
        }
        buffer.clear();
        write_value(&mut buffer, array, row, ty, tz).map_err(QueryError::external)?;
        builder.append_value(&buffer);
    }
    Ok(Arc::new(builder.finish()))
}

/// Shortest text of a float, as ClickHouse writes it.
pub(crate) fn float_text(value: f64, out: &mut String) {
    if value.is_nan() {
        out.push_str("nan");
    } else if value.is_infinite() {
        out.push_str(if value > 0.0 { "inf" } else { "-inf" });
    } else if value == 0.0 {
        out.push_str(if value.is_sign_negative() { "-0" } else { "0" });
    } else {
        let mut buffer = ryu_js::Buffer::new();
        push_exponent(buffer.format_finite(value), out);
    }
}

fn float32_text(value: f32, out: &mut String) {
    if !value.is_finite() || value == 0.0 {
        return float_text(f64::from(value), out);
    }
    let mut buffer = ryu_js::Buffer::new();
    push_exponent(buffer.format_finite(value), out);
}

/// JavaScript writes `1e+21`, ClickHouse `1e21`.
fn push_exponent(text: &str, out: &mut String) {
    out.extend(text.chars().filter(|c| *c != '+'));
}

fn mismatch(ty: &Type) -> QueryError {
    QueryError::new(
        ErrorCode::LogicalError,
        format!("a value of type {ty} has another form"),
    )
}

/// Appends the text of one value that is not NULL.
pub(crate) fn write_value(
    out: &mut String,
    array: &ArrayRef,
    row: usize,
    ty: &Type,
    tz: Tz,
) -> Result<()> {
    write_bare(out, array, row, ty, tz).ok_or_else(|| mismatch(ty))
}

macro_rules! number {
    ($out:expr, $array:expr, $row:expr, $arrow:ty) => {
        write!($out, "{}", $array.as_primitive_opt::<$arrow>()?.value($row)).ok()?
    };
}

fn write_bare(out: &mut String, array: &ArrayRef, row: usize, ty: &Type, tz: Tz) -> Option<()> {
    match ty {
        Type::UInt8 => number!(out, array, row, UInt8Type),
        Type::UInt16 => number!(out, array, row, UInt16Type),
        Type::UInt32 => number!(out, array, row, UInt32Type),
        Type::UInt64 => number!(out, array, row, UInt64Type),
        Type::Int8 => number!(out, array, row, Int8Type),
        Type::Int16 => number!(out, array, row, Int16Type),
        Type::Int32 => number!(out, array, row, Int32Type),
        Type::Int64 | Type::Interval(_) => number!(out, array, row, Int64Type),
        Type::Float32 => float32_text(array.as_primitive_opt::<Float32Type>()?.value(row), out),
        Type::Float64 => float_text(array.as_primitive_opt::<Float64Type>()?.value(row), out),
        Type::Bool => {
            let flag = array.as_boolean_opt()?.value(row);
            out.push_str(if flag { "true" } else { "false" });
        }
        Type::String | Type::FixedString(_) => {
            out.push_str(array.as_string_view_opt()?.value(row));
        }
        Type::Date => {
            date_text(
                array.as_primitive_opt::<UInt16Type>()?.value(row).into(),
                out,
            );
        }
        Type::Date32 => {
            date_text(
                array.as_primitive_opt::<Int32Type>()?.value(row).into(),
                out,
            );
        }
        Type::DateTime(own) => {
            let seconds = array.as_primitive_opt::<UInt32Type>()?.value(row);
            time_text(seconds.into(), zone_of(own.as_deref(), tz), out);
        }
        Type::DateTime64(scale, own) => {
            let ticks = array.as_primitive_opt::<Int64Type>()?.value(row);
            let per_second = power_of_ten(*scale);
            time_text(
                ticks.div_euclid(per_second),
                zone_of(own.as_deref(), tz),
                out,
            );
            if *scale > 0 {
                let (fraction, width) = (ticks.rem_euclid(per_second), usize::from(*scale));
                write!(out, ".{fraction:0width$}").ok()?;
            }
        }
        Type::Uuid => out.push_str(&uuid_text(array.as_fixed_size_binary_opt()?.value(row))),
        Type::Enum8(items) => {
            let number = array.as_primitive_opt::<Int8Type>()?.value(row);
            let name = items
                .iter()
                .find(|(_, n)| *n == number)
                .map_or("", |(name, _)| name);
            out.push_str(name);
        }
        Type::Decimal(_, scale) => {
            decimal_text(
                array.as_primitive_opt::<Decimal128Type>()?.value(row),
                *scale,
                out,
            );
        }
        Type::Array(_) | Type::Tuple(_) | Type::Map(..) => write_nested(out, array, row, ty, tz)?,
        Type::Nullable(inner) | Type::LowCardinality(inner) => {
            write_bare(out, array, row, inner, tz)?;
        }
        Type::Nothing => {}
    }
    Some(())
}

fn zone_of(own: Option<&str>, default: Tz) -> Tz {
    own.and_then(|name| name.parse().ok()).unwrap_or(default)
}

fn date_text(day: i64, out: &mut String) {
    let Civil { year, month, day } = Civil::of(day);
    let written = write!(out, "{year:04}-{month:02}-{day:02}");
    debug_assert!(written.is_ok());
}

fn time_text(utc_s: i64, tz: Tz, out: &mut String) {
    let local = Zone::new(tz).local_s(utc_s);
    date_text(local.div_euclid(DAY_S), out);
    let clock = local.rem_euclid(DAY_S);
    let written = write!(
        out,
        " {:02}:{:02}:{:02}",
        clock / 3600,
        clock / 60 % 60,
        clock % 60
    );
    debug_assert!(written.is_ok());
}

/// Without trailing zeros of the fraction.
fn decimal_text(units: i128, scale: u8, out: &mut String) {
    let width = usize::from(scale) + 1;
    let digits = format!("{:0width$}", units.unsigned_abs());
    let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
    if units < 0 {
        out.push('-');
    }
    out.push_str(whole);
    let fraction = fraction.trim_end_matches('0');
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
}

fn write_nested(out: &mut String, array: &ArrayRef, row: usize, ty: &Type, tz: Tz) -> Option<()> {
    if let Type::Array(item) = ty {
        let items = array.as_list_opt::<i32>()?.value(row);
        out.push('[');
        for i in 0..items.len() {
            out.push_str(if i > 0 { "," } else { "" });
            write_item(out, &items, i, item, tz)?;
        }
        out.push(']');
    } else if let Type::Tuple(fields) = ty {
        let tuple = array.as_struct_opt()?;
        out.push('(');
        for (i, ((_, field), column)) in fields.iter().zip(tuple.columns()).enumerate() {
            out.push_str(if i > 0 { "," } else { "" });
            write_item(out, column, row, field, tz)?;
        }
        out.push(')');
    } else if let Type::Map(key, value) = ty {
        let entries = array.as_map_opt()?.value(row);
        out.push('{');
        for i in 0..entries.len() {
            out.push_str(if i > 0 { "," } else { "" });
            write_item(out, entries.column(0), i, key, tz)?;
            out.push(':');
            write_item(out, entries.column(1), i, value, tz)?;
        }
        out.push('}');
    }
    Some(())
}

/// Inside arrays, tuples and maps everything but numbers is quoted.
fn write_item(out: &mut String, array: &ArrayRef, row: usize, ty: &Type, tz: Tz) -> Option<()> {
    if array.is_null(row) {
        out.push_str("NULL");
        return Some(());
    }
    let bare = ty.bare();
    let quoted = bare.is_text() || bare.is_time() || matches!(bare, Type::Uuid | Type::Enum8(_));
    if !quoted {
        return write_bare(out, array, row, bare, tz);
    }
    let mut text = String::new();
    write_bare(&mut text, array, row, bare, tz)?;
    write!(out, "{}", Quoted(&text)).ok()
}
