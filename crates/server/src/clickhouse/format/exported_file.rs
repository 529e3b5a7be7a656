//! Parquet: one file, written row group by row group.

use arrow::record_batch::RecordBatch;
use cairn_storage::ParquetExport;

use super::exchange::Exchange;
use super::{FormatError, FormatWriter, Schema, Totals};

/// Parquet.
pub(super) struct ExportedFile {
    exchange: Exchange,
    export: Result<ParquetExport, String>,
}

impl ExportedFile {
    pub(super) fn new(schema: &Schema) -> Self {
        let exchange = Exchange::for_parquet(schema);
        let export = ParquetExport::new(exchange.schema()).map_err(|error| error.to_string());
        Self { exchange, export }
    }
}

impl FormatWriter for ExportedFile {
    fn head(&mut self, _out: &mut Vec<u8>) {}

    fn rows(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), FormatError> {
        let batch = self.exchange.convert(batch)?;
        let export = self
            .export
            .as_mut()
            .map_err(|error| FormatError::Encode(error.clone()))?;
        export
            .write(&batch, out)
            .map_err(|error| FormatError::Encode(error.to_string()))
    }

    fn tail(&mut self, _totals: &Totals, out: &mut Vec<u8>) {
        let Ok(export) = &mut self.export else { return };
        if let Err(error) = export.finish(out) {
            tracing::error!(%error, "cannot end a Parquet result");
        }
    }
}
