//! JSON documents: JSON, JSONCompact and their all-strings forms.

use arrow::record_batch::RecordBatch;

use super::escape::push_json_string;
use super::json_rows::{JsonCell, Spread, json_names};
use super::number::{push_float64, push_integer};
use super::settings::Switch;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Tabs before the fields of a row.
const ROW_DEPTH: usize = 3;

/// JSON, JSONCompact, JSONStrings, JSONCompactStrings.
pub(super) struct Json {
    schema: Schema,
    cell: JsonCell,
    /// `\t\t\t"name": ` of each column; empty in compact documents.
    keys: Vec<Vec<u8>>,
    compact: bool,
    rows: u64,
    /// The printed row of WITH TOTALS.
    totals: Option<Vec<u8>>,
}

impl Json {
    pub(super) fn new(schema: Schema, compact: bool, strings: bool) -> Self {
        let keys = json_names(&schema, b": ")
            .into_iter()
            .map(|name| {
                if compact {
                    Vec::new()
                } else {
                    [b"\t\t\t".as_slice(), &name].concat()
                }
            })
            .collect();
        let spread = if compact {
            Spread::No
        } else {
            Spread::Depth(ROW_DEPTH)
        };
        let cell = JsonCell::new(schema.settings.switches, strings, spread);
        Self {
            schema,
            cell,
            keys,
            compact,
            rows: 0,
            totals: None,
        }
    }

    /// Closes `data` and writes `rows`; without the newline, because a comma or the end may follow.
    fn close_data(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n\t]");
        if let Some(totals) = &self.totals {
            out.extend_from_slice(b",\n\n\t\"totals\":");
            out.extend_from_slice(totals);
        }
        out.extend_from_slice(b",\n\n\t\"rows\": ");
        push_integer(self.rows, out);
    }
}

impl FormatWriter for Json {
    fn head(&mut self, out: &mut Vec<u8>) {
        push_meta(&self.schema, out);
        out.extend_from_slice(b"\t\"data\":\n\t[\n");
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        let (open, between, close): (&[u8], &[u8], &[u8]) = if self.compact {
            (b"\t\t[", b", ", b"]")
        } else {
            (b"\t\t{\n", b",\n", b"\n\t\t}")
        };
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                out.extend_from_slice(b",\n");
            }
            self.rows += 1;
            out.extend_from_slice(open);
            for (at, (column, key)) in columns.iter().zip(&self.keys).enumerate() {
                if at > 0 {
                    out.extend_from_slice(between);
                }
                out.extend_from_slice(key);
                self.cell.push(column, row, out);
            }
            out.extend_from_slice(close);
        }
        Ok(())
    }

    fn totals(&mut self, batch: &RecordBatch, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        let (open, between, close): (&[u8], &[u8], &[u8]) = if self.compact {
            (b" [", b", ", b"]")
        } else {
            (b"\n\t{\n", b",\n", b"\n\t}")
        };
        let mut text = open.to_vec();
        for (at, (column, key)) in columns.iter().zip(&self.keys).enumerate() {
            if at > 0 {
                text.extend_from_slice(between);
            }
            // Keys are indented for rows of `data`, one level deeper.
            text.extend_from_slice(key.strip_prefix(b"\t").unwrap_or(key));
            self.cell.push(column, 0, &mut text);
        }
        text.extend_from_slice(close);
        self.totals = (batch.num_rows() > 0).then_some(text);
        Ok(())
    }

    fn tail(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        self.close_data(out);
        push_statistics(&self.schema, totals, self.rows, out);
        out.extend_from_slice(b"\n}\n");
    }

    fn exception(&mut self, message: &str, out: &mut Vec<u8>) -> bool {
        self.close_data(out);
        out.extend_from_slice(b",\n\n\t\"exception\": ");
        push_json_string(message.as_bytes(), false, out);
        out.extend_from_slice(b"\n}\n");
        true
    }
}

/// Opens the document and writes `meta`.
pub(super) fn push_meta(schema: &Schema, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\n\t\"meta\":\n\t[\n");
    let escape_slashes = schema.settings.switches.has(Switch::EscapeSlashes);
    let names = json_names(schema, b"");
    for (at, (column, name)) in schema.columns.iter().zip(names).enumerate() {
        if at > 0 {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(b"\t\t{\n\t\t\t\"name\": ");
        out.extend_from_slice(&name);
        out.extend_from_slice(b",\n\t\t\t\"type\": ");
        push_json_string(column.ty.to_string().as_bytes(), escape_slashes, out);
        out.extend_from_slice(b"\n\t\t}");
    }
    out.extend_from_slice(b"\n\t],\n\n");
}

/// What follows `rows`, without the newline.
pub(super) fn push_statistics(schema: &Schema, totals: &Totals, written: u64, out: &mut Vec<u8>) {
    if let Some(rows) = totals.rows_before_limit {
        out.extend_from_slice(b",\n\n\t\"rows_before_limit_at_least\": ");
        push_integer(rows.max(written), out);
    }
    if schema.settings.switches.has(Switch::Statistics) {
        out.extend_from_slice(b",\n\n\t\"statistics\":\n\t{\n\t\t\"elapsed\": ");
        push_float64(totals.elapsed.as_secs_f64(), out);
        out.extend_from_slice(b",\n\t\t\"rows_read\": ");
        push_integer(totals.rows_read, out);
        out.extend_from_slice(b",\n\t\t\"bytes_read\": ");
        push_integer(totals.bytes_read, out);
        out.extend_from_slice(b"\n\t}");
    }
}
