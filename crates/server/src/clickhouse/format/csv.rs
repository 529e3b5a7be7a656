//! CSV with its header forms. Numbers, Bool and NULL are bare, everything else is in double quotes;
//! a tuple is several columns unless a setting says otherwise.

use arrow::record_batch::RecordBatch;
use cairn_query::Type;

use super::column::{Column, Values};
use super::escape::push_csv_quoted;
use super::settings::Switch;
use super::value::{Text, enum_name, padded, push_bare, push_text};
use super::{FormatError, FormatWriter, Header, Schema, Totals};

/// CSV*.
pub(super) struct Csv {
    schema: Schema,
    header: Header,
    split_tuples: bool,
    delimiter: u8,
}

impl Csv {
    pub(super) fn new(schema: Schema, header: Header) -> Self {
        Self {
            header,
            split_tuples: schema.settings.switches.has(Switch::SplitTuples),
            delimiter: schema.settings.csv_delimiter,
            schema,
        }
    }

    /// Name and type of every CSV column.
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        for column in &self.schema.columns {
            self.add_fields(&column.name, &column.ty, &mut fields);
        }
        fields
    }

    fn add_fields(&self, name: &str, ty: &Type, fields: &mut Vec<(String, String)>) {
        let Type::Tuple(parts) = ty else {
            fields.push((name.to_owned(), ty.to_string()));
            return;
        };
        if !self.split_tuples {
            fields.push((name.to_owned(), ty.to_string()));
            return;
        }
        for (at, (part, ty)) in parts.iter().enumerate() {
            let name = match part {
                Some(part) => format!("{name}.{part}"),
                None => format!("{name}.{}", at + 1),
            };
            self.add_fields(&name, ty, fields);
        }
    }

    fn line<'a>(&self, fields: impl Iterator<Item = &'a str>, out: &mut Vec<u8>) {
        for (at, field) in fields.enumerate() {
            if at > 0 {
                out.push(self.delimiter);
            }
            push_csv_quoted(field.as_bytes(), out);
        }
        out.push(b'\n');
    }
}

impl FormatWriter for Csv {
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.header == Header::None {
            return;
        }
        let fields = self.fields();
        self.line(fields.iter().map(|(name, _)| name.as_str()), out);
        if self.header == Header::NamesAndTypes {
            self.line(fields.iter().map(|(_, ty)| ty.as_str()), out);
        }
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        let mut field = Field {
            split_tuples: self.split_tuples,
            delimiter: self.delimiter,
            scratch: Vec::new(),
        };
        for row in 0..batch.num_rows() {
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(self.delimiter);
                }
                field.push(column, row, out);
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

struct Field {
    split_tuples: bool,
    delimiter: u8,
    scratch: Vec<u8>,
}

impl Field {
    fn push(&mut self, column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
        if column.is_null(row) {
            out.extend_from_slice(b"\\N");
            return;
        }
        match &column.values {
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
            | Values::Nothing => push_text(column, row, Text::Plain, out),
            Values::Date(_)
            | Values::Date32(_)
            | Values::DateTime(..)
            | Values::DateTime64(..)
            | Values::Uuid(_) => {
                out.push(b'"');
                push_bare(column, row, out);
                out.push(b'"');
            }
            Values::String(values) => push_csv_quoted(values.value(row).as_bytes(), out),
            Values::FixedString(values, length) => {
                push_csv_quoted(&padded(values.value(row), *length), out);
            }
            Values::Enum8(values, names) => push_csv_quoted(enum_name(names, values[row]), out),
            Values::Tuple(parts) if self.split_tuples => {
                for (at, (_, part)) in parts.iter().enumerate() {
                    if at > 0 {
                        out.push(self.delimiter);
                    }
                    self.push(part, row, out);
                }
            }
            Values::Array(..) | Values::Map(..) | Values::Tuple(_) => {
                self.scratch.clear();
                push_text(column, row, Text::Plain, &mut self.scratch);
                push_csv_quoted(&self.scratch, out);
            }
        }
    }
}
