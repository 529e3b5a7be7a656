//! Building blocks of typed expressions: constants, casts, conjunctions, and walking over them.

use super::tree::{ColumnId, Kind, Typed};
use crate::types::{Type, Value};

impl Typed {
    /// A column.
    pub(crate) fn column(id: ColumnId, ty: Type) -> Self {
        Self {
            ty,
            kind: Kind::Column(id),
        }
    }

    /// A constant of a given type.
    pub(crate) fn constant(value: Value, ty: Type) -> Self {
        Self {
            ty,
            kind: Kind::Constant(value),
        }
    }

    /// A constant with the type it has as a literal.
    pub(crate) fn literal(value: Value) -> Self {
        let ty = value.literal_type();
        Self::constant(value, ty)
    }

    /// `0` or `1`.
    pub(crate) fn flag(value: bool) -> Self {
        Self::constant(Value::UInt(u64::from(value)), Type::UInt8)
    }

    /// The constant, if it is one.
    pub(crate) fn value(&self) -> Option<&Value> {
        if let Kind::Constant(value) = &self.kind {
            return Some(value);
        }
        None
    }

    /// The same value under another name of the same physical type.
    pub(super) fn relabel(self, ty: Type) -> Self {
        Self { ty, ..self }
    }

    /// The same value in a wider physical type.
    pub(super) fn widen(self, ty: Type) -> Self {
        if self.ty.arrow() == ty.arrow() {
            return self.relabel(ty);
        }
        Self {
            ty,
            kind: Kind::Widen(Box::new(self)),
        }
    }

    /// Calls `visit` on this expression and everything below it, not inside subqueries, until it answers `false`.
    pub(crate) fn visit<'a>(&'a self, visit: &mut dyn FnMut(&'a Self) -> bool) {
        if !visit(self) {
            return;
        }
        self.for_each_child(&mut |child| child.visit(visit));
    }

    /// Whether any part fulfils the condition.
    pub(super) fn any(&self, condition: impl Fn(&Self) -> bool) -> bool {
        let mut found = false;
        self.visit(&mut |part| {
            found = found || condition(part);
            !found
        });
        found
    }

    /// Calls `visit` with each direct part.
    pub(crate) fn for_each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Scalar(_) => {}
            Kind::Call(call) => call.arguments.iter().for_each(visit),
            Kind::And(parts) | Kind::Or(parts) => parts.iter().for_each(visit),
            Kind::Not(part)
            | Kind::IsNull(part)
            | Kind::Widen(part)
            | Kind::ArrayJoin(part)
            | Kind::InList { value: part, .. }
            | Kind::Like { value: part, .. } => visit(part),
            Kind::Compare { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Kind::InQuery { values, .. } => values.iter().for_each(visit),
            Kind::Case {
                branches,
                otherwise,
            } => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                visit(otherwise);
            }
            Kind::Aggregate(call) => call.arguments.iter().for_each(visit),
            Kind::Grouping(keys) => keys.iter().for_each(visit),
            Kind::Window(call) => {
                call.arguments.iter().for_each(&mut *visit);
                call.partition.iter().for_each(&mut *visit);
                call.order.iter().for_each(|key| visit(&key.expr));
            }
            Kind::Lambda(call) => {
                call.arguments.iter().for_each(&mut *visit);
                call.captures.iter().for_each(|(_, typed)| visit(typed));
            }
        }
    }

    /// Calls `visit` with each direct part, to be changed.
    pub(crate) fn for_each_child_mut(&mut self, visit: &mut dyn FnMut(&mut Self)) {
        match &mut self.kind {
            Kind::Column(_) | Kind::Constant(_) | Kind::Scalar(_) => {}
            Kind::Call(call) => call.arguments.iter_mut().for_each(visit),
            Kind::And(parts) | Kind::Or(parts) => parts.iter_mut().for_each(visit),
            Kind::Not(part)
            | Kind::IsNull(part)
            | Kind::Widen(part)
            | Kind::ArrayJoin(part)
            | Kind::InList { value: part, .. }
            | Kind::Like { value: part, .. } => visit(part),
            Kind::Compare { left, right, .. } => {
                visit(left);
                visit(right);
            }
            Kind::InQuery { values, .. } => values.iter_mut().for_each(visit),
            Kind::Case {
                branches,
                otherwise,
            } => {
                for (condition, value) in branches {
                    visit(condition);
                    visit(value);
                }
                visit(otherwise);
            }
            Kind::Aggregate(call) => call.arguments.iter_mut().for_each(visit),
            Kind::Grouping(keys) => keys.iter_mut().for_each(visit),
            Kind::Window(call) => {
                call.arguments.iter_mut().for_each(&mut *visit);
                call.partition.iter_mut().for_each(&mut *visit);
                call.order.iter_mut().for_each(|key| visit(&mut key.expr));
            }
            Kind::Lambda(call) => {
                call.arguments.iter_mut().for_each(&mut *visit);
                call.captures.iter_mut().for_each(|(_, typed)| visit(typed));
            }
        }
    }
}

impl Type {
    /// Digits after the second of a point in time.
    pub(super) fn time_step(&self) -> u8 {
        if let Self::DateTime64(precision, _) = self {
            return *precision;
        }
        0
    }
}

/// Whether a value counts as true; NULL does not.
pub(super) fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::UInt(value) => *value != 0,
        Value::Int(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Null | Value::String(_) | Value::Array(_) | Value::Tuple(_) | Value::Map(_) => false,
    }
}

/// Puts `with` wherever `what` stands.
pub(super) fn replace(typed: &mut Typed, what: &Typed, with: &Typed) {
    if typed == what {
        *typed = with.clone();
        return;
    }
    typed.for_each_child_mut(&mut |child| replace(child, what, with));
}
