//! `GROUP BY arrayJoin(mapKeys(column))` with nothing or `count()` beside it, straight above a scan: storage counts keys
//! itself, from metadata where it can, instead of handing out maps.

use std::sync::Arc;

use cairn_storage::ScanColumn;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::unnest::UnnestExec;

use crate::scan::SegmentScanExec;

/// The rule. What stands above the first step of the aggregation stays and adds up what the partitions counted.
#[derive(Debug, Default)]
pub(crate) struct KeysOfScan;

impl PhysicalOptimizerRule for KeysOfScan {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| {
            let counted = node.downcast_ref::<AggregateExec>().and_then(key_scan);
            Ok(match counted {
                Some(scan) => Transformed::yes(scan),
                None => Transformed::no(node),
            })
        })
        .map(|transformed| transformed.data)
    }

    fn name(&self) -> &'static str {
        "keys_of_scan"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The scan of keys that returns what `aggregate` does.
fn key_scan(aggregate: &AggregateExec) -> Option<Arc<dyn ExecutionPlan>> {
    let only_part = match aggregate.mode() {
        AggregateMode::Partial => false,
        AggregateMode::Single => true,
        AggregateMode::Final
        | AggregateMode::FinalPartitioned
        | AggregateMode::SinglePartitioned
        | AggregateMode::PartialReduce => return None,
    };
    let group = aggregate.group_expr();
    let [(key, _)] = group.expr() else {
        return None;
    };
    let counts = aggregate.aggr_expr();
    if group.has_grouping_set()
        || counts.len() > 1
        || !counts.iter().all(|call| counts_rows(call))
        || aggregate.filter_expr().iter().any(Option::is_some)
    {
        return None;
    }
    let (key, unnest) = below_projections(key, aggregate.input());
    let unnest = unnest.downcast_ref::<UnnestExec>()?;
    let [list] = unnest.list_column_indices() else {
        return None;
    };
    // Where the list column stands, its items come out.
    let key = key?.downcast_ref::<Column>()?.index();
    if !unnest.struct_column_indices().is_empty() || key != list.index_in_input_schema {
        return None;
    }
    let array: Arc<dyn PhysicalExpr> = Arc::new(Column::new("", key));
    let (array, scan) = below_projections(&array, unnest.input());
    let scan = scan.downcast_ref::<SegmentScanExec>()?;
    let array = array?;
    let call = array.downcast_ref::<ScalarFunctionExpr>()?;
    let [map] = call.args() else {
        return None;
    };
    let map = map
        .downcast_ref::<Column>()
        .filter(|_| call.name() == "mapKeys")?;
    let ScanColumn::Stored(column) = scan.request().projection.get(map.index())? else {
        return None;
    };
    let keys = scan.keys_of(column, aggregate.schema(), only_part)?;
    Some(Arc::new(keys))
}

/// Whether a call counts rows, whatever is in them.
fn counts_rows(call: &AggregateFunctionExpr) -> bool {
    let expressions = call.expressions();
    let constant = match expressions.as_slice() {
        [only] => only.downcast_ref::<Literal>(),
        _ => None,
    };
    call.fun().name() == "count"
        && !call.is_distinct()
        && constant.is_some_and(|constant| !constant.value().is_null())
}

/// What `expr` is below the projections that begin with `plan`, and what is there; none when it is more than a column of
/// one of them but the last.
fn below_projections<'a>(
    expr: &Arc<dyn PhysicalExpr>,
    mut plan: &'a Arc<dyn ExecutionPlan>,
) -> (Option<Arc<dyn PhysicalExpr>>, &'a Arc<dyn ExecutionPlan>) {
    let mut expr = Some(Arc::clone(expr));
    while let Some(projection) = plan.downcast_ref::<ProjectionExec>() {
        expr = expr.and_then(|expr| {
            let index = expr.downcast_ref::<Column>()?.index();
            Some(Arc::clone(&projection.expr().get(index)?.expr))
        });
        plan = projection.input();
    }
    (expr, plan)
}
