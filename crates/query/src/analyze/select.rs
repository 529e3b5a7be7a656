//! One SELECT: its clauses as nodes, in the order in which they take effect.

use super::aggregate::{Grouping, refuse_aggregates};
use super::aliases::collect_aliases;
use super::mark::{lookup, lookup_in_aggregate};
use super::scope::{Inherited, Scope};
use super::tree::{ColumnId, Kind, Node, OutputColumn, SortKey, Typed, TypedQuery};
use super::typed::replace;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, ExprKind, GroupBy, Literal, OrderBy, OrderKey, Select, Star, With};
use crate::types::Type;

/// An item of the SELECT list.
#[derive(Debug)]
struct Item {
    name: String,
    typed: Typed,
}

/// The typed clauses of a SELECT.
#[derive(Debug, Default)]
struct Parts {
    condition: Option<Typed>,
    items: Vec<Item>,
    keys: Option<Vec<Typed>>,
    having: Option<Typed>,
    order: Vec<SortKey>,
    limit_by: Option<LimitBy>,
}

#[derive(Debug)]
struct LimitBy {
    keys: Vec<Typed>,
    offset: u64,
    limit: u64,
}

impl Parts {
    /// Everything that is evaluated on rows, the condition first.
    fn each_mut(&mut self) -> Vec<&mut Typed> {
        let mut all: Vec<&mut Typed> = Vec::new();
        all.extend(self.condition.as_mut());
        all.extend(self.items.iter_mut().map(|item| &mut item.typed));
        all.extend(self.keys.iter_mut().flatten());
        all.extend(self.having.as_mut());
        all.extend(self.order.iter_mut().map(|key| &mut key.expr));
        all.extend(self.limit_by.iter_mut().flat_map(|by| by.keys.iter_mut()));
        all
    }

    fn has_aggregates(&self) -> bool {
        let aggregate = |typed: &Typed| typed.any(|part| matches!(part.kind, Kind::Aggregate(_)));
        self.items.iter().any(|item| aggregate(&item.typed))
            || self.having.as_ref().is_some_and(aggregate)
            || self.order.iter().any(|key| aggregate(&key.expr))
    }
}

/// Adds what WITH declares.
pub(super) fn declare<'q>(inherited: &mut Inherited<'q>, select: &'q Select) {
    for with in &select.with {
        match with {
            With::Expr(expr) => inherited.exprs.push(expr),
            With::Query(name, query) => inherited.queries.push((name, query)),
        }
    }
}

impl<'q> Analyzer<'_> {
    /// One SELECT.
    pub(super) fn select(
        &mut self,
        select: &'q Select,
        inherited: &Inherited<'q>,
    ) -> Result<TypedQuery> {
        self.count_select()?;
        let mut scope = Scope {
            inherited: inherited.clone(),
            ..Scope::default()
        };
        declare(&mut scope.inherited, select);
        if select.array_join.is_some() {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "ARRAY JOIN is not implemented; use arrayJoin(array) in SELECT",
            ));
        }
        let node = self.from(&mut scope, select.from.as_ref())?;
        collect_aliases(&mut scope, select)?;
        let mut parts = self.clauses(&mut scope, select)?;
        let node = self.filtered(node, &mut parts)?;
        let node = self.grouped(&scope, node, &mut parts)?;
        self.finished(node, parts, select)
    }

    fn clauses(&mut self, scope: &mut Scope<'q>, select: &'q Select) -> Result<Parts> {
        let mut parts = Parts {
            items: self.items(scope, &select.items)?,
            ..Parts::default()
        };
        let mut conditions = Vec::new();
        for (clause, name) in [(&select.prewhere, "PREWHERE"), (&select.filter, "WHERE")] {
            if let Some(expr) = clause {
                let typed = self.condition(scope, expr, name)?;
                refuse_aggregates(&typed, name)?;
                conditions.push(typed);
            }
        }
        parts.condition = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(self.conjunction(conditions)?),
        };
        if let Some(group_by) = &select.group_by {
            parts.keys = Some(self.group_keys(scope, group_by, &parts.items)?);
        }
        if let Some(expr) = &select.having {
            parts.having = Some(self.condition(scope, expr, "HAVING")?);
        }
        parts.order = match &select.order_by {
            None => Vec::new(),
            Some(OrderBy::All {
                descending,
                nulls_first,
            }) => parts
                .items
                .iter()
                .map(|item| SortKey {
                    expr: item.typed.clone(),
                    descending: *descending,
                    nulls_first: *nulls_first,
                })
                .collect(),
            Some(OrderBy::Keys(keys)) => self.order_keys(scope, keys, &parts.items)?,
        };
        if let Some(by) = &select.limit_by {
            let mut keys = Vec::new();
            for key in &by.keys {
                keys.push(self.key(scope, key, &parts.items)?);
            }
            parts.limit_by = Some(LimitBy {
                keys,
                limit: self.constant_count(&by.limit, "LIMIT")?,
                offset: self
                    .optional_count(by.offset.as_ref(), "OFFSET")?
                    .unwrap_or(0),
            });
        }
        Ok(parts)
    }

    fn optional_count(&mut self, expr: Option<&Expr>, what: &str) -> Result<Option<u64>> {
        expr.map(|expr| self.constant_count(expr, what)).transpose()
    }

    /// A condition: a number, NULL counting as false.
    pub(super) fn condition(
        &mut self,
        scope: &mut Scope<'q>,
        expr: &Expr,
        clause: &str,
    ) -> Result<Typed> {
        let typed = self.expression(scope, expr)?;
        let bare = typed.ty.bare();
        if bare.is_number() || matches!(bare, Type::Bool | Type::Nothing) {
            return Ok(typed);
        }
        Err(QueryError::new(
            ErrorCode::IllegalTypeOfColumnForFilter,
            format!("Invalid type for filter in {clause}: {}", typed.ty),
        ))
    }

    fn items(&mut self, scope: &mut Scope<'q>, exprs: &'q [Expr]) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for expr in exprs {
            if let ExprKind::Star(star) = &expr.kind {
                self.star(scope, star, &mut items)?;
                continue;
            }
            let name = self.column_name(scope, expr);
            let typed = match expr.alias.as_deref() {
                Some(alias) => self.aliased(scope, alias, expr)?,
                None => self.expression(scope, expr)?,
            };
            items.push(Item { name, typed });
        }
        Ok(items)
    }

    fn star(&mut self, scope: &mut Scope<'q>, star: &'q Star, items: &mut Vec<Item>) -> Result<()> {
        let only = match &star.qualifier {
            None => None,
            Some(qualifier) => Some(scope.source_called(qualifier).ok_or_else(|| {
                QueryError::new(
                    ErrorCode::UnknownIdentifier,
                    format!("Qualified matcher {qualifier}.* does not find table"),
                )
            })?),
        };
        let mut wanted = Vec::new();
        for (source, table) in scope.sources.iter().enumerate() {
            if only.is_some_and(|only| only != source) {
                continue;
            }
            for (column, defined) in table.columns.iter().enumerate() {
                if defined.in_star && !star.except.contains(&defined.name) {
                    let found = super::scope::Found {
                        source,
                        column,
                        parts: 1,
                    };
                    wanted.push((found, defined.name.clone()));
                }
            }
        }
        for (found, name) in wanted {
            let replaced = star
                .replace
                .iter()
                .find(|expr| expr.alias.as_deref() == Some(name.as_str()));
            let typed = match replaced {
                Some(expr) => self.expression(scope, expr)?,
                None => self.source_column(scope, found)?,
            };
            let name = scope.column_name(found);
            items.push(Item { name, typed });
        }
        Ok(())
    }

    fn group_keys(
        &mut self,
        scope: &mut Scope<'q>,
        group_by: &GroupBy,
        items: &[Item],
    ) -> Result<Vec<Typed>> {
        let mut keys = Vec::new();
        match group_by {
            GroupBy::All => {
                let aggregate =
                    |typed: &Typed| typed.any(|part| matches!(part.kind, Kind::Aggregate(_)));
                keys.extend(
                    items
                        .iter()
                        .filter(|item| !aggregate(&item.typed) && item.typed.value().is_none())
                        .map(|item| item.typed.clone()),
                );
            }
            GroupBy::Keys {
                modifier: Some(modifier),
                ..
            } => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    format!("GROUP BY {modifier} is not implemented"),
                ));
            }
            GroupBy::Keys { keys: exprs, .. } => {
                for expr in exprs {
                    // The parts of a tuple are keys of their own.
                    if let ExprKind::Tuple(parts) = &expr.kind {
                        for part in parts {
                            keys.push(self.key(scope, part, items)?);
                        }
                    } else {
                        keys.push(self.key(scope, expr, items)?);
                    }
                }
            }
        }
        for key in &keys {
            refuse_aggregates(key, "GROUP BY")?;
        }
        Ok(keys)
    }

    /// A key by position, alias or expression.
    fn key(&mut self, scope: &mut Scope<'q>, expr: &Expr, items: &[Item]) -> Result<Typed> {
        if let ExprKind::Literal(Literal::UInt(position)) = &expr.kind {
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

    fn order_keys(
        &mut self,
        scope: &mut Scope<'q>,
        keys: &[OrderKey],
        items: &[Item],
    ) -> Result<Vec<SortKey>> {
        let mut order = Vec::new();
        for key in keys {
            if key.fill {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    "ORDER BY … WITH FILL is not implemented",
                ));
            }
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
                let typed = self.key(scope, expr, items)?;
                // NaN comes last in both directions, like NULL and before it.
                if typed.ty.bare().is_float() && typed.value().is_none() {
                    order.push(SortKey {
                        expr: self.function("isNaN", vec![typed.clone()])?,
                        descending: key.nulls_first,
                        nulls_first: key.nulls_first,
                    });
                }
                order.push(SortKey {
                    expr: typed,
                    descending: key.descending,
                    nulls_first: key.nulls_first,
                });
            }
        }
        Ok(order)
    }

    /// WHERE, and the arrays that are unfolded before grouping.
    fn filtered(&mut self, mut node: Node, parts: &mut Parts) -> Result<Node> {
        let unfolds = |typed: &Typed| typed.any(|part| matches!(part.kind, Kind::ArrayJoin(_)));
        let early = parts.condition.as_ref().is_some_and(unfolds);
        if early {
            node = self.unfolded(node, &mut parts.each_mut());
        }
        if let Some(condition) = parts.condition.take() {
            node = self.filter(node, condition);
        }
        Ok(self.unfolded(node, &mut parts.each_mut()))
    }

    /// GROUP BY and HAVING.
    fn grouped(&mut self, scope: &Scope<'q>, node: Node, parts: &mut Parts) -> Result<Node> {
        let mut node = node;
        if parts.keys.is_some() || parts.has_aggregates() {
            // What groups and what is aggregated must exist before grouping; all else can wait.
            let early = |parts: &Parts| {
                let keys = parts.keys.iter().flatten().find_map(lookup);
                let items = parts.items.iter().map(|item| &item.typed);
                keys.or_else(|| items.clone().find_map(lookup_in_aggregate))
            };
            while let Some(found) = early(parts) {
                node = self.mark(node, found, &mut parts.each_mut());
            }
            let mut grouping = Grouping::default();
            for key in parts.keys.take().unwrap_or_default() {
                if !grouping.keys.iter().any(|(_, known)| *known == key) {
                    grouping.keys.push((self.new_id(), key));
                }
            }
            for typed in parts.each_mut() {
                let taken = std::mem::replace(typed, Typed::flag(false));
                *typed = self.after_grouping(&mut grouping, scope, taken)?;
            }
            node = Node::Aggregate {
                input: Box::new(node),
                keys: grouping.keys,
                aggregates: grouping.aggregates,
            };
            node = self.unfolded(node, &mut parts.each_mut());
        }
        if let Some(having) = parts.having.take() {
            node = self.filter(node, having);
        }
        while let Some(found) = parts.each_mut().into_iter().find_map(|typed| lookup(typed)) {
            node = self.mark(node, found, &mut parts.each_mut());
        }
        Ok(node)
    }

    /// DISTINCT, ORDER BY, LIMIT BY, LIMIT and the list itself.
    fn finished(&mut self, node: Node, parts: Parts, select: &Select) -> Result<TypedQuery> {
        let mut node = node;
        let mut parts = parts;
        let columns: Vec<(ColumnId, Typed)> = parts
            .items
            .iter()
            .map(|item| (self.new_id(), item.typed.clone()))
            .collect();
        let output = parts
            .items
            .iter()
            .zip(&columns)
            .map(|(item, (id, _))| OutputColumn {
                name: item.name.clone(),
                ty: item.typed.ty.clone(),
                id: *id,
            })
            .collect();
        if select.distinct {
            for key in &mut parts.order {
                for (id, typed) in &columns {
                    replace(&mut key.expr, typed, &Typed::column(*id, typed.ty.clone()));
                }
            }
            if let Some(by) = &mut parts.limit_by {
                for key in &mut by.keys {
                    for (id, typed) in &columns {
                        replace(key, typed, &Typed::column(*id, typed.ty.clone()));
                    }
                }
            }
            check_distinct_order(&parts.order, &columns)?;
            node = Node::Project {
                input: Box::new(node),
                columns: columns.clone(),
            };
            node = Node::Distinct(Box::new(node));
        }
        node = self.ordered(node, parts, select)?;
        if !select.distinct {
            node = Node::Project {
                input: Box::new(node),
                columns,
            };
        }
        Ok(TypedQuery {
            node,
            output,
            limited: select.limit.is_some(),
        })
    }

    fn ordered(&mut self, node: Node, parts: Parts, select: &Select) -> Result<Node> {
        let mut node = node;
        let mut order = parts.order;
        order.retain(|key| key.expr.value().is_none());
        if let Some(by) = parts.limit_by {
            node = Node::LimitBy {
                input: Box::new(node),
                order: order.clone(),
                keys: by.keys,
                offset: by.offset,
                limit: by.limit,
            };
        }
        if !order.is_empty() {
            node = Node::Sort {
                input: Box::new(node),
                keys: order,
            };
        }
        let limit = self.optional_count(select.limit.as_ref(), "LIMIT")?;
        let offset = self.optional_count(select.offset.as_ref(), "OFFSET")?;
        if limit.is_some() || offset.is_some_and(|offset| offset > 0) {
            node = Node::Limit {
                input: Box::new(node),
                offset: offset.unwrap_or(0),
                limit,
            };
        }
        Ok(node)
    }
}

/// After DISTINCT only the columns of the list are left to sort by.
fn check_distinct_order(order: &[SortKey], columns: &[(ColumnId, Typed)]) -> Result<()> {
    for key in order {
        let foreign = key.expr.any(|part| {
            matches!(part.kind, Kind::Column(id) if !columns.iter().any(|(known, _)| *known == id))
        });
        if foreign {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "ORDER BY after DISTINCT can only use what is selected; add it to the list",
            ));
        }
    }
    Ok(())
}
