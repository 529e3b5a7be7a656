//! Small answers that are needed beside or before the rows: totals, scalar subqueries, sets.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;
use tokio::time::Instant;

use super::planning::Subquery;
use crate::analyze::KnownRows;
use crate::control::Cancel;
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::Value;

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

/// The rows of subqueries, by their number.
pub(super) async fn first_answers(
    subqueries: Vec<Subquery>,
    context: &Arc<TaskContext>,
    bounds: Bounds<'_>,
) -> Result<KnownRows> {
    let mut known = KnownRows::default();
    for subquery in subqueries {
        let most = subquery.most;
        let batch = side_answer(subquery.plan, Arc::clone(context), bounds, most).await?;
        let mut rows = Vec::new();
        for row in 0..batch.num_rows().min(most.saturating_add(1)) {
            let columns = batch.columns().iter().zip(&subquery.types);
            let values = columns.map(|(column, ty)| Value::from_array(column, row, ty));
            rows.push(values.collect::<Result<_>>()?);
        }
        known.insert(subquery.id, rows);
    }
    Ok(known)
}
