//! Names of result columns: the canonical functional form of what was written.

use super::Analyzer;
use super::scope::Scope;
use crate::syntax::{
    Call, Expr, ExprKind, Frame, FrameBound, FrameUnit, Literal, OrderKey, Window, WindowSpec,
    literal, quoted,
};

impl Analyzer<'_> {
    /// The name of the column that `expr` makes.
    pub(super) fn column_name(&mut self, scope: &Scope<'_>, expr: &Expr) -> String {
        match &expr.alias {
            Some(alias) => alias.clone(),
            None => {
                // Names of lambdas around stand for themselves.
                let mut hidden = scope
                    .parameters
                    .iter()
                    .map(|(name, _)| name.clone())
                    .collect();
                self.canonical(scope, expr, &mut hidden)
            }
        }
    }

    fn canonical(&mut self, scope: &Scope<'_>, expr: &Expr, hidden: &mut Vec<String>) -> String {
        if let Some(alias) = &expr.alias {
            return alias.clone();
        }
        match &expr.kind {
            ExprKind::Literal(value) => literal(value),
            ExprKind::Name(parts) => name_of(scope, parts, hidden),
            ExprKind::Parameter { ty, value } => {
                let value = match value.parse::<f64>() {
                    Ok(_) if !ty.contains("String") => value.clone(),
                    _ => quoted(value),
                };
                format!("_CAST({value}, {})", quoted(ty))
            }
            ExprKind::Star(_) => "*".to_owned(),
            ExprKind::Call(call) => self.call_name(scope, call, hidden),
            ExprKind::Lambda { arguments, body } => {
                let before = hidden.len();
                hidden.extend(arguments.iter().cloned());
                let body = self.canonical(scope, body, hidden);
                hidden.truncate(before);
                format!("lambda(tuple({}), {body})", arguments.join(", "))
            }
            ExprKind::Tuple(items) => format!("({})", self.names(scope, items, hidden)),
            ExprKind::Array(items) => format!("[{}]", self.names(scope, items, hidden)),
            ExprKind::Subquery(_) => {
                self.subqueries += 1;
                format!("_subquery_{}", self.subqueries)
            }
        }
    }

    fn names(&mut self, scope: &Scope<'_>, items: &[Expr], hidden: &mut Vec<String>) -> String {
        let names: Vec<String> = items
            .iter()
            .map(|item| self.canonical(scope, item, hidden))
            .collect();
        names.join(", ")
    }

    fn call_name(&mut self, scope: &Scope<'_>, call: &Call, hidden: &mut Vec<String>) -> String {
        let arguments = self.names(scope, &call.arguments, hidden);
        match (call.name.as_str(), call.arguments.len()) {
            ("tuple", 2..) => return format!("({arguments})"),
            ("array", _) => return format!("[{arguments}]"),
            _ => {}
        }
        let mut name = call.name.clone();
        if name.eq_ignore_ascii_case("grouping") {
            name.make_ascii_lowercase();
        }
        if call.distinct {
            name.push_str("Distinct");
        }
        if call.filter.is_some() {
            name.push_str("If");
        }
        if let Some(parameters) = &call.parameters {
            name.push_str(&format!("({})", self.names(scope, parameters, hidden)));
        }
        let filter = call.filter.as_ref().map(|filter| {
            let comma = if call.arguments.is_empty() { "" } else { ", " };
            format!("{comma}{}", self.canonical(scope, filter, hidden))
        });
        let mut text = format!("{name}({arguments}{})", filter.unwrap_or_default());
        match &call.over {
            None => {}
            Some(Window::Named(window)) => text.push_str(&format!(" OVER {window}")),
            Some(Window::Spec(spec)) => {
                text.push_str(&format!(
                    " OVER ({})",
                    self.window_name(scope, spec, hidden)
                ));
            }
        }
        text
    }

    fn window_name(
        &mut self,
        scope: &Scope<'_>,
        spec: &WindowSpec,
        hidden: &mut Vec<String>,
    ) -> String {
        let mut parts = Vec::new();
        parts.extend(spec.base.clone());
        if !spec.partition_by.is_empty() {
            let keys = self.names(scope, &spec.partition_by, hidden);
            parts.push(format!("PARTITION BY {keys}"));
        }
        if !spec.order_by.is_empty() {
            let keys: Vec<String> = spec
                .order_by
                .iter()
                .map(|key| self.order_name(scope, key, hidden))
                .collect();
            parts.push(format!("ORDER BY {}", keys.join(", ")));
        }
        if let Some(frame) = &spec.frame {
            parts.push(frame_name(frame));
        }
        parts.join(" ")
    }

    fn order_name(
        &mut self,
        scope: &Scope<'_>,
        key: &OrderKey,
        hidden: &mut Vec<String>,
    ) -> String {
        let name = self.canonical(scope, &key.expr, hidden);
        let direction = if key.descending { "DESC" } else { "ASC" };
        format!("{name} {direction}")
    }
}

fn name_of(scope: &Scope<'_>, parts: &[String], hidden: &[String]) -> String {
    let whole = parts.join(".");
    if let [only] = parts
        && (hidden.contains(only) || scope.alias(only).is_some())
    {
        return whole;
    }
    match scope.find(parts) {
        Some(found) => {
            let mut name = scope.column_name(found);
            for rest in parts.iter().skip(found.parts) {
                name.push('.');
                name.push_str(rest);
            }
            name
        }
        None => whole,
    }
}

fn frame_name(frame: &Frame) -> String {
    let bound = |bound: &FrameBound| match bound {
        FrameBound::UnboundedPreceding => "UNBOUNDED PRECEDING".to_owned(),
        FrameBound::Preceding(count) => format!("{count} PRECEDING"),
        FrameBound::CurrentRow => "CURRENT ROW".to_owned(),
        FrameBound::Following(count) => format!("{count} FOLLOWING"),
        FrameBound::UnboundedFollowing => "UNBOUNDED FOLLOWING".to_owned(),
    };
    let unit = match frame.unit {
        FrameUnit::Rows => "ROWS",
        FrameUnit::Range => "RANGE",
        FrameUnit::Groups => "GROUPS",
    };
    format!(
        "{unit} BETWEEN {} AND {}",
        bound(&frame.start),
        bound(&frame.end)
    )
}

/// The text of a literal argument, such as the type of CAST.
pub(super) fn literal_text(expr: &Expr) -> Option<&str> {
    if let ExprKind::Literal(Literal::String(text)) = &expr.kind {
        return Some(text);
    }
    None
}
