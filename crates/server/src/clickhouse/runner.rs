//! The seam between this room and the query engine: tests put answers here that break or stall on
//! purpose.

use cairn_query::{Answer, Cancel, Query, QueryError};
use futures::future::BoxFuture;

/// Something that answers queries.
pub trait RunQuery: Send + Sync + 'static {
    /// Runs one statement; `cancel` stops it at any time.
    fn run(&self, query: Query, cancel: Cancel) -> BoxFuture<'_, Result<Answer, QueryError>>;
}
