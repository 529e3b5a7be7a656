//! XML, indented by tabs.

use arrow::record_batch::RecordBatch;

use super::column::{Column, Values, item_range};
use super::number::{push_float64, push_integer};
use super::settings::Switch;
use super::value::{Text, push_text};
use super::{FormatError, FormatWriter, Schema, Totals};

/// XML.
pub(super) struct Xml {
    schema: Schema,
    /// The name of each column's element.
    tags: Vec<Vec<u8>>,
    rows: u64,
    scratch: Vec<u8>,
}

impl Xml {
    pub(super) fn new(schema: Schema) -> Self {
        let tags = schema
            .columns
            .iter()
            .map(|column| tag(&column.name))
            .collect();
        Self {
            schema,
            tags,
            rows: 0,
            scratch: Vec::new(),
        }
    }

    fn close_data(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\t</data>\n\t<rows>");
        push_integer(self.rows, out);
        out.extend_from_slice(b"</rows>\n");
    }
}

/// A column's name, if it can name an element.
fn tag(name: &str) -> Vec<u8> {
    let letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let inner = |byte: u8| letter(byte) || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let bytes = name.as_bytes();
    let fits = bytes.first().is_some_and(|first| letter(*first)) && bytes.iter().all(|b| inner(*b));
    if fits {
        bytes.to_vec()
    } else {
        b"field".to_vec()
    }
}

fn push_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        match byte {
            b'<' => out.extend_from_slice(b"&lt;"),
            b'&' => out.extend_from_slice(b"&amp;"),
            other => out.push(*other),
        }
    }
}

fn push_element(name: &[u8], out: &mut Vec<u8>, content: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'<');
    out.extend_from_slice(name);
    out.push(b'>');
    content(out);
    out.extend_from_slice(b"</");
    out.extend_from_slice(name);
    out.push(b'>');
}

fn push_value(column: &Column<'_>, row: usize, scratch: &mut Vec<u8>, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.extend_from_slice(b"\\N");
        return;
    }
    match &column.values {
        Values::Array(offsets, items) => push_element(b"array", out, |out| {
            for item in item_range(offsets, row) {
                push_element(b"elem", out, |out| push_value(items, item, scratch, out));
            }
        }),
        Values::Map(offsets, entries) => push_element(b"map", out, |out| {
            for entry in item_range(offsets, row) {
                push_element(b"elem", out, |out| {
                    push_element(b"key", out, |out| {
                        push_value(&entries.0, entry, scratch, out);
                    });
                    push_element(b"value", out, |out| {
                        push_value(&entries.1, entry, scratch, out);
                    });
                });
            }
        }),
        Values::Tuple(fields) => push_element(b"tuple", out, |out| {
            for (_, field) in fields {
                push_element(b"elem", out, |out| push_value(field, row, scratch, out));
            }
        }),
        Values::Nothing => out.extend_from_slice(b"\\N"),
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
        | Values::Date(_)
        | Values::Date32(_)
        | Values::DateTime(..)
        | Values::DateTime64(..)
        | Values::Uuid(_) => {
            scratch.clear();
            push_text(column, row, Text::Plain, scratch);
            push_escaped(scratch, out);
        }
    }
}

impl FormatWriter for Xml {
    fn head(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(
            b"<?xml version='1.0' encoding='UTF-8' ?>\n<result>\n\t<meta>\n\t\t<columns>\n",
        );
        for column in &self.schema.columns {
            out.extend_from_slice(b"\t\t\t<column>\n\t\t\t\t");
            push_element(b"name", out, |out| {
                push_escaped(column.name.as_bytes(), out);
            });
            out.extend_from_slice(b"\n\t\t\t\t");
            let ty = column.ty.to_string();
            push_element(b"type", out, |out| push_escaped(ty.as_bytes(), out));
            out.extend_from_slice(b"\n\t\t\t</column>\n");
        }
        out.extend_from_slice(b"\t\t</columns>\n\t</meta>\n\t<data>\n");
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            self.rows += 1;
            out.extend_from_slice(b"\t\t<row>\n");
            for (column, tag) in columns.iter().zip(&self.tags) {
                out.extend_from_slice(b"\t\t\t");
                push_element(tag, out, |out| {
                    push_value(column, row, &mut self.scratch, out);
                });
                out.push(b'\n');
            }
            out.extend_from_slice(b"\t\t</row>\n");
        }
        Ok(())
    }

    fn tail(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        self.close_data(out);
        if let Some(rows) = totals.rows_before_limit {
            out.push(b'\t');
            push_element(b"rows_before_limit_at_least", out, |out| {
                push_integer(rows.max(self.rows), out);
            });
            out.push(b'\n');
        }
        if self.schema.settings.switches.has(Switch::Statistics) {
            out.extend_from_slice(b"\t<statistics>\n\t\t<elapsed>");
            push_float64(totals.elapsed.as_secs_f64(), out);
            out.extend_from_slice(b"</elapsed>\n\t\t<rows_read>");
            push_integer(totals.rows_read, out);
            out.extend_from_slice(b"</rows_read>\n\t\t<bytes_read>");
            push_integer(totals.bytes_read, out);
            out.extend_from_slice(b"</bytes_read>\n\t</statistics>\n");
        }
        out.extend_from_slice(b"</result>\n");
    }

    fn exception(&mut self, message: &str, out: &mut Vec<u8>) -> bool {
        self.close_data(out);
        out.push(b'\t');
        push_element(b"exception", out, |out| {
            push_escaped(message.as_bytes(), out);
        });
        out.extend_from_slice(b"\n</result>\n");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_elements_are_called_field() {
        for (name, expected) in [
            ("a", "a"),
            ("c.d", "c.d"),
            ("e-f", "e-f"),
            ("_x1", "_x1"),
            ("a b", "field"),
            ("1x", "field"),
            ("count()", "field"),
            ("", "field"),
        ] {
            assert_eq!(tag(name), expected.as_bytes(), "{name}");
        }
    }
}
