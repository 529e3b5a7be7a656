//! `numbers(…)`: batches made on demand, without end if none is given.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::stream;

use super::Result;

/// Rows of one batch.
const BATCH_ROWS: u64 = 8_192;

/// A table with one column of consecutive numbers.
pub(super) fn numbers_table(
    column: &str,
    start: u64,
    count: Option<u64>,
) -> Result<Arc<dyn TableProvider>> {
    let schema = Arc::new(Schema::new(vec![Field::new(
        column,
        DataType::UInt64,
        false,
    )]));
    let partition = Numbers {
        schema: Arc::clone(&schema),
        start,
        end: count.map_or(u64::MAX, |count| start.saturating_add(count)),
    };
    // Not called infinite even without an end: DataFusion would refuse to aggregate it, ClickHouse runs until the limit.
    Ok(Arc::new(StreamingTable::try_new(
        schema,
        vec![Arc::new(partition)],
    )?))
}

#[derive(Debug)]
struct Numbers {
    schema: SchemaRef,
    start: u64,
    end: u64,
}

impl PartitionStream for Numbers {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let end = self.end;
        let schema = Arc::clone(&self.schema);
        let batches = stream::unfold(self.start, move |next| {
            let schema = Arc::clone(&schema);
            async move {
                if next >= end {
                    return None;
                }
                let stop = next.saturating_add(BATCH_ROWS).min(end);
                let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(next..stop));
                let batch = RecordBatch::try_new(schema, vec![numbers]).map_err(Into::into);
                // An endless table must let others run: nothing in this stream ever waits.
                tokio::task::yield_now().await;
                Some((batch, stop))
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches,
        ))
    }
}
