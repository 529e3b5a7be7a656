//! SQLInsert: statements that put the rows into another table.

use arrow::record_batch::RecordBatch;

use super::value::push_nested;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Rows of one statement, as in ClickHouse.
const ROWS_PER_STATEMENT: u64 = 65_505;

/// SQLInsert.
pub(super) struct SqlInsert {
    schema: Schema,
    rows: u64,
}

impl SqlInsert {
    pub(super) fn new(schema: Schema) -> Self {
        Self { schema, rows: 0 }
    }

    fn open(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"INSERT INTO table (");
        for (at, column) in self.schema.columns.iter().enumerate() {
            if at > 0 {
                out.extend_from_slice(b", ");
            }
            out.push(b'`');
            out.extend_from_slice(column.name.as_bytes());
            out.push(b'`');
        }
        out.extend_from_slice(b") VALUES ");
    }
}

impl FormatWriter for SqlInsert {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            if self.rows.is_multiple_of(ROWS_PER_STATEMENT) {
                if self.rows > 0 {
                    out.extend_from_slice(b";\n");
                }
                self.open(out);
            } else {
                out.extend_from_slice(b", ");
            }
            self.rows += 1;
            out.push(b'(');
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.extend_from_slice(b", ");
                }
                push_nested(column, row, out);
            }
            out.push(b')');
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        if self.rows > 0 {
            out.extend_from_slice(b";\n");
        }
    }
}
