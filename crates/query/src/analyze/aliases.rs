//! Aliases of one SELECT: they are visible everywhere in it, wherever they are declared.

use super::Result;
use super::scope::Scope;
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, ExprKind, GroupBy, OrderBy, Select, Window};

/// Adds every alias of the SELECT to its scope.
pub(super) fn collect_aliases<'q>(scope: &mut Scope<'q>, select: &'q Select) -> Result<()> {
    let mut exprs: Vec<&'q Expr> = Vec::new();
    exprs.extend(&select.items);
    exprs.extend(&select.distinct_on);
    exprs.extend(select.qualify.as_ref());
    for (_, spec) in &select.windows {
        exprs.extend(&spec.partition_by);
        exprs.extend(spec.order_by.iter().map(|key| &key.expr));
    }
    exprs.extend(select.prewhere.as_ref());
    exprs.extend(select.filter.as_ref());
    if let Some(GroupBy::Keys { keys, .. }) = &select.group_by {
        exprs.extend(keys);
    }
    exprs.extend(select.having.as_ref());
    if let Some(OrderBy::Keys(keys)) = &select.order_by {
        exprs.extend(keys.iter().map(|key| &key.expr));
    }
    if let Some(by) = &select.limit_by {
        exprs.extend(&by.keys);
    }
    while let Some(expr) = exprs.pop() {
        if let Some(alias) = expr.alias.as_deref() {
            let known = scope.aliases.iter().find(|(known, _)| *known == alias);
            match known {
                Some((_, other)) if other.kind != expr.kind => {
                    return Err(QueryError::new(
                        ErrorCode::MultipleExpressionsForAlias,
                        format!("Multiple expressions for alias `{alias}`"),
                    ));
                }
                Some(_) => {}
                None => scope.aliases.push((alias, expr)),
            }
        }
        match &expr.kind {
            ExprKind::Call(call) => {
                exprs.extend(&call.arguments);
                exprs.extend(call.parameters.iter().flatten());
                exprs.extend(call.filter.as_ref());
                if let Some(Window::Spec(spec)) = &call.over {
                    exprs.extend(&spec.partition_by);
                    exprs.extend(spec.order_by.iter().map(|key| &key.expr));
                }
            }
            ExprKind::Tuple(items) | ExprKind::Array(items) => exprs.extend(items),
            ExprKind::Literal(_)
            | ExprKind::Name(_)
            | ExprKind::Parameter { .. }
            | ExprKind::Star(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Subquery(_) => {}
        }
    }
    Ok(())
}
