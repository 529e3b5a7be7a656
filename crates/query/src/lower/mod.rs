//! Typed tree to DataFusion's logical plan. Every type and conversion is already decided, so nothing is left for
//! DataFusion's own coercion to do; it must not even run.

mod expression;
mod fill;
mod group;
mod join;
mod lambda;
mod node;
mod numbers;
mod shift;
mod window;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use datafusion::common::{Column, TableReference};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};
use hashbrown::HashMap;

use crate::analyze::{ColumnId, OutputColumn, Scan, TypedQuery, TypedStatement};
use crate::catalog::ScanSources;
use crate::control::Cancel;
use crate::error::QueryError;

pub(crate) use fill::Filler;

type Result<T, E = QueryError> = std::result::Result<T, E>;

/// The plan of a statement. Its columns are those of the query's output, in order, under unique names.
pub(crate) fn lower(
    statement: &TypedStatement,
    sources: &dyn ScanSources,
    cancel: &Cancel,
) -> Result<Lowered> {
    let mut lowering = Lowering {
        scans: &statement.scans,
        sources,
        cancel,
        names: HashMap::new(),
    };
    for (index, scan) in statement.scans.iter().enumerate() {
        for (id, column) in &scan.columns {
            let name = Column::new(Some(scan_name(index)), column.to_string());
            lowering.names.insert(*id, name);
        }
    }
    let totals = statement.totals.as_ref();
    Ok(Lowered {
        plan: lowering.query(&statement.query)?,
        totals: totals.map(|totals| lowering.query(totals)).transpose()?,
    })
}

/// The plans of a statement.
pub(crate) struct Lowered {
    /// Its rows.
    pub(crate) plan: LogicalPlan,
    /// The row of WITH TOTALS.
    pub(crate) totals: Option<LogicalPlan>,
}

fn scan_name(index: usize) -> TableReference {
    TableReference::bare(format!("t{index}"))
}

struct Lowering<'a> {
    scans: &'a [Scan],
    sources: &'a dyn ScanSources,
    /// Stops what runs long inside one batch.
    cancel: &'a Cancel,
    /// Columns of scans; all others are named by their number.
    names: HashMap<ColumnId, Column>,
}

impl Lowering<'_> {
    /// A query with exactly its output columns.
    fn query(&self, query: &TypedQuery) -> Result<LogicalPlan> {
        let plan = self.node(&query.node)?;
        let columns = query
            .output
            .iter()
            .map(|OutputColumn { id, .. }| Expr::Column(self.column(*id)))
            .collect();
        Ok(LogicalPlan::Projection(Projection::try_new(
            columns,
            Arc::new(plan),
        )?))
    }

    fn column(&self, id: ColumnId) -> Column {
        match self.names.get(&id) {
            Some(column) => column.clone(),
            None => Column::new_unqualified(column_name(id)),
        }
    }
}

fn column_name(id: ColumnId) -> String {
    format!("c{}", id.0)
}
