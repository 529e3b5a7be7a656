//! JSON by lines with progress in between: every line says what it is.

use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;

use super::escape::push_json_string;
use super::json_rows::{JsonRow, json_names};
use super::number::push_integer;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Pause between two lines of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);

/// JSONEachRowWithProgress and its forms.
pub(super) struct RowsWithProgress {
    schema: Schema,
    row: JsonRow,
    began: Instant,
    told: Duration,
}

impl RowsWithProgress {
    pub(super) fn new(schema: Schema, strings: bool, compact: bool) -> Self {
        Self {
            row: JsonRow::new(&schema, strings, compact),
            schema,
            began: Instant::now(),
            told: Duration::ZERO,
        }
    }

    fn progress(&mut self, elapsed: Duration, out: &mut Vec<u8>) {
        self.told = elapsed;
        let progress = &self.schema.settings.progress;
        let elapsed = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        let figures = [
            ("read_rows", progress.read_rows()),
            ("read_bytes", progress.read_bytes()),
            ("total_rows_to_read", progress.total_rows_to_read()),
            ("elapsed_ns", elapsed),
        ];
        out.extend_from_slice(b"{\"progress\":{");
        let told = figures.into_iter().filter(|(_, value)| *value > 0);
        for (at, (name, value)) in told.enumerate() {
            let comma = if at > 0 { "," } else { "" };
            out.extend_from_slice(format!("{comma}\"{name}\":\"{value}\"").as_bytes());
        }
        out.extend_from_slice(b"}}\n");
    }
}

impl FormatWriter for RowsWithProgress {
    fn head(&mut self, out: &mut Vec<u8>) {
        self.progress(self.began.elapsed(), out);
        out.extend_from_slice(b"{\"meta\":[");
        let names = json_names(&self.schema, b"");
        for (at, (column, name)) in self.schema.columns.iter().zip(names).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.extend_from_slice(b"{\"name\":");
            out.extend_from_slice(&name);
            out.extend_from_slice(b",\"type\":");
            push_json_string(column.ty.to_string().as_bytes(), true, out);
            out.push(b'}');
        }
        out.extend_from_slice(b"]}\n");
    }

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let elapsed = self.began.elapsed();
        if elapsed >= self.told + PROGRESS_INTERVAL {
            self.progress(elapsed, out);
        }
        let columns = self.schema.bind(batch)?;
        for row in 0..batch.num_rows() {
            out.extend_from_slice(b"{\"row\":");
            self.row.push(&columns, row, out);
            out.extend_from_slice(b"}\n");
        }
        Ok(())
    }

    fn tail(&mut self, totals: &Totals, out: &mut Vec<u8>) {
        if let Some(rows) = totals.rows_before_limit {
            out.extend_from_slice(b"{\"rows_before_limit_at_least\":");
            push_integer(rows, out);
            out.extend_from_slice(b"}\n");
        }
    }

    fn exception(&mut self, message: &str, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"{\"exception\": ");
        push_json_string(message.as_bytes(), false, out);
        out.extend_from_slice(b"}\n");
        true
    }
}
