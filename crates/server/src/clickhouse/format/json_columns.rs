//! JSON documents by columns, and the document of one object per row. The ones by columns have to keep
//! the whole result back, within a bound.

use arrow::record_batch::RecordBatch;

use super::json::{push_meta, push_statistics};
use super::json_rows::{JsonCell, JsonRow, Spread, json_names};
use super::number::push_integer;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Bytes of a result by columns, because its first column can only be closed when the last row is
/// known.
const MAX_DOCUMENT_BYTES: usize = 64 * 1024 * 1024;

/// What stands around the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnsFrame {
    /// JSONCompactColumns: arrays in an array.
    Array,
    /// JSONColumns: arrays by name.
    Object,
    /// JSONColumnsWithMetadata: that, with what JSON says around.
    Metadata,
}

/// JSONColumns, JSONCompactColumns, JSONColumnsWithMetadata.
pub(super) struct ColumnArrays {
    schema: Schema,
    frame: ColumnsFrame,
    cell: JsonCell,
    columns: Vec<Vec<u8>>,
    rows: u64,
}

impl ColumnArrays {
    pub(super) fn new(schema: Schema, frame: ColumnsFrame) -> Self {
        Self {
            cell: JsonCell::new(schema.settings.switches, false, Spread::No),
            columns: vec![Vec::new(); schema.columns.len()],
            schema,
            frame,
            rows: 0,
        }
    }

    fn push_columns(&self, indent: &[u8], out: &mut Vec<u8>) {
        let names = json_names(&self.schema, b": ");
        for (at, (column, name)) in self.columns.iter().zip(names).enumerate() {
            if at > 0 {
                out.extend_from_slice(b",\n");
            }
            out.extend_from_slice(indent);
            if self.frame != ColumnsFrame::Array {
                out.extend_from_slice(&name);
            }
            out.push(b'[');
            out.extend_from_slice(column);
            out.push(b']');
        }
    }
}

impl FormatWriter for ColumnArrays {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, _out: &mut Vec<u8>) -> Result<(), FormatError> {
        let bound = self.schema.bind(batch)?;
        for (column, text) in bound.iter().zip(&mut self.columns) {
            for row in 0..batch.num_rows() {
                if self.rows > 0 || row > 0 {
                    text.extend_from_slice(b", ");
                }
                self.cell.push(column, row, text);
            }
        }
        self.rows += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        let bytes: usize = self.columns.iter().map(Vec::len).sum();
        if bytes > MAX_DOCUMENT_BYTES {
            return Err(FormatError::TooLarge(MAX_DOCUMENT_BYTES));
        }
        Ok(())
    }

    fn tail(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        match self.frame {
            ColumnsFrame::Array => {
                out.extend_from_slice(b"[\n");
                self.push_columns(b"\t", out);
                out.extend_from_slice(b"\n]\n");
            }
            ColumnsFrame::Object => {
                out.extend_from_slice(b"{\n");
                self.push_columns(b"\t", out);
                out.extend_from_slice(b"\n}\n");
            }
            ColumnsFrame::Metadata => {
                push_meta(&self.schema, out);
                out.extend_from_slice(b"\t\"data\":\n\t{\n");
                self.push_columns(b"\t\t", out);
                out.extend_from_slice(b"\n\t},\n\n\t\"rows\": ");
                push_integer(self.rows, out);
                push_statistics(&self.schema, totals, self.rows, out);
                out.extend_from_slice(b"\n}\n");
            }
        }
    }
}

/// JSONObjectEachRow: `"row_1": {…}`.
pub(super) struct NamedRows {
    schema: Schema,
    row: JsonRow,
    rows: u64,
}

impl NamedRows {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            row: JsonRow::new(&schema, false, false),
            schema,
            rows: 0,
        }
    }
}

impl FormatWriter for NamedRows {
    fn head(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\n");
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                out.extend_from_slice(b",\n");
            }
            self.rows += 1;
            out.extend_from_slice(b"\t\"row_");
            push_integer(self.rows, out);
            out.extend_from_slice(b"\": ");
            self.row.push(&columns, row, out);
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\n}\n");
    }
}
