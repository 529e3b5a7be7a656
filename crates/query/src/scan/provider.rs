//! A stored table of one query: its snapshot is taken when the query begins and every scan of it sees the same rows.

use std::sync::Arc;

use async_trait::async_trait;
use cairn_storage::{Predicate, ScanColumn, ScanRequest, TableId};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::default_table_source::provider_as_source;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::Result as DfResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableSource, TableType};
use datafusion::physical_plan::ExecutionPlan;

use super::columns::{plan_schema, scan_columns};
use super::exec::SegmentScanExec;
use super::pushdown::to_predicate;
use super::shared::ScanShared;
use crate::catalog::ScanSources;
use crate::error::{QueryError, Result};

/// The stored tables of one query.
#[derive(Debug)]
pub(crate) struct QueryScans {
    shared: Arc<ScanShared>,
}

impl QueryScans {
    /// Tables over the rows of `shared`.
    pub(crate) fn new(shared: ScanShared) -> Self {
        Self {
            shared: Arc::new(shared),
        }
    }
}

impl ScanSources for QueryScans {
    fn source(&self, table: TableId, columns: &[ScanColumn]) -> Result<Arc<dyn TableSource>> {
        let columns = scan_columns(table, columns);
        let provider = StoredTable {
            table,
            schema: plan_schema(table, &columns),
            columns,
            shared: Arc::clone(&self.shared),
        };
        Ok(provider_as_source(Arc::new(provider)))
    }
}

#[derive(Debug)]
struct StoredTable {
    table: TableId,
    columns: Vec<ScanColumn>,
    schema: SchemaRef,
    shared: Arc<ScanShared>,
}

#[async_trait]
impl TableProvider for StoredTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Storage evaluates what it understands exactly, and is not asked about the rest.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DfResult<Vec<TableProviderFilterPushDown>> {
        Ok(filters
            .iter()
            .map(
                |filter| match to_predicate(filter, &self.columns, self.table) {
                    Some(_) => TableProviderFilterPushDown::Exact,
                    None => TableProviderFilterPushDown::Unsupported,
                },
            )
            .collect())
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let projection = match projection {
            Some(projection) => projection
                .iter()
                .filter_map(|index| self.columns.get(*index).cloned())
                .collect(),
            None => self.columns.clone(),
        };
        let conditions = filters
            .iter()
            .filter_map(|filter| to_predicate(filter, &self.columns, self.table))
            .collect();
        let request = ScanRequest {
            table: self.table,
            projection,
            predicate: Predicate::And(conditions),
            top: None,
        };
        let exec = SegmentScanExec::try_new(Arc::clone(&self.shared), request, schema, limit)
            .map_err(QueryError::external)?;
        Ok(Arc::new(exec))
    }
}
