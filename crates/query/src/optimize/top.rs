//! `ORDER BY Timestamp [DESC] LIMIT n`, or by a coarser form of it, straight above a scan: the scan then returns only the rows that can win.

use std::sync::Arc;

use cairn_storage::{ScanColumn, TableDef, Top};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::expressions::{Column, Literal};
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

/// Functions that never go down while the time goes up: an order by one of them is one by the time with more ties.
const COARSER: [&str; 14] = [
    "toDate",
    "toDateTime",
    "toStartOfDay",
    "toStartOfFifteenMinutes",
    "toStartOfFiveMinutes",
    "toStartOfHour",
    "toStartOfInterval",
    "toStartOfMinute",
    "toStartOfSecond",
    "toStartOfTenMinutes",
    "toUnixTimestamp",
    "toUnixTimestamp64Micro",
    "toUnixTimestamp64Milli",
    "toUnixTimestamp64Nano",
];

/// Whether the order is that of the timestamp: newest first (true), oldest first, or something else. Parts of the
/// timestamp in the same direction change nothing in front of it; behind them any order of equal rows is right.
fn by_time(
    keys: &[&PhysicalSortExpr],
    projections: &[&ProjectionExec],
    scan: &SegmentScanExec,
) -> Option<bool> {
    let newest = keys.first()?.options.descending;
    for key in keys {
        let resolved = resolve(&key.expr, projections)?;
        if key.options.descending != newest || !goes_with_time(&resolved, scan) {
            return None;
        }
    }
    Some(newest)
}

/// The time itself, or a coarser form of it; whatever else the function takes is constant.
fn goes_with_time(expr: &Arc<dyn PhysicalExpr>, scan: &SegmentScanExec) -> bool {
    if is_timestamp(expr, scan) {
        return true;
    }
    let Some(call) = expr.downcast_ref::<ScalarFunctionExpr>() else {
        return false;
    };
    let [time, rest @ ..] = call.args() else {
        return false;
    };
    COARSER.contains(&call.name())
        && goes_with_time(time, scan)
        && rest
            .iter()
            .all(|argument| argument.downcast_ref::<Literal>().is_some())
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
