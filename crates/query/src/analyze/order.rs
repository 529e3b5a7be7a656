//! DISTINCT, ORDER BY, LIMIT BY, LIMIT, and the list itself: what happens to the rows of a SELECT last.

use super::items::Item;
use super::scope::Scope;
use super::select::{Answer, Clauses, FirstOf};
use super::tree::{
    ColumnId, Kind, Node, OutputColumn, Over, SortKey, Typed, TypedQuery, WindowCall,
};
use super::typed::replace;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{ExprKind, OrderKey, Select};
use crate::types::{Type, Value};

impl<'q> Analyzer<'_> {
    pub(super) fn order_keys(
        &mut self,
        scope: &mut Scope<'q>,
        keys: &[OrderKey],
        items: &[Item],
    ) -> Result<Vec<SortKey>> {
        let mut order = Vec::new();
        for key in keys {
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
                self.sort_key(key, typed, false, &mut order)?;
            }
        }
        Ok(order)
    }

    /// A key of an order; `alone` if it must not bring another one with it.
    pub(super) fn sort_key(
        &mut self,
        key: &OrderKey,
        typed: Typed,
        alone: bool,
        order: &mut Vec<SortKey>,
    ) -> Result<()> {
        if key.collate && !typed.ty.bare().is_text() {
            return Err(QueryError::new(
                ErrorCode::BadArguments,
                "Collations could be specified only for strings",
            ));
        }
        // NaN comes last in both directions, like NULL and before it.
        if typed.ty.bare().is_float() && typed.value().is_none() && !alone {
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
        Ok(())
    }

    /// Everything after grouping and window functions.
    pub(super) fn finished(
        &mut self,
        node: Node,
        clauses: Clauses,
        select: &Select,
        answer: Answer,
    ) -> Result<TypedQuery> {
        let mut node = node;
        let mut clauses = clauses;
        let columns: Vec<(ColumnId, Typed)> = clauses
            .items
            .iter()
            .map(|item| (self.new_id(), item.typed.clone()))
            .collect();
        let output = clauses
            .items
            .iter()
            .zip(&columns)
            .map(|(item, (id, _))| OutputColumn {
                name: item.name.clone(),
                ty: item.typed.ty.clone(),
                id: *id,
            })
            .collect();
        if answer == Answer::Totals {
            let node = project(node, columns);
            return Ok(TypedQuery {
                node,
                output,
                limited: false,
            });
        }
        if select.distinct {
            use_columns(&mut clauses, &columns);
            check_distinct_order(&clauses.order, &columns)?;
            node = Node::Distinct(Box::new(project(node, columns)));
            node = self.ordered(node, clauses, select)?;
        } else {
            node = self.ordered(node, clauses, select)?;
            node = project(node, columns);
        }
        Ok(TypedQuery {
            node,
            output,
            limited: select.limit.is_some(),
        })
    }

    fn ordered(&mut self, node: Node, clauses: Clauses, select: &Select) -> Result<Node> {
        let is_filled = clauses.is_filled;
        let mut order = clauses.order;
        order.retain(|key| key.expr.value().is_none());
        let mut node = match clauses.limit_by {
            Some(by) => first_of(node, &order, by),
            None => node,
        };
        if !order.is_empty() && !select.ties {
            node = Node::Sort {
                input: Box::new(node),
                keys: order.clone(),
            };
        }
        if is_filled {
            return Ok(node);
        }
        self.limited(node, &order, select)
    }

    /// LIMIT and OFFSET. With ties the rows are not sorted yet.
    fn limited(&mut self, node: Node, order: &[SortKey], select: &Select) -> Result<Node> {
        let limit = self.optional_count(select.limit.as_ref(), "LIMIT")?;
        let offset = self.optional_count(select.offset.as_ref(), "OFFSET")?;
        let offset = offset.unwrap_or(0);
        if select.ties
            && let Some(limit) = limit
        {
            return self.with_ties(node, order, offset, limit);
        }
        if limit.is_some() || offset > 0 {
            return Ok(Node::Limit {
                input: Box::new(node),
                offset,
                limit,
            });
        }
        Ok(node)
    }

    /// Rows behind the last one that are equal to it in the order stay.
    fn with_ties(
        &mut self,
        node: Node,
        order: &[SortKey],
        offset: u64,
        limit: u64,
    ) -> Result<Node> {
        if order.is_empty() {
            return Err(QueryError::new(
                ErrorCode::WithTiesWithoutOrderBy,
                "Can not use WITH TIES without ORDER BY",
            ));
        }
        let call = |function| WindowCall {
            function,
            arguments: Vec::new(),
            partition: Vec::new(),
            order: order.to_vec(),
            frame: None,
        };
        let (number, rank) = (self.new_id(), self.new_id());
        let node = Node::Window {
            input: Box::new(node),
            windows: vec![(number, call(Over::RowNumber)), (rank, call(Over::Rank))],
        };
        let column = |id| Typed::column(id, Type::UInt64);
        let bound = |value| Typed::literal(Value::UInt(value));
        let behind = self.function("greater", vec![column(number), bound(offset)])?;
        let last = bound(offset.saturating_add(limit));
        let before = self.function("lessOrEquals", vec![column(rank), last])?;
        let condition = self.conjunction(vec![behind, before])?;
        Ok(Node::Sort {
            input: Box::new(Node::Filter {
                input: Box::new(node),
                condition,
            }),
            keys: order.to_vec(),
        })
    }
}

pub(super) fn project(node: Node, columns: Vec<(ColumnId, Typed)>) -> Node {
    Node::Project {
        input: Box::new(node),
        columns,
    }
}

/// LIMIT BY.
pub(super) fn first_of(node: Node, order: &[SortKey], by: FirstOf) -> Node {
    Node::LimitBy {
        input: Box::new(node),
        order: order.to_vec(),
        keys: by.keys,
        offset: by.offset,
        limit: by.limit,
    }
}

/// Puts the columns of the list where their expressions stand in what comes after it.
pub(super) fn use_columns(clauses: &mut Clauses, columns: &[(ColumnId, Typed)]) {
    let keys = clauses.order.iter_mut().map(|key| &mut key.expr);
    let by = clauses.limit_by.iter_mut().flat_map(|by| &mut by.keys);
    for key in keys.chain(by) {
        for (id, typed) in columns {
            replace(key, typed, &Typed::column(*id, typed.ty.clone()));
        }
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
