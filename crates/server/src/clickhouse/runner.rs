//! The seam between this room and the query engine: tests put answers here that break or stall on
//! purpose.

use arrow::array::ArrayRef;
use cairn_query::{Answer, Cancel, Query, QueryError};
use cairn_storage::TableId;
use futures::future::BoxFuture;

/// Something that answers queries.
pub trait RunQuery: Send + Sync + 'static {
    /// Runs one statement; `cancel` stops it at any time.
    fn run(&self, query: Query, cancel: Cancel) -> BoxFuture<'_, Result<Answer, QueryError>>;

    /// Makes rows of a table durable. `columns` have SQL's types and missing ones their defaults;
    /// `bytes` is what the rows took on the wire.
    fn insert(
        &self,
        table: TableId,
        columns: Vec<(String, ArrayRef)>,
        bytes: u64,
    ) -> BoxFuture<'_, Result<(), QueryError>>;
}
