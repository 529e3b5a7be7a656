//! Vertical: every value on its own line, names padded to one width.

use arrow::record_batch::RecordBatch;

use super::pretty::{display_width, large_number_tip};
use super::value::{Text, push_text};
use super::{FormatError, FormatWriter, Schema, Totals};

/// `Row 1:` with one line for each column.
pub(super) struct Vertical {
    schema: Schema,
    /// `name: ` of each column, padded.
    names: Vec<Vec<u8>>,
    rows: u64,
}

impl Vertical {
    pub(super) fn new(schema: Schema) -> Self {
        let width = schema
            .columns
            .iter()
            .map(|column| display_width(column.name.as_bytes()))
            .max()
            .unwrap_or(0);
        let names = schema
            .columns
            .iter()
            .map(|column| {
                let mut name = column.name.as_bytes().to_vec();
                let padding = width - display_width(&name);
                name.extend_from_slice(b": ");
                name.extend(std::iter::repeat_n(b' ', padding));
                name
            })
            .collect();
        Self {
            schema,
            names,
            rows: 0,
        }
    }
}

impl FormatWriter for Vertical {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            if self.rows > 0 {
                out.push(b'\n');
            }
            self.rows += 1;
            let title = format!("Row {}:", self.rows);
            out.extend_from_slice(title.as_bytes());
            out.push(b'\n');
            out.extend_from_slice("─".repeat(title.len()).as_bytes());
            out.push(b'\n');
            for (column, name) in columns.iter().zip(&self.names) {
                out.extend_from_slice(name);
                if column.is_null(row) {
                    out.extend_from_slice("ᴺᵁᴸᴸ".as_bytes());
                } else {
                    push_text(column, row, Text::Plain, out);
                }
                if columns.len() == 1 && batch.num_rows() == 1 && self.rows == 1 {
                    out.extend_from_slice(large_number_tip(column, row).as_bytes());
                }
                out.push(b'\n');
            }
        }
        Ok(())
    }

    fn tail(&mut self, _totals: &Totals, _out: &mut Vec<u8>) {}
}
