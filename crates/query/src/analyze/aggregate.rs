//! Aggregates: which they are, where they may stand, and the split of a SELECT into what happens before grouping and
//! after it.

use std::sync::Arc;

use super::expression::aggregate_name;
use super::function::arguments_of;
use super::scope::{Origin, Scope};
use super::tree::{AggregateCall, ColumnId, Kind, Typed};
use super::{Analyzer, Result};
use crate::aggregates;
use crate::error::{ErrorCode, QueryError};
use crate::syntax::Call;
use crate::types::Value;

/// What becomes of keys that a grouping leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum LeftOut {
    /// None is.
    #[default]
    Never,
    /// They get the default of their type.
    Default,
    /// They are NULL.
    Null,
    /// All are, everywhere.
    Always,
}

/// Keys and aggregates of one SELECT.
#[derive(Debug, Default)]
pub(super) struct Grouping {
    pub(super) keys: Vec<(ColumnId, Typed)>,
    pub(super) aggregates: Vec<(ColumnId, AggregateCall)>,
    /// What becomes of keys that a grouping leaves out.
    pub(super) left_out: LeftOut,
    /// The column that says which keys are left out, if there are several groupings.
    pub(super) set_id: Option<ColumnId>,
}

impl<'q> Analyzer<'_> {
    /// A call of an aggregate.
    pub(super) fn aggregate(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Typed> {
        if scope.in_aggregate {
            return Err(QueryError::new(
                ErrorCode::IllegalAggregation,
                format!(
                    "Aggregate function {} is found inside another aggregate function in query",
                    call.name
                ),
            ));
        }
        scope.in_aggregate = true;
        let arguments = self.aggregate_arguments(scope, call);
        scope.in_aggregate = false;
        let arguments = arguments?;
        for argument in &arguments {
            refuse_aggregates(argument, "another aggregate function")?;
        }
        let parameters = self.constants(scope, call.parameters.as_deref().unwrap_or_default())?;
        let name = distinct_name(call)?;
        let resolved = aggregates::resolve(&name, &parameters, &arguments_of(&arguments))?;
        Ok(Typed {
            ty: resolved.ty.clone(),
            kind: Kind::Aggregate(Box::new(AggregateCall {
                name,
                resolved: Arc::new(resolved),
                parameters,
                arguments,
            })),
        })
    }

    fn aggregate_arguments(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Vec<Typed>> {
        let mut arguments = self.expressions(scope, &call.arguments)?;
        if let Some(filter) = &call.filter {
            arguments.push(self.expression(scope, filter)?);
        }
        Ok(arguments)
    }

    pub(super) fn constants(
        &mut self,
        scope: &mut Scope<'q>,
        exprs: &[crate::syntax::Expr],
    ) -> Result<Vec<Value>> {
        self.expressions(scope, exprs)?
            .into_iter()
            .map(|typed| {
                typed.value().cloned().ok_or_else(|| {
                    QueryError::new(
                        ErrorCode::BadArguments,
                        "Parameters of aggregate functions must be constants",
                    )
                })
            })
            .collect()
    }

    /// The expression after grouping: keys and aggregates become columns; anything else must not be left.
    pub(super) fn after_grouping(
        &mut self,
        grouping: &mut Grouping,
        scope: &Scope<'q>,
        mut typed: Typed,
    ) -> Result<Typed> {
        let position = grouping.keys.iter().position(|(_, key)| *key == typed);
        if let Some(column) = position.and_then(|at| self.key_column(grouping, at)) {
            return Ok(column);
        }
        match typed.kind {
            Kind::Aggregate(call) => {
                let known = grouping
                    .aggregates
                    .iter()
                    .find(|(_, known)| *known == *call);
                let id = match known {
                    Some((id, _)) => *id,
                    None => {
                        let id = self.new_id();
                        grouping.aggregates.push((id, *call));
                        id
                    }
                };
                Ok(Typed::column(id, typed.ty))
            }
            Kind::Grouping(keys) => self.grouping_bits(grouping, &keys),
            Kind::Column(id) => Err(QueryError::new(
                ErrorCode::NotAnAggregate,
                format!(
                    "Column `{}` is not under aggregate function and not in GROUP BY keys",
                    self.name_of(scope, id)
                ),
            )),
            kind @ (Kind::Constant(_)
            | Kind::Call(_)
            | Kind::And(_)
            | Kind::Or(_)
            | Kind::Not(_)
            | Kind::Compare { .. }
            | Kind::IsNull(_)
            | Kind::InList { .. }
            | Kind::InQuery { .. }
            | Kind::Like { .. }
            | Kind::Case { .. }
            | Kind::Widen(_)
            | Kind::Scalar(_)
            | Kind::Lambda(_)
            | Kind::Window(_)
            | Kind::ArrayJoin(_)) => {
                typed.kind = kind;
                let mut failed = None;
                typed.for_each_child_mut(&mut |child| {
                    if failed.is_some() {
                        return;
                    }
                    let taken = std::mem::replace(child, Typed::flag(false));
                    match self.after_grouping(grouping, scope, taken) {
                        Ok(replaced) => *child = replaced,
                        Err(error) => failed = Some(error),
                    }
                });
                match failed {
                    Some(error) => Err(error),
                    None => Ok(typed),
                }
            }
        }
    }

    fn name_of(&self, scope: &Scope<'q>, id: ColumnId) -> String {
        let scanned = self.scans.iter().flat_map(|scan| &scan.columns);
        if let Some((_, column)) = scanned.into_iter().find(|(known, _)| *known == id) {
            return column.to_string();
        }
        let columns = scope.sources.iter().flat_map(|source| &source.columns);
        columns
            .into_iter()
            .find(|column| matches!(column.origin, Origin::Id(known) if known == id))
            .map_or_else(|| "?".to_owned(), |column| column.name.clone())
    }
}

/// The aggregate of `f(DISTINCT x)`.
pub(super) fn distinct_name(call: &Call) -> Result<String> {
    let name = aggregate_name(call);
    if !call.distinct {
        return Ok(name);
    }
    let lower = name.to_ascii_lowercase();
    match lower.as_str() {
        "count" => Ok("uniqExact".to_owned()),
        "countif" => Ok("uniqExactIf".to_owned()),
        // Repetitions change nothing here.
        "min" | "max" | "any" | "anylast" | "uniq" | "uniqexact" | "groupuniqarray" => Ok(name),
        "grouparray" => Ok("groupUniqArray".to_owned()),
        // A condition is looked at first: `sumDistinctIf`.
        _ => Ok(match name.strip_suffix("If") {
            Some(inner) if aggregates::is_aggregate(inner) => format!("{inner}DistinctIf"),
            _ => format!("{name}Distinct"),
        }),
    }
}

/// Refuses aggregates where rows are not grouped yet.
pub(super) fn refuse_aggregates(typed: &Typed, clause: &str) -> Result<()> {
    let mut found = None;
    typed.visit(&mut |part| {
        if let Kind::Aggregate(call) = &part.kind {
            found = Some(call.name.clone());
        }
        found.is_none()
    });
    match found {
        None => Ok(()),
        Some(name) => Err(QueryError::new(
            ErrorCode::IllegalAggregation,
            format!("Aggregate function {name} is found in {clause} in query"),
        )),
    }
}
