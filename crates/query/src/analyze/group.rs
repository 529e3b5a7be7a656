//! GROUP BY with its forms, and HAVING.

use super::aggregate::{Grouping, LeftOut, refuse_aggregates};
use super::items::Item;
use super::mark::{lookup, lookup_in_aggregate};
use super::scope::Scope;
use super::select::{Answer, Clauses};
use super::tree::{GroupingSets, Kind, Node, Typed};
use super::window::refuse_windows;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::limits::MAX_GROUPING_SET_KEYS;
use crate::syntax::{Expr, ExprKind, GroupBy, KeySets, Literal};
use crate::types::{Type, Value};

impl<'q> Analyzer<'_> {
    pub(super) fn group_keys(
        &mut self,
        scope: &mut Scope<'q>,
        group_by: &GroupBy,
        items: &[Item],
    ) -> Result<Vec<Typed>> {
        let mut keys = Vec::new();
        match group_by {
            GroupBy::All => {
                let aggregate = |typed: &Typed| {
                    typed.any(|part| matches!(part.kind, Kind::Aggregate(_) | Kind::Window(_)))
                };
                keys.extend(
                    items
                        .iter()
                        .filter(|item| !aggregate(&item.typed) && item.typed.value().is_none())
                        .map(|item| item.typed.clone()),
                );
            }
            GroupBy::Keys { keys: exprs, sets } => {
                for expr in exprs.iter().flat_map(|expr| tuple_parts(expr, sets)) {
                    keys.push(self.key(scope, expr, items)?);
                }
                if *sets != KeySets::Together && keys.len() > MAX_GROUPING_SET_KEYS {
                    return Err(QueryError::new(
                        ErrorCode::TooBigAst,
                        format!(
                            "more than {MAX_GROUPING_SET_KEYS} keys in ROLLUP, CUBE or GROUPING SETS"
                        ),
                    ));
                }
            }
        }
        for key in &keys {
            refuse_aggregates(key, "GROUP BY")?;
            refuse_windows(key, "GROUP BY")?;
        }
        Ok(keys)
    }

    /// A key by position, alias or expression.
    pub(super) fn key(
        &mut self,
        scope: &mut Scope<'q>,
        expr: &Expr,
        items: &[Item],
    ) -> Result<Typed> {
        let by_position = self.setting("enable_positional_arguments") != Some("0");
        if let ExprKind::Literal(Literal::UInt(position)) = &expr.kind
            && by_position
        {
            let item = usize::try_from(*position)
                .ok()
                .and_then(|position| position.checked_sub(1))
                .and_then(|index| items.get(index));
            return match item {
                Some(item) => Ok(item.typed.clone()),
                None => Err(QueryError::new(
                    ErrorCode::BadArguments,
                    format!(
                        "Positional argument out of bounds: {position} (expected in range [1, {}])",
                        items.len()
                    ),
                )),
            };
        }
        self.expression(scope, expr)
    }

    /// GROUP BY and HAVING.
    pub(super) fn grouped(
        &mut self,
        scope: &Scope<'q>,
        node: Node,
        clauses: &mut Clauses,
        answer: Answer,
    ) -> Result<Node> {
        let mut node = node;
        if clauses.keys.is_some() || clauses.has_aggregates() {
            // What groups and what is aggregated must exist before grouping; all else can wait.
            let early = |clauses: &Clauses| {
                let keys = clauses.keys.iter().flatten().find_map(lookup);
                let items = clauses.items.iter().map(|item| &item.typed);
                keys.or_else(|| items.clone().find_map(lookup_in_aggregate))
            };
            while let Some(found) = early(clauses) {
                node = self.mark(node, found, &mut clauses.each_mut());
            }
            node = self.aggregated(scope, node, clauses, answer)?;
            node = self.unfolded(node, &mut clauses.each_mut());
        } else if clauses.items.iter().any(|item| {
            item.typed
                .any(|part| matches!(part.kind, Kind::Grouping(_)))
        }) {
            return Err(grouping_alone());
        }
        if let Some(having) = clauses.having.take() {
            node = self.filter(node, having);
        }
        Ok(node)
    }

    fn aggregated(
        &mut self,
        scope: &Scope<'q>,
        node: Node,
        clauses: &mut Clauses,
        answer: Answer,
    ) -> Result<Node> {
        if clauses.keys.is_none()
            && clauses
                .each_mut()
                .iter()
                .any(|typed| typed.any(|part| matches!(part.kind, Kind::Grouping(_))))
        {
            return Err(grouping_alone());
        }
        let mut grouping = Grouping::default();
        let mut sets = clauses.sets.take();
        let nullable = self.setting("group_by_use_nulls") == Some("1");
        for key in clauses.keys.take().unwrap_or_default() {
            // Positions in the sets count every key.
            if sets.is_some() || !grouping.keys.iter().any(|(_, known)| *known == key) {
                grouping.keys.push((self.new_id(), key));
            }
        }
        grouping.left_out = match answer {
            Answer::Totals => LeftOut::Always,
            Answer::Rows if sets.is_some() && nullable => LeftOut::Null,
            Answer::Rows if sets.is_some() => LeftOut::Default,
            Answer::Rows => LeftOut::Never,
        };
        grouping.set_id = sets.as_ref().map(|sets| sets.id);
        for typed in clauses.each_mut() {
            let taken = std::mem::replace(typed, Typed::flag(false));
            *typed = self.after_grouping(&mut grouping, scope, taken)?;
        }
        if answer == Answer::Totals {
            grouping.keys.clear();
            sets = None;
        }
        Ok(Node::Aggregate {
            input: Box::new(node),
            keys: grouping.keys,
            aggregates: grouping.aggregates,
            sets,
        })
    }

    /// What a key is after grouping.
    pub(super) fn key_column(&mut self, grouping: &Grouping, position: usize) -> Option<Typed> {
        let (id, key) = grouping.keys.get(position)?;
        let column = Typed::column(*id, key.ty.clone());
        Some(match grouping.left_out {
            LeftOut::Never => column,
            LeftOut::Default => super::scope::or_default(column, true),
            LeftOut::Null => {
                let ty = key.ty.without_low_cardinality().nullable();
                column.relabel(ty)
            }
            LeftOut::Always => Typed::constant(key.ty.default_value(), key.ty.clone()),
        })
    }

    /// `grouping(a, b)`: a bit for each argument, the last one lowest: whether it is left out of the set.
    pub(super) fn grouping_bits(&mut self, grouping: &Grouping, asked: &[Typed]) -> Result<Typed> {
        let number = |value: usize| Typed::literal(Value::UInt(u64::try_from(value).unwrap_or(0)));
        let mut bits = Typed::constant(Value::UInt(0), Type::UInt64);
        for (index, key) in asked.iter().enumerate() {
            let known = grouping.keys.iter().position(|(_, known)| known == key);
            let Some(position) = known else {
                return Err(QueryError::new(
                    ErrorCode::BadArguments,
                    "Argument of GROUPING function is not a part of GROUP BY clause",
                ));
            };
            let shift = asked.len() - 1 - index;
            let Some(id) = grouping.set_id else {
                continue;
            };
            let sets = Typed::column(id, Type::UInt64);
            let from = number(grouping.keys.len() - 1 - position);
            let bit = self.function("bitShiftRight", vec![sets, from])?;
            let bit = self.function("bitAnd", vec![bit, number(1)])?;
            let bit = self.function("bitShiftLeft", vec![bit, number(shift)])?;
            bits = self.function("bitOr", vec![bits, bit])?;
        }
        Ok(bits.relabel(Type::UInt64))
    }
}

impl GroupingSets {
    /// A number with a set bit for each key.
    pub(crate) fn mask(keys: usize) -> u64 {
        let bits = u32::try_from(keys).unwrap_or(u32::MAX);
        1_u64.checked_shl(bits).map_or(u64::MAX, |bit| bit - 1)
    }
}

fn grouping_alone() -> QueryError {
    QueryError::new(
        ErrorCode::IllegalAggregation,
        "GROUPING function is found in SELECT without GROUP BY in query",
    )
}

/// The parts of a tuple are keys of their own, unless keys are counted in sets.
fn tuple_parts<'e>(expr: &'e Expr, sets: &KeySets) -> &'e [Expr] {
    match &expr.kind {
        ExprKind::Tuple(parts) if *sets == KeySets::Together => parts,
        ExprKind::Tuple(_)
        | ExprKind::Literal(_)
        | ExprKind::Name(_)
        | ExprKind::Parameter { .. }
        | ExprKind::Star(_)
        | ExprKind::Call(_)
        | ExprKind::Lambda { .. }
        | ExprKind::Array(_)
        | ExprKind::Subquery(_) => std::slice::from_ref(expr),
    }
}
