//! Expressions: what each kind of syntax means, and which room decides about it.

use cairn_storage::{CompareOp, ScanColumn};

use super::scope::Scope;
use super::tree::{Kind, Typed};
use super::window_name::{is_window_function, misses_over};
use super::{Analyzer, Result};
use crate::aggregates;
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Call, Expr, ExprKind, Literal};
use crate::types::{Type, Value, common_type};

impl<'q> Analyzer<'_> {
    /// The typed form of an expression.
    pub(super) fn expression(&mut self, scope: &mut Scope<'q>, expr: &Expr) -> Result<Typed> {
        self.count_node()?;
        match &expr.kind {
            ExprKind::Literal(literal) => Ok(Typed::literal(value_of(literal))),
            ExprKind::Name(parts) => self.name(scope, parts),
            ExprKind::Parameter { ty, value } => self.parameter(ty, value),
            ExprKind::Star(_) => Err(QueryError::new(
                ErrorCode::SyntaxError,
                "`*` can only stand in the list of SELECT and in count(*)",
            )),
            ExprKind::Call(call) => self.call(scope, call),
            ExprKind::Lambda { .. } => Err(QueryError::new(
                ErrorCode::BadArguments,
                "A lambda is not allowed here: it can only be an argument of a function that takes one",
            )),
            ExprKind::Tuple(items) => {
                let items = self.expressions(scope, items)?;
                self.tuple(items)
            }
            ExprKind::Array(items) => {
                let items = self.expressions(scope, items)?;
                self.array(items)
            }
            ExprKind::Subquery(query) => self.scalar_subquery(scope, query),
        }
    }

    /// The typed forms of several expressions.
    pub(super) fn expressions(
        &mut self,
        scope: &mut Scope<'q>,
        exprs: &[Expr],
    ) -> Result<Vec<Typed>> {
        exprs
            .iter()
            .map(|expr| self.expression(scope, expr))
            .collect()
    }

    fn name(&mut self, scope: &mut Scope<'q>, parts: &[String]) -> Result<Typed> {
        if let [first, ..] = parts
            && let Some((_, bound)) = scope
                .parameters
                .iter()
                .rev()
                .find(|(name, _)| name == first)
        {
            let bound = bound.clone();
            return self.elements(scope, bound, 1, parts);
        }
        if let [only] = parts
            && let Some(typed) = self.expand_alias(scope, only)?
        {
            return Ok(typed);
        }
        if let Some(found) = scope.find(parts) {
            let column = self.source_column(scope, found)?;
            return self.elements(scope, column, found.parts, parts);
        }
        if let [first, rest @ ..] = parts
            && !rest.is_empty()
            && let Some(mut typed) = self.expand_alias(scope, first)?
        {
            for part in rest {
                let name = Typed::literal(Value::String(part.clone()));
                typed = self.function("tupleElement", vec![typed, name])?;
            }
            return Ok(typed);
        }
        Err(unknown_identifier(scope, parts))
    }

    fn expand_alias(&mut self, scope: &mut Scope<'q>, name: &str) -> Result<Option<Typed>> {
        let Some((alias, expr)) = scope.alias(name) else {
            return Ok(None);
        };
        self.aliased(scope, alias, expr).map(Some)
    }

    /// The expression of an alias. Inside it the alias means the column of that name.
    pub(super) fn aliased(
        &mut self,
        scope: &mut Scope<'q>,
        alias: &'q str,
        expr: &Expr,
    ) -> Result<Typed> {
        let outermost = scope.expanding.is_empty();
        let known = scope.expanded.iter().find(|(known, ..)| *known == alias);
        if outermost && let Some((_, typed, nodes)) = known {
            // A copy is as large as the original.
            self.nodes += nodes;
            self.count_node()?;
            return Ok(typed.clone());
        }
        let before = self.nodes;
        scope.expanding.push(alias);
        // An alias means the same inside a lambda as outside of it.
        let parameters = std::mem::take(&mut scope.parameters);
        let typed = self.expression(scope, expr);
        scope.parameters = parameters;
        scope.expanding.pop();
        let typed = typed?;
        if outermost {
            let nodes = self.nodes - before;
            scope.expanded.push((alias, typed.clone(), nodes));
        }
        Ok(typed)
    }

    /// `m.keys`, `a.size0`, `t.name` after the part of the name that is a column.
    fn elements(
        &mut self,
        scope: &Scope<'q>,
        column: Typed,
        taken: usize,
        parts: &[String],
    ) -> Result<Typed> {
        let mut typed = column;
        for part in parts.iter().skip(taken) {
            let bare = typed.ty.bare().clone();
            typed = match (&bare, part.as_str()) {
                (Type::Map(key, _), "keys") => {
                    let ty = Type::Array(key.clone());
                    self.function("mapKeys", vec![typed])?.relabel(ty)
                }
                (Type::Map(_, value), "values") => {
                    let ty = Type::Array(value.clone());
                    self.function("mapValues", vec![typed])?.relabel(ty)
                }
                (Type::Array(_) | Type::Map(..), "size0") => {
                    self.function("length", vec![typed])?
                }
                (Type::String, "size") => self.function("length", vec![typed])?,
                (_, "null") if typed.ty.is_nullable() => is_null(typed),
                (Type::Tuple(_), name) => {
                    let name = Typed::literal(Value::String(name.to_owned()));
                    self.function("tupleElement", vec![typed, name])?
                }
                _ => return Err(unknown_identifier(scope, parts)),
            };
        }
        Ok(typed)
    }

    /// `(a, b)`
    pub(super) fn tuple(&mut self, items: Vec<Typed>) -> Result<Typed> {
        let constants: Option<Vec<Value>> =
            items.iter().map(|item| item.value().cloned()).collect();
        if let Some(values) = constants {
            let types = items.into_iter().map(|item| (None, item.ty)).collect();
            return Ok(Typed::constant(Value::Tuple(values), Type::Tuple(types)));
        }
        self.function("tuple", items)
    }

    /// `[a, b]`
    pub(super) fn array(&mut self, items: Vec<Typed>) -> Result<Typed> {
        let constants: Option<Vec<Value>> =
            items.iter().map(|item| item.value().cloned()).collect();
        let types: Vec<Type> = items
            .iter()
            .map(|item| item.ty.without_low_cardinality())
            .collect();
        if let Some(values) = constants {
            let ty = if values.is_empty() {
                Type::Nothing
            } else {
                common_type(&types).ok_or_else(|| no_common_type(&types))?
            };
            let values = values
                .into_iter()
                .zip(&types)
                .map(|(value, from)| self.constant_as(&value, from, &ty))
                .collect::<Result<_>>()?;
            let array = Value::Array(values);
            return Ok(Typed::constant(array, Type::Array(Box::new(ty))));
        }
        let ty = common_type(&types).ok_or_else(|| no_common_type(&types))?;
        let items = items
            .into_iter()
            .map(|item| self.convert(item, &ty))
            .collect::<Result<Vec<_>>>()?;
        self.function("array", items)
    }

    /// A call: operators and forms that lowering treats specially, then aggregates, then functions.
    fn call(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Typed> {
        if let Some(window) = &call.over {
            return self.window_call(scope, call, window);
        }
        if is_window_function(&call.name) {
            return Err(misses_over(&call.name));
        }
        if call.name.eq_ignore_ascii_case("grouping") {
            let keys = self.expressions(scope, &call.arguments)?;
            return Ok(Typed {
                ty: Type::UInt64,
                kind: Kind::Grouping(keys),
            });
        }
        if let Some(typed) = self.lambda_call(scope, call)? {
            return Ok(typed);
        }
        if let Some(typed) = self.operator(scope, call)? {
            return Ok(typed);
        }
        if aggregates::is_aggregate(&aggregate_name(call)) {
            return self.aggregate(scope, call);
        }
        if call.parameters.is_some() || call.distinct || call.filter.is_some() {
            return Err(QueryError::new(
                ErrorCode::UnknownAggregateFunction,
                format!("Unknown aggregate function `{}`", call.name),
            ));
        }
        let mut arguments = self.expressions(scope, &call.arguments)?;
        if call.name.starts_with("toInterval") {
            arguments = arguments.into_iter().map(number_of_text).collect();
        }
        self.function(&call.name, arguments)
    }

    fn operator(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Option<Typed>> {
        let compare = match call.name.as_str() {
            "equals" => Some(CompareOp::Equal),
            "notEquals" => Some(CompareOp::NotEqual),
            "less" => Some(CompareOp::Less),
            "lessOrEquals" => Some(CompareOp::LessOrEqual),
            "greater" => Some(CompareOp::Greater),
            "greaterOrEquals" => Some(CompareOp::GreaterOrEqual),
            _ => None,
        };
        if let Some(op) = compare {
            let [left, right] = self.exactly(scope, call)?;
            return self.compare(op, left, right).map(Some);
        }
        let typed = match call.name.as_str() {
            "and" | "AND" => {
                let parts = self.expressions(scope, &call.arguments)?;
                self.conjunction(parts)?
            }
            "or" | "OR" => {
                let parts = self.expressions(scope, &call.arguments)?;
                self.disjunction(parts)?
            }
            "not" | "NOT" => {
                let [part] = self.exactly(scope, call)?;
                self.negation(part)?
            }
            "in" | "globalIn" => self.in_operator(scope, call, false)?,
            "notIn" | "globalNotIn" => self.in_operator(scope, call, true)?,
            "like" | "ilike" | "notLike" | "notILike" => {
                let [value, pattern] = self.exactly(scope, call)?;
                self.like(&call.name, value, pattern)?
            }
            "isNull" => {
                let [part] = self.exactly(scope, call)?;
                is_null(part)
            }
            "isNotNull" => {
                let [part] = self.exactly(scope, call)?;
                self.negation(is_null(part))?
            }
            "isNotDistinctFrom" | "isDistinctFrom" => {
                let [left, right] = self.exactly(scope, call)?;
                self.distinct_from(&call.name, left, right)?
            }
            "if" | "IF" | "multiIf" | "caseWithExpression" => {
                let arguments = self.expressions(scope, &call.arguments)?;
                self.choice(&call.name, arguments)?
            }
            "tuple" => {
                let items = self.expressions(scope, &call.arguments)?;
                self.tuple(items)?
            }
            "array" => {
                let items = self.expressions(scope, &call.arguments)?;
                self.array(items)?
            }
            "CAST" | "cast" | "_CAST" => self.cast_call(scope, call)?,
            "arrayJoin" => {
                let [array] = self.exactly(scope, call)?;
                array_join(array)?
            }
            "arrayElement" | "mapContains" | "mapContainsKey" | "has" => {
                let arguments = self.expressions(scope, &call.arguments)?;
                return self.map_lookup(&call.name, arguments).map(Some);
            }
            "exists" => self.exists(scope, call)?,
            _ => return Ok(None),
        };
        Ok(Some(typed))
    }

    /// The arguments of a call that takes a fixed number of them.
    fn exactly<const N: usize>(
        &mut self,
        scope: &mut Scope<'q>,
        call: &Call,
    ) -> Result<[Typed; N]> {
        let arguments = self.expressions(scope, &call.arguments)?;
        let count = arguments.len();
        arguments.try_into().map_err(|_| {
            QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!(
                    "Number of arguments for function {} doesn't match: passed {count}, should be {N}",
                    call.name
                ),
            )
        })
    }

    /// `column['key']` and `mapContains(column, 'key')` on a stored map become columns of the scan.
    fn map_lookup(&mut self, name: &str, arguments: Vec<Typed>) -> Result<Typed> {
        if let [map, key] = arguments.as_slice()
            && let Some(Value::String(key)) = key.value()
        {
            // `has(mapKeys(m), 'k')` asks the same as mapContains.
            let map = if name != "has" {
                Some(map)
            } else if let Kind::Call(call) = &map.kind
                && call.name == "mapKeys"
            {
                call.arguments.first()
            } else {
                None
            };
            if let Some((scan, column, value)) = map.and_then(|map| self.stored_map(map)) {
                let key = key.clone();
                if name == "arrayElement" {
                    let id = self.scan_column(scan, ScanColumn::MapValue { column, key })?;
                    return Ok(Typed::column(id, value));
                }
                let id = self.scan_column(scan, ScanColumn::MapContains { column, key })?;
                let flag = Typed::column(id, Type::Bool);
                return Ok(flag.widen(Type::UInt8));
            }
        }
        let of_array = arguments
            .first()
            .is_some_and(|array| matches!(array.ty.bare(), Type::Array(_)));
        let typed = self.function(name, arguments)?;
        if of_array && name == "arrayElement" {
            let ty = typed.ty.without_low_cardinality();
            return Ok(typed.relabel(ty));
        }
        Ok(typed)
    }

    /// The scan and name of a stored map column, and the type of its values.
    fn stored_map(&self, typed: &Typed) -> Option<(usize, String, Type)> {
        let Type::Map(_, value) = &typed.ty else {
            return None;
        };
        let Kind::Column(id) = typed.kind else {
            return None;
        };
        self.scans.iter().enumerate().find_map(|(index, scan)| {
            scan.columns.iter().find_map(|(known, column)| {
                let ScanColumn::Stored(name) = column else {
                    return None;
                };
                (*known == id).then(|| (index, name.clone(), (**value).clone()))
            })
        })
    }
}

/// The name that decides which aggregate a call is.
pub(super) fn aggregate_name(call: &Call) -> String {
    let mut name = call.name.clone();
    if call.filter.is_some() {
        name.push_str("If");
    }
    name
}

fn value_of(literal: &Literal) -> Value {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::UInt(value) => Value::UInt(*value),
        Literal::Int(value) => Value::Int(*value),
        Literal::Float(value) => Value::Float(*value),
        Literal::String(value) => Value::String(value.clone()),
    }
}

/// `isNull`; of what cannot be NULL it is 0.
pub(super) fn is_null(part: Typed) -> Typed {
    if let Some(value) = part.value() {
        return Typed::flag(value.is_null());
    }
    if !part.ty.is_nullable() {
        return Typed::flag(false);
    }
    Typed {
        ty: Type::UInt8,
        kind: Kind::IsNull(Box::new(part)),
    }
}

/// The number of `INTERVAL '5' MINUTE`.
fn number_of_text(typed: Typed) -> Typed {
    let number = typed
        .value()
        .and_then(Value::as_text)
        .map(str::parse::<i64>);
    match number {
        Some(Ok(number)) => Typed::literal(Value::Int(number)),
        Some(Err(_)) | None => typed,
    }
}

fn array_join(array: Typed) -> Result<Typed> {
    let Type::Array(item) = array.ty.bare() else {
        return Err(QueryError::new(
            ErrorCode::TypeMismatch,
            format!("Argument of arrayJoin must be an Array, not {}", array.ty),
        ));
    };
    Ok(Typed {
        ty: (**item).clone(),
        kind: Kind::ArrayJoin(Box::new(array)),
    })
}

/// The error of types that cannot meet.
pub(super) fn no_common_type(types: &[Type]) -> QueryError {
    let names: Vec<String> = types.iter().map(ToString::to_string).collect();
    QueryError::new(
        ErrorCode::NoCommonType,
        format!("There is no supertype for types {}", names.join(", ")),
    )
}

fn unknown_identifier(scope: &Scope<'_>, parts: &[String]) -> QueryError {
    let name = parts.join(".");
    let near: Vec<&str> = scope
        .sources
        .iter()
        .flat_map(|source| &source.columns)
        .map(|column| column.name.as_str())
        .filter(|column| column.eq_ignore_ascii_case(&name))
        .collect();
    let hint = if near.is_empty() {
        String::new()
    } else {
        format!(". Maybe you meant: ['{}']", near.join("', '"))
    };
    QueryError::new(
        ErrorCode::UnknownIdentifier,
        format!("Unknown expression identifier `{name}`{hint}"),
    )
}
