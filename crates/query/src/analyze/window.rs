//! Window functions: which they are, what their window is, and the node that computes them.

use std::sync::Arc;

use super::expression::aggregate_name;
use super::function::arguments_of;
use super::scope::{Scope, or_default};
use super::tree::{AggregateCall, Kind, Node, Over, SortKey, Typed, WindowCall};
use super::typed::replace;
use super::{Analyzer, Result};
use crate::aggregates;
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Call, Expr, ExprKind, OrderKey, Window, WindowSpec};
use crate::types::{Type, Value};

impl<'q> Analyzer<'_> {
    /// A call with OVER.
    pub(super) fn window_call(
        &mut self,
        scope: &mut Scope<'q>,
        call: &Call,
        window: &Window,
    ) -> Result<Typed> {
        if scope.in_aggregate {
            return Err(QueryError::new(
                ErrorCode::IllegalAggregation,
                format!(
                    "Window function {} is found inside an aggregate function in query",
                    call.name
                ),
            ));
        }
        let spec = self.window_of(scope, window)?;
        let partition = self.expressions(scope, &spec.partition_by)?;
        let order = self.window_order(scope, &spec)?;
        let mut arguments = self.expressions(scope, &call.arguments)?;
        let mut ty = arguments
            .first()
            .map_or(Type::UInt64, |first| first.ty.without_low_cardinality());
        let function = match call.name.as_str() {
            "row_number" => Some((Over::RowNumber, Type::UInt64, 0)),
            "rank" => Some((Over::Rank, Type::UInt64, 0)),
            "dense_rank" | "denseRank" => Some((Over::DenseRank, Type::UInt64, 0)),
            "percent_rank" | "percentRank" => Some((Over::PercentRank, Type::Float64, 0)),
            "cume_dist" | "cumeDist" => Some((Over::CumeDist, Type::Float64, 0)),
            "ntile" => Some((Over::Ntile, Type::UInt64, 1)),
            "nth_value" => Some((Over::Nth, ty.clone(), 2)),
            _ => None,
        };
        let function = if let Some((function, result, count)) = function {
            if arguments.len() != count {
                return Err(wrong_count(call));
            }
            ty = result;
            function
        } else if matches!(
            call.name.as_str(),
            "lag" | "lead" | "lagInFrame" | "leadInFrame"
        ) {
            self.shift(call, &spec, &ty, &mut arguments)?
        } else {
            let (aggregate, result) = self.over_aggregate(scope, call, &mut arguments)?;
            ty = result;
            Over::Aggregate(Box::new(aggregate))
        };
        let absent = function == Over::Nth;
        let typed = Typed {
            ty,
            kind: Kind::Window(Box::new(WindowCall {
                function,
                arguments,
                partition,
                order,
                frame: spec.frame,
            })),
        };
        Ok(or_default(typed, absent))
    }

    /// `lag(x, offset, default)`: the offset becomes part of the function, the default is always there.
    fn shift(
        &mut self,
        call: &Call,
        spec: &WindowSpec,
        ty: &Type,
        arguments: &mut Vec<Typed>,
    ) -> Result<Over> {
        let in_frame = call.name.ends_with("InFrame");
        if !in_frame && spec.frame.is_some() {
            return Err(QueryError::new(
                ErrorCode::BadArguments,
                format!(
                    "Window function '{}' does not expect window frame to be explicitly specified",
                    call.name
                ),
            ));
        }
        if arguments.is_empty() || arguments.len() > 3 {
            return Err(wrong_count(call));
        }
        let default = match arguments.get(2) {
            Some(default) => self.convert(default.clone(), ty)?,
            None => Typed::constant(ty.default_value(), ty.clone()),
        };
        let offset = match arguments.get(1) {
            None => 1,
            Some(offset) => offset
                .value()
                .and_then(Value::as_i128)
                .and_then(|offset| i64::try_from(offset).ok())
                .filter(|offset| *offset >= 0)
                .ok_or_else(|| {
                    QueryError::new(
                        ErrorCode::BadArguments,
                        format!(
                            "The offset of {} must be a constant that is not negative",
                            call.name
                        ),
                    )
                })?,
        };
        arguments.truncate(1);
        arguments.push(default);
        let offset = if call.name.starts_with("lag") {
            -offset
        } else {
            offset
        };
        Ok(Over::Shift { offset, in_frame })
    }

    fn over_aggregate(
        &mut self,
        scope: &mut Scope<'q>,
        call: &Call,
        arguments: &mut Vec<Typed>,
    ) -> Result<(AggregateCall, Type)> {
        if !aggregates::is_aggregate(&aggregate_name(call)) {
            return Err(QueryError::new(
                ErrorCode::UnknownAggregateFunction,
                format!(
                    "Aggregate function with name '{}' does not exist",
                    call.name
                ),
            ));
        }
        if let Some(filter) = &call.filter {
            arguments.push(self.expression(scope, filter)?);
        }
        let parameters = self.constants(scope, call.parameters.as_deref().unwrap_or_default())?;
        let name = super::aggregate::distinct_name(call)?;
        let resolved = aggregates::resolve(&name, &parameters, &arguments_of(arguments))?;
        let ty = resolved.ty.clone();
        let aggregate = AggregateCall {
            name,
            resolved: Arc::new(resolved),
            parameters,
            arguments: Vec::new(),
        };
        Ok((aggregate, ty))
    }

    /// The window that is meant, with what a named one brings.
    fn window_of(&mut self, scope: &Scope<'q>, window: &Window) -> Result<WindowSpec> {
        let mut spec = match window {
            Window::Named(name) => named(scope, name)?,
            Window::Spec(spec) => spec.clone(),
        };
        // A window can go on from one that goes on from another; each name is used at most once.
        for _ in 0..=scope.windows.len() {
            let Some(base) = spec.base.take() else {
                return Ok(spec);
            };
            let base = named(scope, &base)?;
            spec.base = base.base;
            if spec.partition_by.is_empty() {
                spec.partition_by = base.partition_by;
            }
            if spec.order_by.is_empty() {
                spec.order_by = base.order_by;
            }
            spec.frame = spec.frame.or(base.frame);
        }
        Err(QueryError::new(
            ErrorCode::BadArguments,
            "A window refers to itself",
        ))
    }

    fn window_order(&mut self, scope: &mut Scope<'q>, spec: &WindowSpec) -> Result<Vec<SortKey>> {
        let mut order = Vec::new();
        // A range counts in the values of the only key, so nothing may stand beside it.
        let counts = spec.frame.as_ref().is_some_and(|frame| {
            use crate::syntax::FrameBound::{Following, Preceding};
            let bounds = [&frame.start, &frame.end];
            bounds
                .iter()
                .any(|bound| matches!(bound, Preceding(_) | Following(_)))
        });
        for key in &spec.order_by {
            let exprs = match &key.expr.kind {
                ExprKind::Tuple(parts) => parts.as_slice(),
                ExprKind::Literal(_)
                | ExprKind::Name(_)
                | ExprKind::Parameter { .. }
                | ExprKind::Star(_)
                | ExprKind::Call(_)
                | ExprKind::Lambda { .. }
                | ExprKind::Array(_)
                | ExprKind::Subquery(_) => std::slice::from_ref(&key.expr),
            };
            for expr in exprs {
                self.window_key(scope, key, expr, counts, &mut order)?;
            }
        }
        Ok(order)
    }

    fn window_key(
        &mut self,
        scope: &mut Scope<'q>,
        key: &OrderKey,
        expr: &Expr,
        counts: bool,
        order: &mut Vec<SortKey>,
    ) -> Result<()> {
        let typed = self.expression(scope, expr)?;
        if typed.value().is_some() {
            return Ok(());
        }
        self.sort_key(key, typed, counts, order)
    }

    /// The window node for all window functions of `exprs`, inner ones first.
    pub(super) fn windowed(&mut self, mut node: Node, exprs: &mut [&mut Typed]) -> Node {
        loop {
            let mut found: Vec<Typed> = Vec::new();
            for expr in exprs.iter() {
                innermost(expr, &mut found);
            }
            if found.is_empty() {
                return node;
            }
            let mut windows = Vec::new();
            for typed in found {
                let id = self.new_id();
                let column = Typed::column(id, typed.ty.clone());
                for expr in exprs.iter_mut() {
                    replace(expr, &typed, &column);
                }
                if let Kind::Window(call) = typed.kind {
                    windows.push((id, *call));
                }
            }
            node = Node::Window {
                input: Box::new(node),
                windows,
            };
        }
    }
}

/// Refuses window functions where rows are not complete yet.
pub(super) fn refuse_windows(typed: &Typed, clause: &str) -> Result<()> {
    if typed.any(|part| matches!(part.kind, Kind::Window(_))) {
        return Err(QueryError::new(
            ErrorCode::IllegalAggregation,
            format!("Window function is found in {clause} in query"),
        ));
    }
    Ok(())
}

/// Window functions without another one inside, each once.
fn innermost(typed: &Typed, found: &mut Vec<Typed>) {
    typed.visit(&mut |part| {
        if !matches!(part.kind, Kind::Window(_)) {
            return true;
        }
        let mut nested = false;
        part.for_each_child(&mut |child| {
            nested = nested || child.any(|inner| matches!(inner.kind, Kind::Window(_)));
        });
        if !nested && !found.contains(part) {
            found.push(part.clone());
        }
        nested
    });
}

fn named(scope: &Scope<'_>, name: &str) -> Result<WindowSpec> {
    let known = scope.windows.iter().find(|(known, _)| known == name);
    known.map(|(_, spec)| spec.clone()).ok_or_else(|| {
        QueryError::new(
            ErrorCode::BadArguments,
            format!("Window '{name}' does not exist"),
        )
    })
}

fn wrong_count(call: &Call) -> QueryError {
    QueryError::new(
        ErrorCode::NumberOfArgumentsDoesntMatch,
        format!(
            "Number of arguments for window function {} doesn't match",
            call.name
        ),
    )
}
