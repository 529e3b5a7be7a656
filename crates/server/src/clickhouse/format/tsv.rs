//! TabSeparated with its raw and header forms, and TSKV.

use arrow::record_batch::RecordBatch;

use super::column::Column;
use super::escape::push_backslashed;
use super::value::{Text, push_text};
use super::{FormatError, FormatWriter, Header, Schema, Totals};

/// TabSeparated*, TabSeparatedRaw*.
pub(super) struct Tsv {
    schema: Schema,
    form: Text,
    header: Header,
}

impl Tsv {
    pub(super) fn new(schema: Schema, raw: bool, header: Header) -> Self {
        Self {
            schema,
            form: if raw { Text::Plain } else { Text::Escaped },
            header,
        }
    }

    fn line<'a>(&self, fields: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
        for (at, field) in fields.enumerate() {
            if at > 0 {
                out.push(b'\t');
            }
            if self.form == Text::Plain {
                out.extend_from_slice(field.as_bytes());
            } else {
                push_backslashed(field.as_bytes(), out);
            }
        }
        out.push(b'\n');
    }
}

/// A field, with `\N` for NULL.
pub(super) fn push_field(column: &Column<'_>, row: usize, form: Text, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.extend_from_slice(b"\\N");
    } else {
        push_text(column, row, form, out);
    }
}

impl FormatWriter for Tsv {
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.header != Header::None {
            self.line(
                self.schema
                    .columns
                    .iter()
                    .map(|column| column.name.as_str()),
                out,
            );
        }
        if self.header == Header::NamesAndTypes {
            let types: Vec<String> = self
                .schema
                .columns
                .iter()
                .map(|column| column.ty.to_string())
                .collect();
            self.line(types.iter().map(String::as_str), out);
        }
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b'\t');
                }
                push_field(column, row, self.form, out);
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn totals(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        out.push(b'\n');
        self.rows(batch, out)
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}

/// `name=value` pairs.
pub(super) struct Tskv {
    schema: Schema,
    /// Each name, escaped, with its `=`.
    names: Vec<Vec<u8>>,
}

impl Tskv {
    pub(super) fn new(schema: Schema) -> Self {
        let names = schema
            .columns
            .iter()
            .map(|column| {
                let mut name = Vec::new();
                for part in column.name.split_inclusive('=') {
                    let (text, equals) = match part.strip_suffix('=') {
                        Some(text) => (text, true),
                        None => (part, false),
                    };
                    push_backslashed(text.as_bytes(), &mut name);
                    if equals {
                        name.extend_from_slice(b"\\=");
                    }
                }
                name.push(b'=');
                name
            })
            .collect();
        Self { schema, names }
    }
}

impl FormatWriter for Tskv {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            for (at, (column, name)) in columns.iter().zip(&self.names).enumerate() {
                if at > 0 {
                    out.push(b'\t');
                }
                out.extend_from_slice(name);
                push_field(column, row, Text::Escaped, out);
            }
            out.push(b'\n');
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
