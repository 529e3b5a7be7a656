//! Text of one value: as it is, backslash-escaped, or as a quoted literal. What NULL looks like at
//! the top of a row is the format's business; inside arrays, maps and tuples it is `NULL`.

use super::column::{Column, Values, item_range};
use super::date_time::{push_date, push_date_time, push_date_time64};
use super::escape::{push_backslashed, push_quoted};
use super::number::{push_decimal, push_float32, push_float64, push_integer};

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// As it is.
    Plain,
    /// Strings escaped with backslashes.
    Escaped,
    /// Strings, dates, UUIDs and enums in single quotes; the form of every value inside another.
    Quoted,
}

/// Writes the value of a row that is not NULL.
pub(super) fn push_text(column: &Column<'_>, row: usize, form: Text, out: &mut Vec<u8>) {
    match &column.values {
        Values::UInt8(values) => push_integer(values[row], out),
        Values::UInt16(values) => push_integer(values[row], out),
        Values::UInt32(values) => push_integer(values[row], out),
        Values::UInt64(values) => push_integer(values[row], out),
        Values::Int8(values) => push_integer(values[row], out),
        Values::Int16(values) => push_integer(values[row], out),
        Values::Int32(values) => push_integer(values[row], out),
        Values::Int64(values) | Values::Interval(values) => push_integer(values[row], out),
        Values::Float32(values) => push_float32(values[row], out),
        Values::Float64(values) => push_float64(values[row], out),
        Values::Decimal(values, _, scale, zeros) => push_decimal(values[row], *scale, *zeros, out),
        Values::Bool(values) => push_bool(values.value(row), out),
        Values::String(values) => push_string(values.value(row).as_bytes(), form, out),
        Values::FixedString(values, length) => {
            push_string(&padded(values.value(row), *length), form, out);
        }
        Values::Enum8(values, names) => push_string(enum_name(names, values[row]), form, out),
        Values::Date(_)
        | Values::Date32(_)
        | Values::DateTime(..)
        | Values::DateTime64(..)
        | Values::Uuid(_) => {
            if form == Text::Quoted {
                out.push(b'\'');
                push_bare(column, row, out);
                out.push(b'\'');
            } else {
                push_bare(column, row, out);
            }
        }
        Values::Array(offsets, items) => {
            out.push(b'[');
            for (at, item) in item_range(offsets, row).enumerate() {
                push_comma(at, out);
                push_nested(items, item, out);
            }
            out.push(b']');
        }
        Values::Map(offsets, entries) => {
            out.push(b'{');
            for (at, entry) in item_range(offsets, row).enumerate() {
                push_comma(at, out);
                push_nested(&entries.0, entry, out);
                out.push(b':');
                push_nested(&entries.1, entry, out);
            }
            out.push(b'}');
        }
        Values::Tuple(fields) => {
            out.push(b'(');
            for (at, (_, field)) in fields.iter().enumerate() {
                push_comma(at, out);
                push_nested(field, row, out);
            }
            out.push(b')');
        }
        Values::Nothing => out.extend_from_slice(b"NULL"),
    }
}

/// A value inside another one.
pub(super) fn push_nested(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.extend_from_slice(b"NULL");
    } else {
        push_text(column, row, Text::Quoted, out);
    }
}

/// Values whose text never needs escaping and that are quoted where strings are: dates, times,
/// UUIDs.
pub(super) fn push_bare(column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
    match &column.values {
        Values::Date(days) => push_date(i64::from(days[row]), out),
        Values::Date32(days) => push_date(i64::from(days[row]), out),
        Values::DateTime(seconds, zone, format) => {
            push_date_time(i64::from(seconds[row]), zone, *format, out);
        }
        Values::DateTime64(ticks, precision, zone, format) => {
            push_date_time64(ticks[row], *precision, zone, *format, out);
        }
        Values::Uuid(ids) => push_uuid(ids.value(row), out),
        Values::UInt8(_)
        | Values::UInt16(_)
        | Values::UInt32(_)
        | Values::UInt64(_)
        | Values::Int8(_)
        | Values::Int16(_)
        | Values::Int32(_)
        | Values::Int64(_)
        | Values::Interval(_)
        | Values::Float32(_)
        | Values::Float64(_)
        | Values::Decimal(..)
        | Values::Bool(_)
        | Values::String(_)
        | Values::FixedString(..)
        | Values::Enum8(..)
        | Values::Array(..)
        | Values::Map(..)
        | Values::Tuple(_)
        | Values::Nothing => push_text(column, row, Text::Plain, out),
    }
}

/// `true` or `false`.
pub(super) fn push_bool(value: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if value { b"true" } else { b"false" });
}

/// The bytes of a `FixedString`, zeros at the end included.
pub(super) fn padded(value: &str, length: usize) -> Vec<u8> {
    let mut bytes = value.as_bytes().to_vec();
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

/// The name of an enum's number; empty when there is none.
pub(super) fn enum_name(names: &[(String, i8)], number: i8) -> &[u8] {
    names
        .binary_search_by_key(&number, |(_, number)| *number)
        .ok()
        .and_then(|at| names.get(at))
        .map_or(b"", |(name, _)| name.as_bytes())
}

fn push_string(bytes: &[u8], form: Text, out: &mut Vec<u8>) {
    match form {
        Text::Plain => out.extend_from_slice(bytes),
        Text::Escaped => push_backslashed(bytes, out),
        Text::Quoted => push_quoted(bytes, out),
    }
}

fn push_comma(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}

fn push_uuid(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in bytes.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        out.push(HEX[usize::from(byte >> 4)]);
        out.push(HEX[usize::from(byte & 15)]);
    }
}
