//! Rows that came as rows, by SQL: written into the WAL as an Arrow stream, and from there into a
//! table's own types. The same bytes are decoded on arrival and at replay.

mod plain;
mod write;

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{Field, Schema};
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use cairn_storage::{
    Nanos, PayloadCompression, PayloadEncoding, RawRecord, Signal, TableBatch, TableDef, TableId,
};

use crate::batch::table_batch;
use crate::error::{IngestError, Result};
use crate::limits::MAX_RECORDS_PER_REQUEST;
use crate::notes::{Notes, Tally};

/// Where the stream's schema names the table, as its number on disk.
const TABLE_KEY: &str = "cairn.table";

/// The record of rows for a table, as the WAL keeps it. `columns` have the physical types of SQL;
/// those that are missing get their defaults.
///
/// # Errors
/// When a column does not exist or has another type, or there are too many rows.
pub fn rows_record(
    table: TableId,
    columns: &[(String, ArrayRef)],
    received_at: Nanos,
) -> Result<RawRecord, IngestError> {
    let rows = columns.first().map_or(0, |(_, array)| array.len());
    let count = u64::try_from(rows).unwrap_or(u64::MAX);
    if count > MAX_RECORDS_PER_REQUEST {
        return Err(IngestError::TooLarge {
            what: "rows",
            limit: MAX_RECORDS_PER_REQUEST,
        });
    }
    let mut fields = Vec::new();
    let mut arrays = Vec::new();
    for column in TableDef::of(table).columns {
        let given = columns.iter().find(|(name, _)| name == column.name);
        let array = match given {
            Some((name, array)) => plain::from_sql(column.kind, array)
                .map_err(|what| IngestError::Malformed(format!("column {name}: {what}")))?,
            None => plain::default(column.kind, rows),
        };
        fields.push(Field::new(column.name, array.data_type().clone(), false));
        arrays.push(array);
    }
    let metadata = HashMap::from([(TABLE_KEY.to_owned(), table.number().to_string())]);
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    Ok(RawRecord {
        signal: signal_of(table),
        encoding: PayloadEncoding::Rows,
        compression: PayloadCompression::None,
        options: 0,
        received_at,
        payload: encode(&schema, &batch)?.into(),
    })
}

fn encode(schema: &Arc<Schema>, batch: &RecordBatch) -> Result<Vec<u8>> {
    let options =
        IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
    let mut writer = StreamWriter::try_new_with_options(Vec::new(), schema, options)?;
    writer.write(batch)?;
    Ok(writer.into_inner()?)
}

fn signal_of(table: TableId) -> Signal {
    match table {
        TableId::Logs => Signal::Logs,
        TableId::Traces => Signal::Traces,
        TableId::MetricsGauge
        | TableId::MetricsSum
        | TableId::MetricsHistogram
        | TableId::MetricsExponentialHistogram
        | TableId::MetricsSummary => Signal::Metrics,
    }
}

/// The rows of such a record.
pub(crate) fn decode(body: &[u8]) -> Result<(Vec<TableBatch>, Tally)> {
    let malformed = |what: String| IngestError::Malformed(format!("rows: {what}"));
    let reader = StreamReader::try_new(body, None).map_err(|error| malformed(error.to_string()))?;
    let schema = reader.schema();
    let table = schema
        .metadata()
        .get(TABLE_KEY)
        .and_then(|number| number.parse().ok())
        .and_then(TableId::from_number)
        .ok_or_else(|| malformed("the stream names no table".to_owned()))?;
    let mut tally = Tally::default();
    let mut batches = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|error| malformed(error.to_string()))?;
        let columns = write_columns(table, &batch, &mut tally.notes)?;
        tally.accepted += u64::try_from(batch.num_rows()).unwrap_or(u64::MAX);
        batches.push(table_batch(table, columns)?);
    }
    Ok((batches, tally))
}

fn write_columns(table: TableId, batch: &RecordBatch, notes: &mut Notes) -> Result<Vec<ArrayRef>> {
    TableDef::of(table)
        .columns
        .iter()
        .map(|column| {
            let missing = || IngestError::Malformed(format!("rows: no column {}", column.name));
            let array = batch.column_by_name(column.name).ok_or_else(missing)?;
            write::to_write(column, array, notes)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Int64Array, StringViewArray};

    use super::*;
    use crate::decoder::{Decoder, DecoderConfig};

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringViewArray::from_iter_values(values))
    }

    fn record(columns: &[(&str, ArrayRef)]) -> Result<RawRecord> {
        let columns: Vec<_> = columns
            .iter()
            .map(|(name, array)| ((*name).to_owned(), Arc::clone(array)))
            .collect();
        rows_record(TableId::Logs, &columns, Nanos(1))
    }

    fn rows(record: &RawRecord) -> Result<RecordBatch> {
        let decoded = Decoder::new(DecoderConfig::default()).decode_request(record)?;
        Ok(decoded.batches[0].rows.clone())
    }

    #[test]
    fn rows_have_the_tables_types_and_defaults() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        let record = record(&[
            ("Body", texts(&["a", "b"])),
            ("Timestamp", Arc::new(Int64Array::from(vec![5, 7]))),
            ("TraceId", texts(&[id, ""])),
            ("ServiceName", texts(&["s", "s"])),
        ])
        .unwrap();
        let rows = rows(&record).unwrap();
        assert_eq!(rows.schema(), TableDef::of(TableId::Logs).write_schema());
        assert_eq!(
            rows.column_by_name("Body")
                .unwrap()
                .as_string::<i32>()
                .value(1),
            "b"
        );
        let ids = rows.column_by_name("TraceId").unwrap();
        assert!(ids.is_valid(0) && ids.is_null(1));
        assert_eq!(
            rows.column_by_name("LogAttributes")
                .unwrap()
                .as_map()
                .value_length(0),
            0
        );
        assert_eq!(record.signal, Signal::Logs);
    }

    #[test]
    fn wrong_columns_and_ids_are_refused() {
        assert!(record(&[("Body", Arc::new(Int64Array::from(vec![1])) as ArrayRef)]).is_err());
        for id in ["xyz", "0af7", "zzf7651916cd43dd8448eb211c80319c"] {
            let bad = record(&[("TraceId", texts(&[id]))]).unwrap();
            assert!(matches!(rows(&bad), Err(IngestError::Malformed(_))), "{id}");
        }
    }

    #[test]
    fn damaged_streams_are_errors() {
        let whole = record(&[("Body", texts(&["a"]))]).unwrap();
        for end in (0..whole.payload.len()).step_by(7) {
            let cut = RawRecord {
                payload: whole.payload.slice(..end),
                ..whole.clone()
            };
            let decoded = Decoder::new(DecoderConfig::default()).decode_request(&cut);
            let rows = decoded.map_or(0, |decoded| decoded.accepted);
            assert!(rows <= 1, "{end}");
        }
    }
}
