//! RowBinary with its header forms.

use arrow::record_batch::RecordBatch;

use super::binary::{push_length, push_row_value, push_sized};
use super::{FormatError, FormatWriter, Header, Schema, Totals};

/// RowBinary*.
pub(super) struct RowBinary {
    schema: Schema,
    header: Header,
}

impl RowBinary {
    pub(super) fn new(schema: Schema, header: Header) -> Self {
        Self { schema, header }
    }
}

impl FormatWriter for RowBinary {
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.header == Header::None {
            return;
        }
        push_length(self.schema.columns.len(), out);
        for column in &self.schema.columns {
            push_sized(column.name.as_bytes(), out);
        }
        if self.header == Header::NamesAndTypes {
            for column in &self.schema.columns {
                push_sized(column.ty.to_string().as_bytes(), out);
            }
        }
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            for (column, described) in columns.iter().zip(&self.schema.columns) {
                push_row_value(&described.ty, column, row, out);
            }
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
