//! Markdown tables.

use arrow::record_batch::RecordBatch;

use super::tsv::push_field;
use super::value::Text;
use super::{FormatError, FormatWriter, Schema, Totals, is_right_aligned};

/// `| a | b |`
pub(super) struct Markdown {
    schema: Schema,
}

impl Markdown {
    pub(super) fn new(schema: Schema) -> Self {
        Self { schema }
    }
}

impl FormatWriter for Markdown {
    fn head(&mut self, out: &mut Vec<u8>) {
        for column in &self.schema.columns {
            out.extend_from_slice(b"| ");
            super::escape::push_backslashed(column.name.as_bytes(), out);
            out.push(b' ');
        }
        out.extend_from_slice(b"|\n|");
        for column in &self.schema.columns {
            let rule: &[u8] = if is_right_aligned(&column.ty) {
                b"-:|"
            } else {
                b":-|"
            };
            out.extend_from_slice(rule);
        }
        out.push(b'\n');
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            for column in &columns {
                out.extend_from_slice(b"| ");
                push_field(column, row, Text::Escaped, out);
                out.push(b' ');
            }
            out.extend_from_slice(b"|\n");
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
