//! `toJSONString`: any value as JSON.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};

use crate::error::{QueryError, Result};
use crate::functions::convert::write_value;
use crate::functions::kernel::Resolved;
use crate::functions::rows::{arg, texts};
use crate::functions::signature::{Call, Entry, raw};
use crate::functions::time::parse_zone;
use crate::types::Type;
use chrono_tz::Tz;

pub(super) static ENTRIES: &[Entry] = &[raw("toJSONString", (1, 1), to_json)];

fn to_json(call: &Call<'_>) -> Result<Resolved> {
    let ty = call.ty(0).clone();
    let tz = parse_zone(&call.context.timezone)?;
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let col = arg(cols, 0)?;
        texts(&[], rows, |row, out| {
            write(out, &col.array, col.at(row), &ty, tz).map_err(QueryError::external)
        })
    }))
}

/// A text in quotes, with ClickHouse's escapes.
fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '/' => out.push_str("\\/"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04X}", u32::from(c)));
            }
            _ => out.push(c),
        }
    }
    out.push('"');
}

fn write(out: &mut String, array: &ArrayRef, row: usize, ty: &Type, tz: Tz) -> Result<()> {
    if array.is_null(row) || *ty == Type::Nothing {
        out.push_str("null");
        return Ok(());
    }
    match ty {
        Type::Nullable(inner) | Type::LowCardinality(inner) => write(out, array, row, inner, tz),
        Type::Array(item) => {
            let items = array.as_list::<i32>().value(row);
            out.push('[');
            for i in 0..items.len() {
                out.push_str(if i > 0 { "," } else { "" });
                write(out, &items, i, item, tz)?;
            }
            out.push(']');
            Ok(())
        }
        Type::Tuple(fields) => write_tuple(out, array, row, fields, tz),
        Type::Map(key, value) => {
            let entries = array.as_map().value(row);
            out.push('{');
            for i in 0..entries.len() {
                out.push_str(if i > 0 { "," } else { "" });
                let mut name = String::new();
                write_value(&mut name, entries.column(0), i, key, tz)?;
                quoted(&name, out);
                out.push(':');
                write(out, entries.column(1), i, value, tz)?;
            }
            out.push('}');
            Ok(())
        }
        _ => {
            let mut text = String::new();
            write_value(&mut text, array, row, ty, tz)?;
            if matches!(text.as_str(), "nan" | "inf" | "-inf") && ty.is_float() {
                out.push_str("null");
            } else if ty.is_number() || *ty == Type::Bool || matches!(ty, Type::Interval(_)) {
                out.push_str(&text);
            } else {
                quoted(&text, out);
            }
            Ok(())
        }
    }
}

fn write_tuple(
    out: &mut String,
    array: &ArrayRef,
    row: usize,
    fields: &[(Option<String>, Type)],
    tz: Tz,
) -> Result<()> {
    let named = fields.iter().all(|(name, _)| name.is_some()) && !fields.is_empty();
    out.push(if named { '{' } else { '[' });
    for (i, ((name, ty), column)) in fields.iter().zip(array.as_struct().columns()).enumerate() {
        out.push_str(if i > 0 { "," } else { "" });
        if let Some(name) = name.as_ref().filter(|_| named) {
            quoted(name, out);
            out.push(':');
        }
        write(out, column, row, ty, tz)?;
    }
    out.push(if named { '}' } else { ']' });
    Ok(())
}
