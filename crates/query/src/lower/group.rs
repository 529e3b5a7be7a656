//! Aggregation, also with several groupings at once.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::Column;
use datafusion::logical_expr::expr::GroupingSet;
use datafusion::logical_expr::{Aggregate, BinaryExpr, Cast, Expr, LogicalPlan, Operator};

use super::expression::literal;
use super::{Lowering, Result, column_name};
use crate::analyze::{AggregateCall, ColumnId, GroupingSets, Node, Typed};
use crate::types::{Type, Value};

impl Lowering<'_> {
    pub(super) fn aggregate(
        &self,
        input: &Node,
        keys: &[(ColumnId, Typed)],
        aggregates: &[(ColumnId, AggregateCall)],
        sets: Option<&GroupingSets>,
    ) -> Result<LogicalPlan> {
        let mut input = self.node(input)?;
        let mut groups = Vec::new();
        let mut outputs = Vec::new();
        let column = |id: &ColumnId| Expr::Column(Column::new_unqualified(column_name(*id)));
        for (id, _) in keys {
            outputs.push(column(id));
        }
        match sets {
            None => {
                for (id, key) in keys {
                    groups.push(self.value(key)?.alias(column_name(*id)));
                }
            }
            Some(sets) => {
                input = self.extend(input, keys)?;
                groups.push(grouping_set(keys, sets));
                outputs.push(set_bits(keys.len())?.alias(column_name(sets.id)));
            }
        }
        let mut calls = Vec::new();
        for (id, call) in aggregates {
            let raw = format!("a{}", id.0);
            let (arguments, condition) = match call.arguments.split_last() {
                Some((condition, rest)) if call.resolved.takes_condition => {
                    (rest, Some(self.condition(condition)?))
                }
                _ => (call.arguments.as_slice(), None),
            };
            let arguments = self.values(arguments)?;
            calls.push(
                call.resolved
                    .build(arguments, condition)
                    .alias(raw.as_str()),
            );
            let column = Expr::Column(Column::new_unqualified(raw));
            outputs.push(call.resolved.finish(column)?.alias(column_name(*id)));
        }
        let plan = Aggregate::try_new(Arc::new(input), groups, calls)?;
        self.project(LogicalPlan::Aggregate(plan), outputs)
    }
}

fn grouping_set(keys: &[(ColumnId, Typed)], sets: &GroupingSets) -> Expr {
    let column = |position: &usize| {
        let (id, _) = keys.get(*position)?;
        Some(Expr::Column(Column::new_unqualified(column_name(*id))))
    };
    let sets = sets
        .sets
        .iter()
        .map(|set| set.iter().filter_map(column).collect())
        .collect();
    Expr::GroupingSet(GroupingSet::GroupingSets(sets))
}

/// Which keys are left out, as a number: the bits above those of the keys count repeated sets.
fn set_bits(keys: usize) -> Result<Expr> {
    let id = Expr::Column(Column::new_unqualified(Aggregate::INTERNAL_GROUPING_ID));
    let id = Expr::Cast(Cast::new(Box::new(id), DataType::UInt64));
    let mask = literal(&Value::UInt(GroupingSets::mask(keys)), &Type::UInt64)?;
    Ok(Expr::BinaryExpr(BinaryExpr::new(
        Box::new(id),
        Operator::BitwiseAnd,
        Box::new(mask),
    )))
}
