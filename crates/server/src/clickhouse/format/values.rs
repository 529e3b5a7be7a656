//! Values: rows as INSERT takes them, in one line without an end.

use arrow::record_batch::RecordBatch;

use super::value::push_nested;
use super::{FormatError, FormatWriter, Schema, Totals};

/// `(1,'a'),(2,NULL)`
pub(super) struct ValueRows {
    schema: Schema,
    begun: bool,
}

impl ValueRows {
    pub(super) fn new(schema: Schema) -> Self {
        Self {
            schema,
            begun: false,
        }
    }
}

impl FormatWriter for ValueRows {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            if self.begun {
                out.push(b',');
            }
            self.begun = true;
            out.push(b'(');
            for (at, column) in columns.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                push_nested(column, row, out);
            }
            out.push(b')');
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
