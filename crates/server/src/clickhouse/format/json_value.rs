//! One value as JSON.

use super::column::{Column, Values, item_range};
use super::escape::push_json_string;
use super::number::{push_decimal, push_float32, push_float64, push_integer};
use super::settings::{Switch, Switches};
use super::value::{Text, enum_name, padded, push_bare, push_bool, push_text};

/// Writes the value of a row, NULL included.
pub(super) fn push_json(column: &Column<'_>, row: usize, switches: Switches, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.extend_from_slice(b"null");
        return;
    }
    match &column.values {
        Values::UInt8(values) => push_integer(values[row], out),
        Values::UInt16(values) => push_integer(values[row], out),
        Values::UInt32(values) => push_integer(values[row], out),
        Values::Int8(values) => push_integer(values[row], out),
        Values::Int16(values) => push_integer(values[row], out),
        Values::Int32(values) => push_integer(values[row], out),
        Values::UInt64(values) => {
            quoted_if(switches.has(Switch::QuoteIntegers), out, |out| {
                push_integer(values[row], out);
            });
        }
        Values::Int64(values) | Values::Interval(values) => {
            quoted_if(switches.has(Switch::QuoteIntegers), out, |out| {
                push_integer(values[row], out);
            });
        }
        Values::Float32(values) => {
            let value = values[row];
            push_json_float(value.is_finite(), false, switches, out, |out| {
                push_float32(value, out);
            });
        }
        Values::Float64(values) => {
            let value = values[row];
            let quote = switches.has(Switch::QuoteFloats);
            push_json_float(value.is_finite(), quote, switches, out, |out| {
                push_float64(value, out);
            });
        }
        Values::Decimal(values, _, scale, zeros) => {
            quoted_if(switches.has(Switch::QuoteDecimals), out, |out| {
                push_decimal(values[row], *scale, *zeros, out);
            });
        }
        Values::Bool(values) => push_bool(values.value(row), out),
        Values::String(values) => push_string(values.value(row).as_bytes(), switches, out),
        Values::FixedString(values, length) => {
            push_string(&padded(values.value(row), *length), switches, out);
        }
        Values::Enum8(values, names) => push_string(enum_name(names, values[row]), switches, out),
        Values::Date(_)
        | Values::Date32(_)
        | Values::DateTime(..)
        | Values::DateTime64(..)
        | Values::Uuid(_) => quoted_if(true, out, |out| push_bare(column, row, out)),
        Values::Array(offsets, items) => {
            out.push(b'[');
            for (at, item) in item_range(offsets, row).enumerate() {
                push_comma(at, out);
                push_json(items, item, switches, out);
            }
            out.push(b']');
        }
        Values::Map(offsets, entries) => {
            out.push(b'{');
            for (at, entry) in item_range(offsets, row).enumerate() {
                push_comma(at, out);
                push_key(&entries.0, entry, switches, out);
                push_json(&entries.1, entry, switches, out);
            }
            out.push(b'}');
        }
        Values::Tuple(fields) => push_tuple(fields, row, switches, out),
        Values::Nothing => out.extend_from_slice(b"null"),
    }
}

fn push_tuple(
    fields: &[(Option<&str>, Column<'_>)],
    row: usize,
    switches: Switches,
    out: &mut Vec<u8>,
) {
    let named = fields.first().is_some_and(|(name, _)| name.is_some())
        && switches.has(Switch::TuplesAsObjects);
    out.push(if named { b'{' } else { b'[' });
    for (at, (name, field)) in fields.iter().enumerate() {
        push_comma(at, out);
        if let (true, Some(name)) = (named, name) {
            push_string(name.as_bytes(), switches, out);
            out.push(b':');
        }
        push_json(field, row, switches, out);
    }
    out.push(if named { b'}' } else { b']' });
}

/// A map's key is a string in JSON, whatever its type.
fn push_key(keys: &Column<'_>, entry: usize, switches: Switches, out: &mut Vec<u8>) {
    if let Values::String(values) = &keys.values {
        push_string(values.value(entry).as_bytes(), switches, out);
    } else {
        let mut text = Vec::new();
        push_text(keys, entry, Text::Plain, &mut text);
        push_string(&text, switches, out);
    }
    out.push(b':');
}

fn push_json_float(
    finite: bool,
    quote: bool,
    switches: Switches,
    out: &mut Vec<u8>,
    push: impl FnOnce(&mut Vec<u8>),
) {
    if finite {
        quoted_if(quote, out, push);
    } else if switches.has(Switch::QuoteDenormals) {
        quoted_if(true, out, push);
    } else {
        out.extend_from_slice(b"null");
    }
}

fn quoted_if(quote: bool, out: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    if quote {
        out.push(b'"');
        push(out);
        out.push(b'"');
    } else {
        push(out);
    }
}

fn push_string(bytes: &[u8], switches: Switches, out: &mut Vec<u8>) {
    push_json_string(bytes, switches.has(Switch::EscapeSlashes), out);
}

fn push_comma(at: usize, out: &mut Vec<u8>) {
    if at > 0 {
        out.push(b',');
    }
}
