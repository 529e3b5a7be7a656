//! Lambdas and the functions that take them. A body is closed when it leaves here: what it uses from outside is computed
//! beside it, once for each row, and handed in.

use std::sync::Arc;

use super::function::arguments_of;
use super::scope::Scope;
use super::tree::{ColumnId, FunctionCall, Kind, LambdaCall, Typed};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::functions::{self, HigherOrder, Use};
use crate::syntax::{Call, Expr, ExprKind};
use crate::types::Type;

/// Names and body of a lambda as written.
type Written<'e> = (&'e [String], &'e Expr);

/// The name of the function that makes answers out of items.
const MAP: &str = "arrayMap";
/// The name of the function that makes one answer out of all items.
const FOLD: &str = "arrayFold";

impl<'q> Analyzer<'_> {
    /// A call with a lambda, or of an alias that is one. Nothing if the call has nothing to do with lambdas.
    pub(super) fn lambda_call(
        &mut self,
        scope: &mut Scope<'q>,
        call: &Call,
    ) -> Result<Option<Typed>> {
        let first = call
            .arguments
            .first()
            .and_then(|first| lambda_of(scope, first));
        match (functions::higher_order(&call.name), first) {
            (Some(function), Some(lambda)) => {
                self.with_lambda(scope, function, lambda, call).map(Some)
            }
            (Some(function), None) if !function.optional => Err(misses_lambda(function, call)),
            (Some(_), None) => Ok(None),
            (None, _) => {
                if let Some((alias, expr)) = scope.alias(&call.name)
                    && let ExprKind::Lambda { arguments, body } = &expr.kind
                {
                    return self
                        .applied(scope, alias, (arguments, body), call)
                        .map(Some);
                }
                let literal = |expr: &Expr| matches!(expr.kind, ExprKind::Lambda { .. });
                if call.arguments.iter().any(literal) {
                    return Err(QueryError::new(
                        ErrorCode::IllegalTypeOfArgument,
                        format!(
                            "Function {} can't have lambda-expressions as arguments",
                            call.name
                        ),
                    ));
                }
                Ok(None)
            }
        }
    }

    /// `f(1)` where `x -> … AS f`: the body with the arguments in place of the names.
    fn applied(
        &mut self,
        scope: &mut Scope<'q>,
        alias: &'q str,
        (names, body): Written<'_>,
        call: &Call,
    ) -> Result<Typed> {
        let arguments = self.expressions(scope, &call.arguments)?;
        if names.len() != arguments.len() {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!("Lambda {alias} takes {} arguments", names.len()),
            ));
        }
        let outside = std::mem::take(&mut scope.parameters);
        scope.parameters = names.iter().cloned().zip(arguments).collect();
        scope.expanding.push(alias);
        let typed = self.expression(scope, body);
        scope.expanding.pop();
        scope.parameters = outside;
        typed
    }

    fn with_lambda(
        &mut self,
        scope: &mut Scope<'q>,
        function: &'static HigherOrder,
        lambda: Written<'_>,
        call: &Call,
    ) -> Result<Typed> {
        let rest = call.arguments.get(1..).unwrap_or_default();
        let mut arguments = self.expressions(scope, rest)?;
        if arguments.is_empty() {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!(
                    "Function {} needs at least 1 argument with data",
                    function.name
                ),
            ));
        }
        match function.how {
            Use::Fold => self.fold(scope, lambda, arguments),
            Use::NewMap | Use::BesideMap | Use::OfMap(_) => {
                self.of_map(scope, function, lambda, arguments)
            }
            Use::BesideLimit => {
                let limit = arguments.remove(0);
                let mapped = self.mapped(scope, function, lambda, arguments.clone())?;
                let Some(array) = arguments.into_iter().next() else {
                    return Err(misses_lambda(function, call));
                };
                self.beside(function, vec![mapped, limit, array])
            }
            Use::Itself | Use::Plain | Use::Beside => {
                let array = arguments.first().cloned();
                let mapped = self.mapped(scope, function, lambda, arguments)?;
                match (function.how, array) {
                    (Use::Itself, _) | (_, None) => Ok(mapped),
                    (Use::Plain, _) => self.function(function.name, vec![mapped]),
                    (_, Some(array)) => self.beside(function, vec![mapped, stripped(array)]),
                }
            }
        }
    }

    fn of_map(
        &mut self,
        scope: &mut Scope<'q>,
        function: &'static HigherOrder,
        lambda: Written<'_>,
        arguments: Vec<Typed>,
    ) -> Result<Typed> {
        let Ok([map]) = <[Typed; 1]>::try_from(arguments) else {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!("Function {} takes a lambda and one map", function.name),
            ));
        };
        if !matches!(map.ty.bare(), Type::Map(..)) {
            return Err(QueryError::new(
                ErrorCode::IllegalTypeOfArgument,
                format!("Function {} requires a Map, got {}", function.name, map.ty),
            ));
        }
        let keys = self.function("mapKeys", vec![map.clone()])?;
        let values = self.function("mapValues", vec![map.clone()])?;
        let mapped = self.mapped(scope, function, lambda, vec![keys, values])?;
        match function.how {
            Use::OfMap(name) => self.function(name, vec![mapped]),
            Use::NewMap => self.beside(function, vec![mapped]),
            Use::Itself
            | Use::Plain
            | Use::Beside
            | Use::BesideLimit
            | Use::Fold
            | Use::BesideMap => self.beside(function, vec![mapped, map]),
        }
    }

    /// The function of answers and array.
    fn beside(&mut self, function: &'static HigherOrder, arguments: Vec<Typed>) -> Result<Typed> {
        let described = arguments_of(&arguments);
        let resolved = function.resolve(&described, &self.context.functions)?;
        Ok(Typed {
            ty: resolved.ty.clone(),
            kind: Kind::Call(FunctionCall {
                name: function.name.to_owned(),
                resolved: Arc::new(resolved),
                arguments,
            }),
        })
    }

    /// The array of answers.
    fn mapped(
        &mut self,
        scope: &mut Scope<'q>,
        function: &'static HigherOrder,
        (names, body): Written<'_>,
        arrays: Vec<Typed>,
    ) -> Result<Typed> {
        let arrays: Vec<Typed> = arrays.into_iter().map(stripped).collect();
        let mut parameters = Vec::new();
        for array in &arrays {
            parameters.push((self.new_id(), item_type(function.name, array)?));
        }
        let bound = self.bindings(function.name, names, &parameters)?;
        let typed = self.body(scope, bound, body)?;
        if function.flags && !matches!(typed.ty.bare(), Type::UInt8 | Type::Bool | Type::Nothing) {
            return Err(QueryError::new(
                ErrorCode::IllegalTypeOfArgument,
                format!(
                    "Expression for function {} must return UInt8 or Nullable(UInt8), found {}",
                    function.name, typed.ty
                ),
            ));
        }
        let ty = Type::Array(Box::new(typed.ty.without_low_cardinality()));
        let call = LambdaCall {
            name: MAP,
            text: format!("{names:?} {body:?}"),
            parameters,
            captures: Vec::new(),
            body: typed,
            arguments: arrays,
        };
        self.closed(ty, call)
    }

    /// `arrayFold((acc, x) -> …, array, start)`
    fn fold(
        &mut self,
        scope: &mut Scope<'q>,
        (names, body): Written<'_>,
        mut arguments: Vec<Typed>,
    ) -> Result<Typed> {
        let start = arguments.pop().filter(|_| !arguments.is_empty());
        let Some(start) = start else {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                "Function arrayFold takes a lambda, arrays and a start",
            ));
        };
        let ty = start.ty.without_low_cardinality();
        let mut arguments: Vec<Typed> = arguments.into_iter().map(stripped).collect();
        let mut parameters = vec![(self.new_id(), ty.clone())];
        for array in &arguments {
            parameters.push((self.new_id(), item_type(FOLD, array)?));
        }
        let bound = self.bindings(FOLD, names, &parameters)?;
        let typed = self.body(scope, bound, body)?;
        if typed.ty.without_low_cardinality() != ty {
            return Err(QueryError::new(
                ErrorCode::TypeMismatch,
                format!(
                    "Return type of lambda function must be the same as the accumulator type, inferred return type of lambda: {}, inferred type of accumulator: {ty}",
                    typed.ty
                ),
            ));
        }
        arguments.push(start);
        let call = LambdaCall {
            name: FOLD,
            text: format!("{names:?} {body:?}"),
            parameters,
            captures: Vec::new(),
            body: typed,
            arguments,
        };
        self.closed(ty, call)
    }

    /// What each name of a lambda stands for. Several names beside one array of tuples are the tuple's elements.
    fn bindings(
        &mut self,
        function: &str,
        names: &[String],
        parameters: &[(ColumnId, Type)],
    ) -> Result<Vec<(String, Typed)>> {
        let columns = parameters
            .iter()
            .map(|(id, ty)| Typed::column(*id, ty.clone()));
        if names.len() == parameters.len() {
            return Ok(names.iter().cloned().zip(columns).collect());
        }
        if let [(id, ty)] = parameters
            && let Type::Tuple(parts) = ty
            && parts.len() == names.len()
        {
            let mut bound = Vec::new();
            for (index, name) in (1_u64..).zip(names) {
                let tuple = Typed::column(*id, ty.clone());
                let index = Typed::literal(crate::types::Value::UInt(index));
                let part = self.function("tupleElement", vec![tuple, index])?;
                bound.push((name.clone(), part));
            }
            return Ok(bound);
        }
        Err(QueryError::new(
            ErrorCode::IllegalTypeOfArgument,
            format!(
                "First argument for this overload of {function} must be a function with {} arguments, found one with {}",
                parameters.len(),
                names.len()
            ),
        ))
    }

    fn body(
        &mut self,
        scope: &mut Scope<'q>,
        bound: Vec<(String, Typed)>,
        body: &Expr,
    ) -> Result<Typed> {
        let before = scope.parameters.len();
        scope.parameters.extend(bound);
        let typed = self.expression(scope, body);
        scope.parameters.truncate(before);
        typed
    }

    /// The call, its body cut off from the query around it.
    fn closed(&mut self, ty: Type, mut call: LambdaCall) -> Result<Typed> {
        let bound: Vec<ColumnId> = call.parameters.iter().map(|(id, _)| *id).collect();
        self.capture(&mut call.body, &bound, &mut call.captures, false);
        // A set that is asked for will be constants when the statement is analysed again.
        let sets_come = !self.wanted.is_empty();
        let leftover = call.body.any(|part| {
            matches!(part.kind, Kind::Aggregate(_) | Kind::ArrayJoin(_))
                || matches!(part.kind, Kind::InQuery { .. }) && !sets_come
        });
        if leftover {
            return Err(QueryError::new(
                ErrorCode::BadArguments,
                "Aggregates, window functions, arrayJoin and IN (query) cannot depend on the argument of a lambda",
            ));
        }
        Ok(Typed {
            ty,
            kind: Kind::Lambda(Box::new(call)),
        })
    }

    /// Takes everything out of `typed` that does not depend on `bound`. Where a part may not be needed for every row
    /// (`lazy`), only what cannot fail is computed beforehand.
    fn capture(
        &mut self,
        typed: &mut Typed,
        bound: &[ColumnId],
        captures: &mut Vec<(ColumnId, Typed)>,
        lazy: bool,
    ) {
        if matches!(typed.kind, Kind::Constant(_)) {
            return;
        }
        let depends =
            typed.any(|part| matches!(part.kind, Kind::Column(id) if bound.contains(&id)));
        let is_leaf = matches!(
            typed.kind,
            Kind::Column(_)
                | Kind::Aggregate(_)
                | Kind::Scalar(_)
                | Kind::ArrayJoin(_)
                | Kind::InQuery { .. }
        );
        let volatile =
            typed.any(|part| matches!(&part.kind, Kind::Call(call) if !call.resolved.is_pure()));
        if !depends && (is_leaf || !lazy && !volatile) {
            let known = captures.iter().find(|(_, known)| known == typed);
            let id = match known {
                Some((id, _)) => *id,
                None => {
                    let id = self.new_id();
                    captures.push((id, typed.clone()));
                    id
                }
            };
            *typed = Typed::column(id, typed.ty.clone());
            return;
        }
        let lazy = lazy || matches!(typed.kind, Kind::Case { .. } | Kind::And(_) | Kind::Or(_));
        typed.for_each_child_mut(&mut |child| self.capture(child, bound, captures, lazy));
    }
}

/// The lambda that an argument is: written there, or the alias of one.
fn lambda_of<'e, 'q: 'e>(scope: &Scope<'q>, expr: &'e Expr) -> Option<Written<'e>> {
    if let ExprKind::Lambda { arguments, body } = &expr.kind {
        return Some((arguments, body));
    }
    let name = expr.plain_name()?;
    if scope.parameters.iter().any(|(known, _)| *known == name) {
        return None;
    }
    let (_, expr) = scope.alias(&name)?;
    if let ExprKind::Lambda { arguments, body } = &expr.kind {
        return Some((arguments, body));
    }
    None
}

fn misses_lambda(function: &HigherOrder, call: &Call) -> QueryError {
    if call.arguments.len() < 2 {
        return QueryError::new(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            format!("Function {} needs a lambda and data", function.name),
        );
    }
    QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!(
            "First argument for function {} must be a function",
            function.name
        ),
    )
}

/// The type of an array's items.
fn item_type(function: &str, array: &Typed) -> Result<Type> {
    if let Type::Array(item) = array.ty.bare() {
        return Ok((**item).clone());
    }
    Err(QueryError::new(
        ErrorCode::IllegalTypeOfArgument,
        format!(
            "Arguments of function {function} behind the lambda must be arrays, not {}",
            array.ty
        ),
    ))
}

/// An array of few values is one of plain values to a lambda.
fn stripped(array: Typed) -> Typed {
    if let Type::Array(item) = &array.ty
        && item.is_low_cardinality()
    {
        let ty = Type::Array(Box::new(item.without_low_cardinality()));
        return array.relabel(ty);
    }
    array
}
