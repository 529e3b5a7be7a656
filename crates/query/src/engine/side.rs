//! Small answers that are needed beside or before the rows: totals, scalar subqueries, sets.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use tokio::time::Instant;

use crate::control::Cancel;
use crate::error::{ErrorCode, QueryError, Result};

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub(super) cancel: &'a Cancel,
    pub(super) deadline: Instant,
}

/// The rows of a plan that has few of them: at most `most`, and what came with the last of these.
pub(super) async fn side_answer(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    bounds: Bounds<'_>,
    most: usize,
) -> Result<RecordBatch> {
    let schema = plan.schema();
    let mut batches = execute_stream(plan, context)?;
    let mut found = Vec::new();
    let mut rows = 0;
    while rows <= most {
        bounds.cancel.check()?;
        let next = tokio::select! {
            biased;
            () = bounds.cancel.cancelled() => None,
            () = tokio::time::sleep_until(bounds.deadline) => None,
            next = batches.next() => Some(next),
        };
        let Some(next) = next else {
            bounds.cancel.time_out();
            bounds.cancel.check()?;
            continue;
        };
        let Some(batch) = next else {
            break;
        };
        let batch = batch?;
        rows += batch.num_rows();
        found.push(batch);
    }
    concat_batches(&schema, &found)
        .map_err(|error| QueryError::new(ErrorCode::LogicalError, error.to_string()))
}
