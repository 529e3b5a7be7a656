//! JSON by lines: one object or one array for each row.

use arrow::record_batch::RecordBatch;

use super::column::Column;
use super::escape::push_json_string;
use super::json_value::{push_json, push_json_spread};
use super::settings::{Switch, Switches};
use super::value::{Text, push_text};
use super::{FormatError, FormatWriter, Header, Schema, Totals};

/// What stands for NULL where every value is a string.
const NULL_TEXT: &str = "\"ᴺᵁᴸᴸ\"";

/// Writes a value as JSON, or as a JSON string of its plain text.
pub(super) struct JsonCell {
    switches: Switches,
    strings: bool,
    spread: Spread,
    scratch: Vec<u8>,
}

/// Whether containers get a line for each entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    No,
    /// Yes, in a row whose fields are indented by so many tabs.
    Depth(usize),
}

impl JsonCell {
    pub(super) fn new(switches: Switches, strings: bool, spread: Spread) -> Self {
        Self {
            switches,
            strings,
            spread,
            scratch: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, column: &Column<'_>, row: usize, out: &mut Vec<u8>) {
        if !self.strings {
            match self.spread {
                Spread::No => push_json(column, row, self.switches, out),
                Spread::Depth(depth) => push_json_spread(column, row, depth, self.switches, out),
            }
        } else if column.is_null(row) {
            out.extend_from_slice(NULL_TEXT.as_bytes());
        } else {
            self.scratch.clear();
            push_text(column, row, Text::Plain, &mut self.scratch);
            push_json_string(&self.scratch, self.switches.has(Switch::EscapeSlashes), out);
        }
    }
}

/// The names of the columns as JSON strings, followed by `end`.
pub(super) fn json_names(schema: &Schema, end: &[u8]) -> Vec<Vec<u8>> {
    let escape_slashes = schema.settings.switches.has(Switch::EscapeSlashes);
    schema
        .columns
        .iter()
        .map(|column| {
            let mut name = Vec::new();
            push_json_string(column.name.as_bytes(), escape_slashes, &mut name);
            name.extend_from_slice(end);
            name
        })
        .collect()
}

/// Writes one row in one line: as an object, or as an array in compact formats.
pub(super) struct JsonRow {
    /// `"name":` of each column; none in compact rows.
    keys: Option<Vec<Vec<u8>>>,
    cell: JsonCell,
}

impl JsonRow {
    pub(super) fn new(schema: &Schema, strings: bool, compact: bool) -> Self {
        Self {
            keys: (!compact).then(|| json_names(schema, b":")),
            cell: JsonCell::new(schema.settings.switches, strings, Spread::No),
        }
    }

    pub(super) fn push(&mut self, columns: &[Column<'_>], row: usize, out: &mut Vec<u8>) {
        let Some(keys) = &self.keys else {
            out.push(b'[');
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                self.cell.push(column, row, out);
            }
            out.push(b']');
            return;
        };
        out.push(b'{');
        for (at, (column, key)) in columns.iter().zip(keys).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(key);
            self.cell.push(column, row, out);
        }
        out.push(b'}');
    }
}

/// JSONEachRow, JSONStringsEachRow.
pub(super) struct ObjectRows {
    row: JsonRow,
    as_array: bool,
    begun: bool,
    schema: Schema,
}

impl ObjectRows {
    pub(super) fn new(schema: Schema, strings: bool) -> Self {
        Self {
            row: JsonRow::new(&schema, strings, false),
            as_array: schema.settings.switches.has(Switch::ArrayOfRows),
            begun: false,
            schema,
        }
    }
}

impl FormatWriter for ObjectRows {
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.as_array {
            out.extend_from_slice(b"[\n");
        }
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            if self.as_array && self.begun {
                out.extend_from_slice(b",\n");
            }
            self.begun = true;
            self.row.push(&columns, row, out);
            if !self.as_array {
                out.push(b'\n');
            }
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        if self.as_array {
            out.extend_from_slice(if self.begun { b"\n]\n" } else { b"]\n" });
        }
    }

    fn exception(&mut self, message: &str, out: &mut Vec<u8>) -> bool {
        if self.as_array && self.begun {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(b"{\"exception\": ");
        push_json_string(message.as_bytes(), false, out);
        out.extend_from_slice(if self.as_array { b"}\n]\n" } else { b"}\n" });
        true
    }
}

/// JSONCompactEachRow and JSONCompactStringsEachRow with their header forms.
pub(super) struct ArrayRows {
    row: JsonRow,
    header: Header,
    schema: Schema,
}

impl ArrayRows {
    pub(super) fn new(schema: Schema, strings: bool, header: Header) -> Self {
        Self {
            row: JsonRow::new(&schema, strings, true),
            header,
            schema,
        }
    }
}

fn push_line(items: impl Iterator<Item = Vec<u8>>, out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, item) in items.enumerate() {
        if at > 0 {
            out.extend_from_slice(b", ");
        }
        out.extend_from_slice(&item);
    }
    out.extend_from_slice(b"]\n");
}

impl FormatWriter for ArrayRows {
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.header == Header::None {
            return;
        }
        push_line(json_names(&self.schema, b"").into_iter(), out);
        if self.header == Header::NamesAndTypes {
            let escape_slashes = self.schema.settings.switches.has(Switch::EscapeSlashes);
            let types = self.schema.columns.iter().map(|column| {
                let mut text = Vec::new();
                push_json_string(column.ty.to_string().as_bytes(), escape_slashes, &mut text);
                text
            });
            push_line(types, out);
        }
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            self.row.push(&columns, row, out);
            out.push(b'\n');
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
