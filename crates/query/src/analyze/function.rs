//! Calls of functions: resolving, folding of constants, conversions, and choices.

use std::sync::Arc;

use super::expression::no_common_type;
use super::names::literal_text;
use super::scope::Scope;
use super::tree::{FunctionCall, Kind, Typed};
use super::typed::is_true;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::functions::{self, Argument};
use crate::syntax::Call;
use crate::types::{Type, Value, common_type};

/// What a function's resolver wants to know of its arguments.
pub(super) fn arguments_of(typed: &[Typed]) -> Vec<Argument> {
    typed
        .iter()
        .map(|typed| Argument {
            ty: typed.ty.clone(),
            constant: typed.value().cloned(),
        })
        .collect()
}

impl<'q> Analyzer<'_> {
    /// A call; a constant when all arguments are and the function always answers the same.
    pub(super) fn function(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        let described = arguments_of(&arguments);
        let resolved = functions::resolve(name, &described, &self.context.functions)?;
        let all_constant = described.iter().all(|argument| argument.constant.is_some());
        if all_constant && resolved.is_pure() {
            let value = resolved.fold(&described)?;
            return Ok(Typed::constant(value, resolved.ty));
        }
        Ok(Typed {
            ty: resolved.ty.clone(),
            kind: Kind::Call(FunctionCall {
                name: name.to_owned(),
                resolved: Arc::new(resolved),
                arguments,
            }),
        })
    }

    /// An explicit conversion.
    pub(super) fn cast(&mut self, value: Typed, to: &Type) -> Result<Typed> {
        let name = Typed::literal(Value::String(to.to_string()));
        let cast = self.function("CAST", vec![value, name])?;
        Ok(cast.relabel(to.clone()))
    }

    /// `CAST(x, 'T')`
    pub(super) fn cast_call(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Typed> {
        let [value, ty] = call.arguments.as_slice() else {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                "Number of arguments for function CAST doesn't match: it takes a value and a type",
            ));
        };
        let Some(text) = literal_text(ty) else {
            return Err(QueryError::new(
                ErrorCode::IllegalTypeOfArgument,
                "Second argument of function CAST must be a constant string with the name of a type",
            ));
        };
        let to: Type = text.parse()?;
        let value = self.expression(scope, value)?;
        self.cast(value, &to)
    }

    /// The same value as another type that holds it; used for common types.
    pub(super) fn convert(&mut self, value: Typed, to: &Type) -> Result<Typed> {
        if value.ty == *to {
            return Ok(value);
        }
        if let Kind::Constant(constant) = &value.kind {
            let constant = self.constant_as(constant, &value.ty, to)?;
            return Ok(Typed::constant(constant, to.clone()));
        }
        let from = value.ty.bare();
        let target = to.bare();
        let widens = from.arrow() == target.arrow() && !from.is_time()
            || from == target
            || from.is_integer() && (target.is_integer() || target.is_float());
        if widens {
            return Ok(value.widen(to.clone()));
        }
        self.cast(value, to)
    }

    /// A constant as another type that holds it.
    pub(super) fn constant_as(&mut self, value: &Value, from: &Type, to: &Type) -> Result<Value> {
        if value.is_null() || from == to || from.bare() == to.bare() {
            return Ok(value.clone());
        }
        let typed = Typed::constant(value.clone(), from.not_nullable());
        let cast = self.cast(typed, &to.without_low_cardinality().not_nullable())?;
        Ok(cast.value().cloned().unwrap_or_else(|| value.clone()))
    }

    /// `if`, `multiIf` and CASE with a subject.
    pub(super) fn choice(&mut self, name: &str, mut arguments: Vec<Typed>) -> Result<Typed> {
        let fits = match name {
            "caseWithExpression" => arguments.len() >= 4 && arguments.len().is_multiple_of(2),
            "multiIf" => arguments.len() >= 3 && !arguments.len().is_multiple_of(2),
            _ => arguments.len() == 3,
        };
        let Some(otherwise) = arguments.pop().filter(|_| fits) else {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!("Number of arguments for function {name} doesn't match"),
            ));
        };
        let subject = (name == "caseWithExpression").then(|| arguments.remove(0));
        let mut branches = Vec::new();
        let mut rest = arguments.into_iter();
        while let (Some(condition), Some(value)) = (rest.next(), rest.next()) {
            let condition = match &subject {
                Some(subject) => {
                    self.compare(cairn_storage::CompareOp::Equal, subject.clone(), condition)?
                }
                None => checked_condition(name, condition)?,
            };
            branches.push((condition, value));
        }
        self.branches(branches, otherwise)
    }

    fn branches(&mut self, branches: Vec<(Typed, Typed)>, otherwise: Typed) -> Result<Typed> {
        let types: Vec<Type> = branches
            .iter()
            .map(|(_, value)| value.ty.without_low_cardinality())
            .chain([otherwise.ty.without_low_cardinality()])
            .collect();
        let ty = common_type(&types).ok_or_else(|| no_common_type(&types))?;
        let mut kept = Vec::new();
        for (condition, value) in branches {
            match condition.value() {
                Some(constant) if !is_true(constant) => {}
                Some(_) => {
                    let value = self.convert(value, &ty)?;
                    return Ok(case(kept, value, ty));
                }
                None => kept.push((condition, self.convert(value, &ty)?)),
            }
        }
        let otherwise = self.convert(otherwise, &ty)?;
        Ok(case(kept, otherwise, ty))
    }
}

fn case(branches: Vec<(Typed, Typed)>, otherwise: Typed, ty: Type) -> Typed {
    if branches.is_empty() {
        return otherwise.relabel(ty);
    }
    Typed {
        ty,
        kind: Kind::Case {
            branches,
            otherwise: Box::new(otherwise),
        },
    }
}

fn checked_condition(name: &str, condition: Typed) -> Result<Typed> {
    let bare = condition.ty.bare();
    if matches!(bare, Type::UInt8 | Type::Bool | Type::Nothing) {
        return Ok(condition);
    }
    Err(QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!(
            "Illegal type {bare} of first argument (condition) of function {name}. Must be UInt8"
        ),
    ))
}
