//! Expressions in two forms: as a value of its type, and as a Boolean where a condition is wanted.

use std::sync::Arc;

use cairn_storage::CompareOp;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::Spans;
use datafusion::logical_expr::expr::{InList, InSubquery, Like};
use datafusion::logical_expr::{BinaryExpr, Case, Cast, Expr, LogicalPlan, Operator, Subquery};

use super::{Lowering, Result};
use crate::analyze::{Kind, Typed, TypedQuery};
use crate::error::{ErrorCode, QueryError};
use crate::functions;
use crate::types::{Type, Value};

impl Lowering<'_> {
    /// The expression as a value of exactly the physical type that its ClickHouse type has.
    pub(super) fn value(&self, typed: &Typed) -> Result<Expr> {
        Ok(match &typed.kind {
            Kind::Column(id) => Expr::Column(self.column(*id)),
            Kind::Constant(value) => literal(value, &typed.ty)?,
            Kind::Call(call) => {
                let arguments = self.values(&call.arguments)?;
                functions::call(&call.resolved, &call.name, arguments)
            }
            Kind::And(_)
            | Kind::Or(_)
            | Kind::Not(_)
            | Kind::Compare { .. }
            | Kind::IsNull(_)
            | Kind::InList { .. }
            | Kind::InQuery { .. }
            | Kind::Like { .. } => {
                let condition = self.condition(typed)?;
                if *typed.ty.bare() == Type::Bool {
                    condition
                } else {
                    cast(condition, typed.ty.arrow())
                }
            }
            Kind::Case {
                branches,
                otherwise,
            } => {
                let mut cases = Vec::new();
                for (condition, value) in branches {
                    let condition = Box::new(self.condition(condition)?);
                    cases.push((condition, Box::new(self.value(value)?)));
                }
                let otherwise = Box::new(self.value(otherwise)?);
                Expr::Case(Case::new(None, cases, Some(otherwise)))
            }
            Kind::Widen(inner) => cast(self.value(inner)?, typed.ty.arrow()),
            Kind::Scalar(query) => Expr::ScalarSubquery(self.subquery(query)?),
            Kind::Lambda(call) => self.lambda(&typed.ty, call)?,
            Kind::Aggregate(_) | Kind::ArrayJoin(_) | Kind::Window(_) | Kind::Grouping(_) => {
                return Err(QueryError::new(
                    ErrorCode::LogicalError,
                    "an aggregate or arrayJoin was left outside its node",
                ));
            }
        })
    }

    pub(super) fn values(&self, typed: &[Typed]) -> Result<Vec<Expr>> {
        typed.iter().map(|typed| self.value(typed)).collect()
    }

    /// The expression as a condition: Boolean, NULL where it is NULL.
    pub(super) fn condition(&self, typed: &Typed) -> Result<Expr> {
        Ok(match &typed.kind {
            Kind::And(parts) => self.joined(parts, Operator::And)?,
            Kind::Or(parts) => self.joined(parts, Operator::Or)?,
            Kind::Not(part) => Expr::Not(Box::new(self.condition(part)?)),
            Kind::Compare { op, left, right } => {
                binary(self.value(left)?, operator(*op), self.value(right)?)
            }
            Kind::IsNull(part) => Expr::IsNull(Box::new(self.value(part)?)),
            Kind::InList { value, list } => {
                let ty = value.ty.bare();
                let items = list.iter().map(|item| literal(item, ty));
                Expr::InList(InList {
                    expr: Box::new(self.value(value)?),
                    list: items.collect::<Result<_>>()?,
                    negated: false,
                })
            }
            Kind::InQuery { values, query } => self.in_query(values, query)?,
            Kind::Like {
                value,
                pattern,
                ignore_case,
            } => Expr::Like(Like {
                negated: false,
                expr: Box::new(self.value(value)?),
                pattern: Box::new(literal(&Value::String(pattern.clone()), &Type::String)?),
                escape_char: None,
                case_insensitive: *ignore_case,
            }),
            Kind::Constant(value) => {
                let truth = (!value.is_null()).then(|| is_true(value));
                Expr::Literal(ScalarValue::Boolean(truth), None)
            }
            Kind::Widen(inner) if *inner.ty.bare() == Type::Bool => self.condition(inner)?,
            Kind::Column(_)
            | Kind::Call(_)
            | Kind::Case { .. }
            | Kind::Widen(_)
            | Kind::Scalar(_)
            | Kind::Lambda(_)
            | Kind::Aggregate(_)
            | Kind::Window(_)
            | Kind::Grouping(_)
            | Kind::ArrayJoin(_) => {
                let value = self.value(typed)?;
                if *typed.ty.bare() == Type::Bool {
                    return Ok(value);
                }
                if *typed.ty.bare() == Type::Nothing {
                    return Ok(Expr::Literal(ScalarValue::Boolean(None), None));
                }
                let zero = ScalarValue::new_zero(&typed.ty.arrow())?;
                binary(value, Operator::NotEq, Expr::Literal(zero, None))
            }
        })
    }

    /// AND and OR of many parts as a balanced tree: DataFusion recurses over it.
    fn joined(&self, parts: &[Typed], operator: Operator) -> Result<Expr> {
        match parts {
            [] => Ok(Expr::Literal(
                ScalarValue::Boolean(Some(operator == Operator::And)),
                None,
            )),
            [only] => self.condition(only),
            parts => {
                let (left, right) = parts.split_at(parts.len() / 2);
                let left = self.joined(left, operator)?;
                let right = self.joined(right, operator)?;
                Ok(binary(left, operator, right))
            }
        }
    }

    fn in_query(&self, values: &[Typed], query: &TypedQuery) -> Result<Expr> {
        let [value] = values else {
            return Err(QueryError::new(
                ErrorCode::NotImplemented,
                "IN (query) with several columns is not implemented; compare one column",
            ));
        };
        Ok(Expr::InSubquery(InSubquery {
            expr: Box::new(self.value(value)?),
            subquery: self.subquery(query)?,
            negated: false,
        }))
    }

    fn subquery(&self, query: &TypedQuery) -> Result<Subquery> {
        let plan: LogicalPlan = self.query(query)?;
        Ok(Subquery {
            subquery: Arc::new(plan),
            outer_ref_columns: Vec::new(),
            spans: Spans::new(),
        })
    }
}

/// A constant of a type.
pub(super) fn literal(value: &Value, ty: &Type) -> Result<Expr> {
    Ok(Expr::Literal(value.to_scalar(ty)?, None))
}

fn cast(expr: Expr, to: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to))
}

fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

fn operator(op: CompareOp) -> Operator {
    match op {
        CompareOp::Equal => Operator::Eq,
        CompareOp::NotEqual => Operator::NotEq,
        CompareOp::Less => Operator::Lt,
        CompareOp::LessOrEqual => Operator::LtEq,
        CompareOp::Greater => Operator::Gt,
        CompareOp::GreaterOrEqual => Operator::GtEq,
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(value) => *value,
        Value::UInt(value) => *value != 0,
        Value::Int(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Null | Value::String(_) | Value::Array(_) | Value::Tuple(_) | Value::Map(_) => false,
    }
}
