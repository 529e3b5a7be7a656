//! `ORDER BY Timestamp [DESC] LIMIT n` straight above a scan: the scan then returns only the rows that can win.

use std::sync::Arc;

use cairn_storage::{ScanColumn, TableDef, Top};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use crate::error::QueryError;
use crate::scan::SegmentScanExec;

/// The rule. The sort stays: a top scan returns its rows in no order.
#[derive(Debug, Default)]
pub(crate) struct TopOfScan;

impl PhysicalOptimizerRule for TopOfScan {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let Some(sort) = node.downcast_ref::<SortExec>() else {
                return Ok(Transformed::no(node));
            };
            let Some(input) = bounded(sort)? else {
                return Ok(Transformed::no(node));
            };
            let sort = SortExec::new(sort.expr().clone(), input).with_fetch(sort.fetch());
            Ok(Transformed::yes(Arc::new(sort) as Arc<dyn ExecutionPlan>))
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "top_of_scan"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The input of `sort` with a bounded scan, when only projections stand between the two.
fn bounded(sort: &SortExec) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(count) = sort.fetch() else {
        return Ok(None);
    };
    let mut projections = Vec::new();
    let mut input = sort.input();
    while let Some(projection) = input.downcast_ref::<ProjectionExec>() {
        projections.push(projection);
        input = projection.input();
    }
    let Some(scan) = input.downcast_ref::<SegmentScanExec>() else {
        return Ok(None);
    };
    let keys: Vec<_> = sort.expr().iter().collect();
    let Some(newest) = by_time(&keys, &projections, scan) else {
        return Ok(None);
    };
    let Some(top) = scan
        .with_top(Top { count, newest })
        .map_err(QueryError::external)?
    else {
        return Ok(None);
    };
    let mut plan: Arc<dyn ExecutionPlan> = Arc::new(top);
    for projection in projections.into_iter().rev() {
        plan = Arc::new(ProjectionExec::try_new(projection.expr().to_vec(), plan)?);
    }
    Ok(Some(plan))
}

/// Whether the order is that of the timestamp alone: newest first (true), oldest first, or something else. Seconds of
/// the timestamp in front of it, in the same direction, change nothing.
fn by_time(
    keys: &[&PhysicalSortExpr],
    projections: &[&ProjectionExec],
    scan: &SegmentScanExec,
) -> Option<bool> {
    let (last, coarser) = keys.split_last()?;
    let newest = last.options.descending;
    let is_time = |expr: &Arc<dyn PhysicalExpr>| is_timestamp(expr, scan);
    let resolved = resolve(&last.expr, projections)?;
    if !is_time(&resolved) {
        return None;
    }
    for key in coarser {
        let resolved = resolve(&key.expr, projections)?;
        let call = resolved.downcast_ref::<ScalarFunctionExpr>();
        let seconds = call.is_some_and(|call| {
            call.name() == "toDateTime" && matches!(call.args(), [argument] if is_time(argument))
        });
        if key.options.descending != newest || !(seconds || is_time(&resolved)) {
            return None;
        }
    }
    Some(newest)
}

fn is_timestamp(expr: &Arc<dyn PhysicalExpr>, scan: &SegmentScanExec) -> bool {
    expr.downcast_ref::<Column>().is_some_and(|column| {
        let source = scan.request().projection.get(column.index());
        let time = TableDef::of(scan.request().table).time_column();
        source == Some(&ScanColumn::stored(time))
    })
}

/// What an expression over the outermost projection is over the innermost one's input.
fn resolve(
    expr: &Arc<dyn PhysicalExpr>,
    projections: &[&ProjectionExec],
) -> Option<Arc<dyn PhysicalExpr>> {
    let mut expr = Arc::clone(expr);
    for projection in projections {
        let column = expr.downcast_ref::<Column>()?;
        expr = Arc::clone(&projection.expr().get(column.index())?.expr);
    }
    Some(expr)
}
