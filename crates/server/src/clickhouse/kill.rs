//! KILL QUERY: the engine says which queries are meant, this stops them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray};
use arrow::record_batch::RecordBatch;
use cairn_query::{Answer, ErrorCode, KillMode};
use futures::StreamExt as _;
use tokio::time::Instant;

use super::exception::Exception;
use super::limits::REPLACE_WAIT;
use super::processes::Processes;

/// Where `query_id` stands in the rows.
const ID_COLUMN: usize = 1;

/// Stops queries for a user.
pub(super) struct Killer {
    processes: Arc<Processes>,
    user: String,
}

impl Killer {
    pub(super) fn new(processes: Arc<Processes>, user: String) -> Self {
        Self { processes, user }
    }

    /// Does what the answer asks for; other answers pass through. Without victims there is no result.
    ///
    /// # Errors
    /// When the victims cannot be found, or one belongs to somebody else.
    pub(super) async fn carry_out(&self, mut answer: Answer) -> Result<Answer, Exception> {
        let Some(mode) = answer.kill else {
            return Ok(answer);
        };
        let mut batches = Vec::new();
        while let Some(batch) = answer.rows.next().await {
            batches.push(batch?);
        }
        let mut ids = Vec::new();
        for batch in &batches {
            ids.extend(query_ids(batch)?);
        }
        if mode != KillMode::Test {
            for id in &ids {
                self.processes.kill(id, &self.user)?;
            }
        }
        if mode == KillMode::Synchronous {
            let deadline = Instant::now() + REPLACE_WAIT;
            if self.processes.all_ended(&ids, deadline).await {
                batches = batches.iter().map(finished).collect::<Result<_, _>>()?;
            }
        }
        answer.has_result = !ids.is_empty();
        answer.rows = futures::stream::iter(batches.into_iter().map(Ok)).boxed();
        Ok(answer)
    }
}

fn query_ids(batch: &RecordBatch) -> Result<Vec<String>, Exception> {
    let ids = batch
        .columns()
        .get(ID_COLUMN)
        .and_then(|column| column.as_any().downcast_ref::<StringViewArray>())
        .ok_or_else(unexpected)?;
    Ok(ids.iter().flatten().map(str::to_owned).collect())
}

/// The rows with another `kill_status`.
fn finished(batch: &RecordBatch) -> Result<RecordBatch, Exception> {
    let status: ArrayRef = Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(
        "finished",
        batch.num_rows(),
    )));
    let rest = batch.columns().iter().skip(1).map(Arc::clone);
    let columns = std::iter::once(status).chain(rest).collect();
    RecordBatch::try_new(batch.schema(), columns).map_err(|_| unexpected())
}

fn unexpected() -> Exception {
    Exception::new(
        ErrorCode::LogicalError,
        "the queries to kill have not the expected columns",
    )
}
