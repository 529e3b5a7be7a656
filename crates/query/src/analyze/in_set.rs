//! `IN`: constants, expressions, queries, and names of tables.

use std::sync::Arc;

use cairn_storage::CompareOp;

use super::constant::Fit;
use super::scope::Scope;
use super::side::{only_row, short_set};
use super::tree::{AggregateCall, Kind, Node, OutputColumn, Typed, TypedQuery};
use super::{Analyzer, Result};
use crate::aggregates;
use crate::error::{ErrorCode, QueryError};
use crate::limits::MAX_SET_ROWS;
use crate::syntax::{Call, Expr, ExprKind, Query};
use crate::types::{Type, Value, common_type};

impl<'q> Analyzer<'_> {
    /// `x IN set`
    pub(super) fn in_operator(
        &mut self,
        scope: &mut Scope<'q>,
        call: &Call,
        negated: bool,
    ) -> Result<Typed> {
        let [value, set] = call.arguments.as_slice() else {
            return Err(QueryError::new(
                ErrorCode::NumberOfArgumentsDoesntMatch,
                format!("Function {} takes a value and a set", call.name),
            ));
        };
        let value = self.expression(scope, value)?;
        let found = match &set.kind {
            ExprKind::Subquery(query) => self.in_query(scope, value, query)?,
            ExprKind::Name(parts) => match query_called(scope, parts) {
                Some(query) => self.in_query(scope, value, query)?,
                None => self.in_expression(scope, value, set)?,
            },
            ExprKind::Literal(_)
            | ExprKind::Parameter { .. }
            | ExprKind::Star(_)
            | ExprKind::Call(_)
            | ExprKind::Lambda { .. }
            | ExprKind::Tuple(_)
            | ExprKind::Array(_) => self.in_expression(scope, value, set)?,
        };
        if negated {
            return self.negation(found);
        }
        Ok(found)
    }

    fn in_expression(&mut self, scope: &mut Scope<'q>, value: Typed, set: &Expr) -> Result<Typed> {
        // Elements that are not constants: any of several equalities.
        if let ExprKind::Tuple(items) | ExprKind::Array(items) = &set.kind {
            let items = self.expressions(scope, items)?;
            if items.iter().any(|item| item.value().is_none()) {
                let mut parts = Vec::new();
                for item in items {
                    parts.push(self.compare(CompareOp::Equal, value.clone(), item)?);
                }
                return Ok(any_of(parts));
            }
            let is_tuple = matches!(value.ty.bare(), Type::Tuple(_));
            let of_tuples = items.iter().all(|item| matches!(item.ty, Type::Tuple(_)));
            if !is_tuple || of_tuples {
                return self.in_constants(value, items);
            }
        }
        let set = self.expression(scope, set)?;
        let Some(constant) = set.value() else {
            return Err(QueryError::new(
                ErrorCode::BadArguments,
                "The right side of IN must be constants or a query; use has(array, x) for arrays",
            ));
        };
        let items = match (constant, &set.ty) {
            (Value::Array(items), Type::Array(ty)) => items
                .iter()
                .map(|item| Typed::constant(item.clone(), (**ty).clone()))
                .collect(),
            (Value::Tuple(items), Type::Tuple(types))
                if !matches!(value.ty.bare(), Type::Tuple(_))
                    || types.iter().all(|(_, ty)| matches!(ty, Type::Tuple(_))) =>
            {
                items
                    .iter()
                    .zip(types)
                    .map(|(item, (_, ty))| Typed::constant(item.clone(), ty.clone()))
                    .collect()
            }
            _ => vec![set],
        };
        self.in_constants(value, items)
    }

    fn in_constants(&mut self, value: Typed, items: Vec<Typed>) -> Result<Typed> {
        let items: Vec<Typed> = items
            .into_iter()
            .filter(|item| !item.value().is_some_and(Value::is_null))
            .collect();
        if let Type::Tuple(types) = value.ty.bare() {
            let width = types.len();
            return self.in_tuples(&value, width, &items);
        }
        let mut list = Vec::new();
        let mut native = value.value().is_none();
        for item in &items {
            match self.fit(&value.ty, item)? {
                Some(Fit::Exact(fitting)) => {
                    if !list.contains(&fitting) || list.len() > 64 {
                        list.push(fitting);
                    }
                }
                Some(Fit::Above(_) | Fit::BelowAll | Fit::AboveAll) => {}
                None => native = false,
            }
        }
        if native {
            let mut ty = Type::UInt8;
            if value.ty.is_nullable() {
                ty = ty.nullable();
            }
            if value.ty.is_low_cardinality() {
                ty = Type::LowCardinality(Box::new(ty));
            }
            return Ok(Typed {
                ty,
                kind: Kind::InList {
                    value: Box::new(value),
                    list,
                },
            });
        }
        let mut parts = Vec::new();
        for item in items {
            parts.push(self.compare(CompareOp::Equal, value.clone(), item)?);
        }
        if parts.is_empty() {
            return Ok(Typed::flag(false));
        }
        self.any_constant(parts)
    }

    fn any_constant(&mut self, mut parts: Vec<Typed>) -> Result<Typed> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        self.disjunction(parts)
    }

    /// `(a, b) IN ((1, 2), (3, 4))`
    fn in_tuples(&mut self, value: &Typed, width: usize, items: &[Typed]) -> Result<Typed> {
        let columns = self.tuple_items(value, width)?;
        let mut rows = Vec::new();
        for item in items {
            let (Some(Value::Tuple(values)), Type::Tuple(types)) = (item.value(), &item.ty) else {
                return Err(tuple_width(width));
            };
            if values.len() != width {
                return Err(tuple_width(width));
            }
            let mut parts = Vec::new();
            for ((column, constant), (_, ty)) in columns.iter().zip(values).zip(types) {
                let constant = Typed::constant(constant.clone(), ty.clone());
                parts.push(self.compare(CompareOp::Equal, column.clone(), constant)?);
            }
            rows.push(self.all_of(parts)?);
        }
        if rows.is_empty() {
            return Ok(Typed::flag(false));
        }
        self.any_constant(rows)
    }

    fn all_of(&mut self, mut parts: Vec<Typed>) -> Result<Typed> {
        if parts.len() == 1
            && let Some(only) = parts.pop()
        {
            return Ok(only);
        }
        self.conjunction(parts)
    }

    /// The elements of a tuple as expressions.
    fn tuple_items(&mut self, value: &Typed, width: usize) -> Result<Vec<Typed>> {
        if let Kind::Call(call) = &value.kind
            && call.name == "tuple"
        {
            return Ok(call.arguments.clone());
        }
        (1..=width)
            .map(|index| {
                let index = Value::UInt(u64::try_from(index).unwrap_or(u64::MAX));
                self.function("tupleElement", vec![value.clone(), Typed::literal(index)])
            })
            .collect()
    }

    fn in_query(&mut self, scope: &mut Scope<'q>, value: Typed, query: &Query) -> Result<Typed> {
        let (id, unknown) = (query.id, self.unknown);
        let query = self.subquery(query, &scope.inherited.clone())?;
        let inside_lambda = !scope.parameters.is_empty();
        let most = short_set(&query).or_else(|| inside_lambda.then_some(MAX_SET_ROWS));
        if let Some(most) = most
            && let Some(rows) = self.rows_of(id, &query, most, unknown)
        {
            return self.in_rows(value, &query, rows);
        }
        let of_tuples = query
            .output
            .iter()
            .any(|column| matches!(column.ty.bare(), Type::Tuple(_)));
        let values = if let Type::Tuple(types) = value.ty.bare()
            && !of_tuples
        {
            let width = types.len();
            self.tuple_items(&value, width)?
        } else {
            vec![value]
        };
        if values.len() != query.output.len() {
            return Err(QueryError::new(
                ErrorCode::NumberOfColumnsDoesntMatch,
                format!(
                    "Number of columns in section IN doesn't match. {} at left, {} at right",
                    values.len(),
                    query.output.len()
                ),
            ));
        }
        let (converted, query) = self.same_types(values, without_null(query))?;
        let nullable = converted.iter().any(|value| value.ty.is_nullable());
        Ok(Typed {
            ty: if nullable {
                Type::UInt8.nullable()
            } else {
                Type::UInt8
            },
            kind: Kind::InQuery {
                values: converted,
                query: Box::new(query),
            },
        })
    }

    /// `x IN (query)` with the rows of the query.
    fn in_rows(
        &mut self,
        value: Typed,
        query: &TypedQuery,
        rows: Vec<Vec<Value>>,
    ) -> Result<Typed> {
        if rows.len() > MAX_SET_ROWS {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                format!(
                    "a set of more than {MAX_SET_ROWS} rows inside a lambda is not implemented"
                ),
            ));
        }
        let is_tuple = |ty: &Type| matches!(ty.bare(), Type::Tuple(_));
        let whole = !is_tuple(&value.ty) || query.output.iter().any(|column| is_tuple(&column.ty));
        let mut items = Vec::new();
        for mut row in rows {
            items.push(match query.output.as_slice() {
                [column] if whole => {
                    Typed::constant(row.pop().unwrap_or(Value::Null), column.ty.clone())
                }
                columns => {
                    let types = columns.iter().map(|column| (None, column.ty.clone()));
                    Typed::constant(Value::Tuple(row), Type::Tuple(types.collect()))
                }
            });
        }
        self.in_constants(value, items)
    }

    /// Both sides of IN converted to the types they have in common.
    fn same_types(
        &mut self,
        values: Vec<Typed>,
        mut query: TypedQuery,
    ) -> Result<(Vec<Typed>, TypedQuery)> {
        let mut converted = Vec::new();
        let mut columns = Vec::new();
        let mut same = true;
        for (value, column) in values.into_iter().zip(&mut query.output) {
            let types = [
                value.ty.without_low_cardinality().not_nullable(),
                column.ty.without_low_cardinality().not_nullable(),
            ];
            let Some(common) = common_type(&types) else {
                return Err(QueryError::new(
                    ErrorCode::TypeMismatch,
                    format!(
                        "Types of column {} in section IN don't match: {} on the left, {} on the right",
                        column.name, value.ty, column.ty
                    ),
                ));
            };
            let like = |ty: &Type| {
                if ty.is_nullable() {
                    common.nullable()
                } else {
                    common.clone()
                }
            };
            let (left, right) = (like(&value.ty), like(&column.ty));
            converted.push(self.convert(value, &left)?);
            same &= types.get(1) == Some(&common);
            let id = self.new_id();
            let set = self.convert(Typed::column(column.id, column.ty.clone()), &right)?;
            columns.push((id, set));
        }
        if !same {
            for (output, (id, typed)) in query.output.iter_mut().zip(&columns) {
                output.id = *id;
                output.ty.clone_from(&typed.ty);
            }
            query.node = Node::Project {
                input: Box::new(query.node),
                columns,
            };
        }
        Ok((converted, query))
    }

    /// `EXISTS (query)`: whether there is a row.
    pub(super) fn exists(&mut self, scope: &mut Scope<'q>, call: &Call) -> Result<Typed> {
        let [argument] = call.arguments.as_slice() else {
            return Err(no_subquery());
        };
        let ExprKind::Subquery(query) = &argument.kind else {
            return Err(no_subquery());
        };
        let query = self.subquery(query, &scope.inherited.clone())?;
        let resolved = aggregates::resolve("count", &[], &[])?;
        let id = self.new_id();
        let count = AggregateCall {
            name: "count".to_owned(),
            resolved: Arc::new(resolved),
            parameters: Vec::new(),
            arguments: Vec::new(),
        };
        let node = Node::Aggregate {
            input: Box::new(Node::Limit {
                input: Box::new(query.node),
                offset: 0,
                limit: Some(1),
            }),
            keys: Vec::new(),
            aggregates: vec![(id, count)],
            sets: None,
        };
        let rows = Typed {
            ty: Type::UInt64,
            kind: Kind::Scalar(Box::new(TypedQuery {
                node,
                output: vec![OutputColumn {
                    name: "count()".to_owned(),
                    ty: Type::UInt64,
                    id,
                }],
                limited: false,
            })),
        };
        self.compare(CompareOp::Greater, rows, Typed::literal(Value::UInt(0)))
    }

    /// A query whose only row is a value.
    pub(super) fn scalar_subquery(
        &mut self,
        scope: &mut Scope<'q>,
        query: &Query,
    ) -> Result<Typed> {
        let (id, unknown) = (query.id, self.unknown);
        let query: TypedQuery = self.subquery(query, &scope.inherited.clone())?;
        let ty = match query.output.as_slice() {
            [column] => column.ty.without_low_cardinality().nullable(),
            columns if id.0.is_some() => {
                let types = columns.iter().map(|column| (None, column.ty.clone()));
                Type::Tuple(types.collect())
            }
            _ => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    "a scalar subquery with several columns is not implemented here; select one column",
                ));
            }
        };
        if let Some(rows) = self.rows_of(id, &query, 1, unknown) {
            let value = only_row(rows)?.unwrap_or_else(|| ty.default_value());
            return Ok(Typed::constant(value, ty));
        }
        Ok(Typed {
            ty,
            kind: Kind::Scalar(Box::new(query)),
        })
    }
}

/// NULL in a set equals nothing, not even in NOT IN.
fn without_null(mut query: TypedQuery) -> TypedQuery {
    for column in &mut query.output {
        if !column.ty.is_nullable() || *column.ty.bare() == Type::Nothing {
            continue;
        }
        let null = Typed {
            ty: Type::UInt8,
            kind: Kind::IsNull(Box::new(Typed::column(column.id, column.ty.clone()))),
        };
        query.node = Node::Filter {
            input: Box::new(query.node),
            condition: Typed {
                ty: Type::UInt8,
                kind: Kind::Not(Box::new(null)),
            },
        };
        column.ty = column.ty.not_nullable();
    }
    query
}

/// The query of WITH that a name on the right side of IN means.
fn query_called<'q>(scope: &Scope<'q>, parts: &[String]) -> Option<&'q Query> {
    let [name] = parts else {
        return None;
    };
    scope
        .inherited
        .queries
        .iter()
        .rev()
        .find(|(known, _)| known == name)
        .map(|(_, query)| *query)
}

fn any_of(mut parts: Vec<Typed>) -> Typed {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    let nullable = parts.iter().any(|part| part.ty.is_nullable());
    Typed {
        ty: if nullable {
            Type::UInt8.nullable()
        } else {
            Type::UInt8
        },
        kind: Kind::Or(parts),
    }
}

fn no_subquery() -> QueryError {
    QueryError::new(ErrorCode::BadArguments, "EXISTS takes a query in brackets")
}

fn tuple_width(width: usize) -> QueryError {
    QueryError::new(
        ErrorCode::TypeMismatch,
        format!("The right side of IN must be tuples of {width} elements"),
    )
}
