//! Rows as a Parquet file for other programs, written piece by piece. These files are answers, not
//! segments: nothing here touches the disk or the layout of stored data.

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{WriterProperties, WriterVersion};

/// Rows of a row group at most.
const ROW_GROUP_ROWS: usize = 131_072;
/// Encoded bytes at which a row group is closed: what one export holds in memory.
const ROW_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Why an export cannot go on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ExportError(#[from] ParquetError);

/// Writes one file. What is ready is handed out after every batch.
#[derive(Debug)]
pub struct ParquetExport {
    /// Absent once finished.
    writer: Option<ArrowWriter<Vec<u8>>>,
}

impl ParquetExport {
    /// A file of rows of this schema.
    ///
    /// # Errors
    /// When Parquet has no form for one of the types.
    pub fn new(schema: SchemaRef) -> Result<Self, ExportError> {
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .build();
        let writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
        Ok(Self {
            writer: Some(writer),
        })
    }

    /// Adds rows; appends the bytes that are ready.
    ///
    /// # Errors
    /// When the rows do not fit the schema.
    pub fn write(&mut self, batch: &RecordBatch, out: &mut Vec<u8>) -> Result<(), ExportError> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        writer.write(batch)?;
        if writer.in_progress_size() >= ROW_GROUP_BYTES {
            writer.flush()?;
        }
        out.append(writer.inner_mut());
        Ok(())
    }

    /// Ends the file and appends its last bytes.
    ///
    /// # Errors
    /// When the last rows cannot be encoded.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), ExportError> {
        if let Some(writer) = self.writer.take() {
            out.append(&mut writer.into_inner()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};
    use bytes::Bytes;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    use super::*;

    #[test]
    fn a_file_of_many_row_groups_comes_in_pieces_and_reads_back() {
        let numbers = |from: i64| -> RecordBatch {
            let column: ArrayRef = Arc::new((from..from + 50_000).collect::<Int64Array>());
            RecordBatch::try_from_iter([("n", column)]).unwrap()
        };
        let mut export = ParquetExport::new(numbers(0).schema()).unwrap();
        let mut file = Vec::new();
        for from in [0, 50_000, 100_000, 150_000] {
            export.write(&numbers(from), &mut file).unwrap();
        }
        let early = file.len();
        assert!(early > 1000, "nothing came before the end: {early}");
        export.finish(&mut file).unwrap();
        export.finish(&mut file).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        let rows: usize = reader
            .build()
            .unwrap()
            .map(|batch| batch.unwrap().num_rows())
            .sum();
        assert_eq!(rows, 200_000);
    }
}
