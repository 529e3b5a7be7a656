//! Window functions.

use std::sync::Arc;

use datafusion::common::{Column, ScalarValue};
use datafusion::functions_window::cume_dist::cume_dist_udwf;
use datafusion::functions_window::nth_value::nth_value_udwf;
use datafusion::functions_window::ntile::ntile_udwf;
use datafusion::functions_window::rank::{dense_rank_udwf, percent_rank_udwf, rank_udwf};
use datafusion::functions_window::row_number::row_number_udwf;
use datafusion::logical_expr::expr::{Alias, WindowFunction};
use datafusion::logical_expr::{
    Expr, LogicalPlan, Window, WindowFrame, WindowFrameBound, WindowFrameUnits, WindowUDF,
};

use super::shift::shifted;
use super::{Lowering, Result, column_name};
use crate::analyze::{ColumnId, Node, Over, WindowCall};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Frame, FrameBound, FrameUnit};
use crate::types::Value;

impl Lowering<'_> {
    /// The input's columns and one more for each window function.
    pub(super) fn windows(
        &self,
        input: &Node,
        windows: &[(ColumnId, WindowCall)],
    ) -> Result<LogicalPlan> {
        let mut plan = self.node(input)?;
        let mut outputs: Vec<Expr> = plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        // Functions over the same rows in the same order share a node.
        let mut groups: Vec<Vec<&(ColumnId, WindowCall)>> = Vec::new();
        for window in windows {
            let same = groups.iter_mut().find(|group| {
                group.first().is_some_and(|(_, first)| {
                    first.partition == window.1.partition && first.order == window.1.order
                })
            });
            match same {
                Some(group) => group.push(window),
                None => groups.push(vec![window]),
            }
        }
        for group in groups {
            let mut exprs = Vec::new();
            for (id, call) in group {
                let raw = format!("w{}", id.0);
                let function = Expr::WindowFunction(Box::new(self.window(call)?));
                exprs.push(Expr::Alias(Alias::new(
                    function,
                    None::<&str>,
                    raw.as_str(),
                )));
                let column = Expr::Column(Column::new_unqualified(raw));
                let column = match &call.function {
                    Over::Aggregate(call) => call.resolved.finish(column)?,
                    Over::RowNumber
                    | Over::Rank
                    | Over::DenseRank
                    | Over::PercentRank
                    | Over::CumeDist
                    | Over::Ntile
                    | Over::Nth
                    | Over::Shift { .. } => column,
                };
                outputs.push(column.alias(column_name(*id)));
            }
            plan = LogicalPlan::Window(Window::try_new(exprs, Arc::new(plan))?);
        }
        self.project(plan, outputs)
    }

    fn window(&self, call: &WindowCall) -> Result<WindowFunction> {
        let own = |function: Arc<WindowUDF>| -> Result<WindowFunction> {
            Ok(WindowFunction::new(function, self.values(&call.arguments)?))
        };
        let mut function = match &call.function {
            Over::RowNumber => own(row_number_udwf())?,
            Over::Rank => own(rank_udwf())?,
            Over::DenseRank => own(dense_rank_udwf())?,
            Over::PercentRank => own(percent_rank_udwf())?,
            Over::CumeDist => own(cume_dist_udwf())?,
            Over::Ntile => own(ntile_udwf())?,
            Over::Nth => own(nth_value_udwf())?,
            Over::Shift { offset, in_frame } => own(shifted(*offset, *in_frame))?,
            Over::Aggregate(aggregate) => {
                let resolved = &aggregate.resolved;
                let (arguments, condition) = match call.arguments.split_last() {
                    Some((condition, rest)) if resolved.takes_condition => {
                        (rest, Some(self.condition(condition)?))
                    }
                    _ => (call.arguments.as_slice(), None),
                };
                resolved.over(self.values(arguments)?, condition)
            }
        };
        function.params.partition_by = self.values(&call.partition)?;
        function.params.order_by = self.sort_keys(&call.order)?;
        function.params.window_frame = self.frame(call)?;
        Ok(function)
    }

    fn frame(&self, call: &WindowCall) -> Result<WindowFrame> {
        let Some(frame) = &call.frame else {
            let ordered = !call.order.is_empty();
            return Ok(WindowFrame::new(ordered.then_some(false)));
        };
        let units = match frame.unit {
            FrameUnit::Rows => WindowFrameUnits::Rows,
            FrameUnit::Range => WindowFrameUnits::Range,
            FrameUnit::Groups => WindowFrameUnits::Groups,
        };
        let start = self.bound(call, frame, &frame.start)?;
        let end = self.bound(call, frame, &frame.end)?;
        Ok(WindowFrame::new_bounds(units, start, end))
    }

    fn bound(
        &self,
        call: &WindowCall,
        frame: &Frame,
        bound: &FrameBound,
    ) -> Result<WindowFrameBound> {
        // A range is counted in the values of the only key, all else in rows.
        let count = |count: u64| -> Result<ScalarValue> {
            match call.order.first() {
                Some(key) if frame.unit == FrameUnit::Range => {
                    let ty = key.expr.ty.bare();
                    let value = match i64::try_from(count) {
                        Ok(count) if ty.is_signed() => Value::Int(count),
                        _ => Value::UInt(count),
                    };
                    let value = if ty.is_float() {
                        Value::Float(crate::types::as_f64(&value).unwrap_or_default())
                    } else {
                        value
                    };
                    value.to_scalar(ty).map_err(|_| {
                        QueryError::new(
                            ErrorCode::BadArguments,
                            format!(
                                "The RANGE OFFSET frame does not work for ORDER BY of type {ty}"
                            ),
                        )
                    })
                }
                _ => Ok(ScalarValue::UInt64(Some(count))),
            }
        };
        let nothing = || -> Result<ScalarValue> {
            Ok(match count(0)? {
                value if frame.unit == FrameUnit::Range => {
                    ScalarValue::try_from(value.data_type())?
                }
                _ => ScalarValue::UInt64(None),
            })
        };
        Ok(match bound {
            FrameBound::UnboundedPreceding => WindowFrameBound::Preceding(nothing()?),
            FrameBound::Preceding(rows) => WindowFrameBound::Preceding(count(*rows)?),
            FrameBound::CurrentRow => WindowFrameBound::CurrentRow,
            FrameBound::Following(rows) => WindowFrameBound::Following(count(*rows)?),
            FrameBound::UnboundedFollowing => WindowFrameBound::Following(nothing()?),
        })
    }
}
