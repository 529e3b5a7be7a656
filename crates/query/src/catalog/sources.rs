//! The seam between plans and stored tables: lowering asks for a source, the scan room is one.

use std::sync::Arc;

use cairn_storage::{ScanColumn, TableId};
use datafusion::logical_expr::TableSource;

use crate::error::Result;

/// Where scans get their rows from.
pub(crate) trait ScanSources {
    /// The source of a table. Its schema has every stored column and those of `columns` that are looked up in maps,
    /// named as they print.
    fn source(&self, table: TableId, columns: &[ScanColumn]) -> Result<Arc<dyn TableSource>>;
}
