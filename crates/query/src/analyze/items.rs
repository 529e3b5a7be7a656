//! The SELECT list: items, and stars with what is done to their columns.

use super::scope::{Found, Scope};
use super::tree::Typed;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::functions;
use crate::syntax::{Apply, Call, Expr, ExprKind, Star};

/// An item of the SELECT list.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) typed: Typed,
}

impl<'q> Analyzer<'_> {
    pub(super) fn items(&mut self, scope: &mut Scope<'q>, exprs: &'q [Expr]) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for expr in exprs {
            if let ExprKind::Star(star) = &expr.kind {
                self.star(scope, star, &mut items)?;
                continue;
            }
            if self.untuple(scope, expr, &mut items)? {
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

    /// `untuple(t)` becomes an item for each element.
    fn untuple(
        &mut self,
        scope: &mut Scope<'q>,
        expr: &Expr,
        items: &mut Vec<Item>,
    ) -> Result<bool> {
        let ExprKind::Call(call) = &expr.kind else {
            return Ok(false);
        };
        let ([argument], "untuple") = (call.arguments.as_slice(), call.name.as_str()) else {
            return Ok(false);
        };
        let name = self.column_name(scope, argument);
        let typed = self.expression(scope, argument)?;
        let crate::types::Type::Tuple(parts) = typed.ty.bare().clone() else {
            return Err(QueryError::new(
                ErrorCode::IllegalTypeOfArgument,
                format!(
                    "Function untuple expect tuple as argument, got {}",
                    typed.ty
                ),
            ));
        };
        for (index, (part, _)) in (1_u64..).zip(&parts) {
            let position = Typed::literal(crate::types::Value::UInt(index));
            let element = self.function("tupleElement", vec![typed.clone(), position])?;
            let own = part.clone().unwrap_or_else(|| index.to_string());
            let name = match (&expr.alias, part) {
                (Some(alias), _) => format!("{alias}.{own}"),
                (None, Some(_)) => format!("tupleElement({name}, '{own}')"),
                (None, None) => format!("tupleElement({name}, {own})"),
            };
            items.push(Item {
                name,
                typed: element,
            });
        }
        Ok(true)
    }

    fn star(&mut self, scope: &mut Scope<'q>, star: &Star, items: &mut Vec<Item>) -> Result<()> {
        if let Some(exprs) = &star.only {
            for expr in exprs {
                let name = self.column_name(scope, expr);
                let typed = self.expression(scope, expr)?;
                self.star_item(scope, star, name, typed, items)?;
            }
            return Ok(());
        }
        for (found, name) in matched(scope, star)? {
            let shown = scope.column_name(found);
            let typed = self.source_column(scope, found)?;
            let replaced = star
                .replace
                .iter()
                .find(|expr| expr.alias.as_deref() == Some(name.as_str()));
            let Some(expr) = replaced else {
                self.star_item(scope, star, shown, typed, items)?;
                continue;
            };
            // Inside, the column's name means the column.
            scope.parameters.push((name.clone(), typed));
            let plain = Expr::new(expr.kind.clone());
            let text = self.column_name(scope, &plain);
            let typed = self.expression(scope, &plain);
            scope.parameters.pop();
            let name = if star.apply.is_empty() { shown } else { text };
            self.star_item(scope, star, name, typed?, items)?;
        }
        Ok(())
    }

    /// A column with the functions of APPLY around it. Its name stands for it in their names.
    fn star_item(
        &mut self,
        scope: &mut Scope<'q>,
        star: &Star,
        name: String,
        typed: Typed,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        let mut item = Item { name, typed };
        for apply in &star.apply {
            let argument = Expr::new(ExprKind::Name(vec![item.name.clone()]));
            let (bound, expr) = match apply {
                Apply::Function(function, parameters) => {
                    let mut call = Call::new(function, vec![argument]);
                    call.parameters.clone_from(parameters);
                    let call = Expr::new(ExprKind::Call(Box::new(call)));
                    (item.name.clone(), call)
                }
                Apply::Lambda(parameter, body) => {
                    let mut body = body.clone();
                    rename(&mut body, parameter, &item.name);
                    (item.name.clone(), body)
                }
            };
            scope.parameters.push((bound, item.typed));
            let name = self.column_name(scope, &expr);
            let typed = self.expression(scope, &expr);
            scope.parameters.pop();
            item = Item {
                name,
                typed: typed?,
            };
        }
        items.push(item);
        Ok(())
    }
}

/// The columns that a star means, with their own names.
fn matched(scope: &Scope<'_>, star: &Star) -> Result<Vec<(Found, String)>> {
    let only = match &star.qualifier {
        None => None,
        Some(qualifier) => Some(scope.source_called(qualifier).ok_or_else(|| {
            QueryError::new(
                ErrorCode::UnknownIdentifier,
                format!("Qualified matcher {qualifier}.* does not find table"),
            )
        })?),
    };
    let pattern = |text: &Option<String>| text.as_deref().map(functions::search_regex).transpose();
    let wanted = pattern(&star.pattern)?;
    let unwanted = pattern(&star.except_pattern)?;
    let fits = |name: &str| {
        !star.except.iter().any(|known| known == name)
            && wanted.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && !unwanted
                .as_ref()
                .is_some_and(|pattern| pattern.is_match(name))
    };
    let mut found = Vec::new();
    for (source, table) in scope.sources.iter().enumerate() {
        if only.is_some_and(|only| only != source) {
            continue;
        }
        for (column, defined) in table.columns.iter().enumerate() {
            if defined.in_star && fits(&defined.name) {
                let place = Found {
                    source,
                    column,
                    parts: 1,
                };
                found.push((place, defined.name.clone()));
            }
        }
    }
    Ok(found)
}

/// Gives the argument of a lambda another name, where nothing inside hides it.
fn rename(expr: &mut Expr, from: &str, to: &str) {
    match &mut expr.kind {
        ExprKind::Name(parts) => {
            if let Some(first) = parts.first_mut()
                && first == from
            {
                to.clone_into(first);
            }
        }
        ExprKind::Call(call) => {
            let parameters = call.parameters.iter_mut().flatten();
            for part in call.arguments.iter_mut().chain(parameters) {
                rename(part, from, to);
            }
        }
        ExprKind::Tuple(items) | ExprKind::Array(items) => {
            items.iter_mut().for_each(|item| rename(item, from, to));
        }
        ExprKind::Lambda { arguments, body } => {
            if !arguments.iter().any(|name| name == from) {
                rename(body, from, to);
            }
        }
        ExprKind::Literal(_)
        | ExprKind::Parameter { .. }
        | ExprKind::Star(_)
        | ExprKind::Subquery(_) => {}
    }
}
