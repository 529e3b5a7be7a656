//! WITH FILL around the rows of a query.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use crate::analyze::Fill;
use crate::error::QueryError;
use crate::lower::Filler;
use crate::types::Type;

/// What is being filled.
struct Filling {
    batches: SendableRecordBatchStream,
    filler: Filler,
    /// The batch that is passed on, and how far.
    open: Option<(RecordBatch, usize)>,
}

/// The rows with those that are missing.
pub(super) fn filled(
    batches: SendableRecordBatchStream,
    fill: Fill,
    types: Vec<Type>,
) -> SendableRecordBatchStream {
    let schema = batches.schema();
    let filling = Filling {
        filler: Filler::new(fill, types, Arc::clone(&schema)),
        batches,
        open: None,
    };
    let rows = stream::unfold(Some(filling), |filling| async move {
        let mut filling = filling?;
        // A long gap is filled without waiting for anything: others must run as well.
        tokio::task::yield_now().await;
        match filling.next().await {
            Ok(Some(batch)) => Some((Ok(batch), Some(filling))),
            Ok(None) => None,
            Err(error) => Some((Err(error), None)),
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

impl Filling {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        if self.filler.is_full() {
            return Ok(None);
        }
        loop {
            if let Some((batch, row)) = self.open.take() {
                let (made, row) = self
                    .filler
                    .push(&batch, row)
                    .map_err(QueryError::external)?;
                if row < batch.num_rows() {
                    self.open = Some((batch, row));
                }
                return Ok(Some(made));
            }
            match self.batches.next().await {
                Some(batch) => self.open = Some((batch?, 0)),
                None => {
                    return self.filler.finish().map_err(QueryError::external);
                }
            }
        }
    }
}
