//! One value as JSON, in one line or spread over several as the JSON format shows containers.

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

/// Writes the value as the JSON format does: maps, tuples and arrays of containers get a line for
/// each entry, indented by `depth` tabs and one more.
pub(super) fn push_json_spread(
    column: &Column<'_>,
    row: usize,
    depth: usize,
    switches: Switches,
    out: &mut Vec<u8>,
) {
    match &column.values {
        Values::Array(offsets, items) if is_container(items) && !column.is_null(row) => {
            let range = item_range(offsets, row);
            let mut lines = Lines::open(b'[', depth, out);
            for item in range {
                lines.next(out);
                push_json_spread(items, item, depth + 1, switches, out);
            }
            lines.close(b']', out);
        }
        Values::Map(offsets, entries) if !column.is_null(row) => {
            let mut lines = Lines::open(b'{', depth, out);
            for entry in item_range(offsets, row) {
                lines.next(out);
                push_key(&entries.0, entry, switches, out);
                out.push(b' ');
                push_json_spread(&entries.1, entry, depth + 1, switches, out);
            }
            lines.close(b'}', out);
        }
        Values::Tuple(fields) if !column.is_null(row) => {
            let named = are_named(fields, switches);
            let mut lines = Lines::open(if named { b'{' } else { b'[' }, depth, out);
            for (name, field) in fields {
                lines.next(out);
                if let (true, Some(name)) = (named, name) {
                    push_string(name.as_bytes(), switches, out);
                    out.extend_from_slice(b": ");
                }
                push_json_spread(field, row, depth + 1, switches, out);
            }
            lines.close(if named { b'}' } else { b']' }, out);
        }
        Values::Array(..)
        | Values::Map(..)
        | Values::Tuple(_)
        | Values::UInt8(_)
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
        | Values::Date(_)
        | Values::Date32(_)
        | Values::DateTime(..)
        | Values::DateTime64(..)
        | Values::Uuid(_)
        | Values::Nothing => push_json(column, row, switches, out),
    }
}

fn is_container(column: &Column<'_>) -> bool {
    matches!(
        column.values,
        Values::Array(..) | Values::Map(..) | Values::Tuple(_)
    )
}

fn are_named(fields: &[(Option<&str>, Column<'_>)], switches: Switches) -> bool {
    fields.first().is_some_and(|(name, _)| name.is_some()) && switches.has(Switch::TuplesAsObjects)
}

/// The entries of one container, a line each; an empty container stays on its line.
struct Lines {
    depth: usize,
    begun: bool,
}

impl Lines {
    fn open(bracket: u8, depth: usize, out: &mut Vec<u8>) -> Self {
        out.push(bracket);
        Self {
            depth,
            begun: false,
        }
    }

    fn next(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.begun { b",\n" } else { b"\n" });
        out.extend(std::iter::repeat_n(b'\t', self.depth + 1));
        self.begun = true;
    }

    fn close(self, bracket: u8, out: &mut Vec<u8>) {
        if self.begun {
            out.push(b'\n');
            out.extend(std::iter::repeat_n(b'\t', self.depth));
        }
        out.push(bracket);
    }
}

fn push_tuple(
    fields: &[(Option<&str>, Column<'_>)],
    row: usize,
    switches: Switches,
    out: &mut Vec<u8>,
) {
    let named = are_named(fields, switches);
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
