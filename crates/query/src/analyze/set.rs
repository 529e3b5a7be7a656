//! Queries and set operations.

use super::expression::no_common_type;
use super::scope::Inherited;
use super::tree::{ColumnId, Node, OutputColumn, Typed, TypedQuery};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Arm, Query, SetOperator};
use crate::types::{Type, common_type};

impl Analyzer<'_> {
    /// A query inside or around others.
    pub(super) fn subquery<'s>(
        &mut self,
        query: &'s Query,
        inherited: &Inherited<'s>,
    ) -> Result<TypedQuery> {
        // WITH of the first SELECT is visible in all arms of a UNION.
        let mut inherited = inherited.clone();
        let mut arms = Vec::new();
        for (index, arm) in query.arms.iter().enumerate() {
            let typed = match arm {
                Arm::Select(select) => {
                    let typed = self.select(select, &inherited)?;
                    if index == 0 {
                        super::select::declare(&mut inherited, select);
                    }
                    typed
                }
                Arm::Query(query) => self.subquery(query, &inherited)?,
            };
            arms.push(typed);
        }
        let distinct = check_operators(&query.operators)?;
        if arms.len() == 1
            && let Some(only) = arms.pop()
        {
            return Ok(only);
        }
        self.union(arms, distinct)
    }

    fn union(&mut self, arms: Vec<TypedQuery>, distinct: bool) -> Result<TypedQuery> {
        let Some(first) = arms.first() else {
            return Err(QueryError::new(ErrorCode::SyntaxError, "Empty query"));
        };
        let names: Vec<String> = first.output.iter().map(|c| c.name.clone()).collect();
        let mut types = Vec::new();
        for (index, _) in names.iter().enumerate() {
            let column: Vec<Type> = arms
                .iter()
                .filter_map(|arm| arm.output.get(index).map(|column| column.ty.clone()))
                .collect();
            types.push(common_type(&column).ok_or_else(|| no_common_type(&column))?);
        }
        let columns: Vec<(ColumnId, Type)> =
            types.into_iter().map(|ty| (self.new_id(), ty)).collect();
        let mut inputs = Vec::new();
        for arm in arms {
            if arm.output.len() != names.len() {
                return Err(QueryError::new(
                    ErrorCode::UnionAllResultStructuresMismatch,
                    format!(
                        "Different number of columns in UNION ALL elements: {} and {}",
                        names.len(),
                        arm.output.len()
                    ),
                ));
            }
            inputs.push(self.union_input(arm, &columns)?);
        }
        let output = names
            .into_iter()
            .zip(&columns)
            .map(|(name, (id, ty))| OutputColumn {
                name,
                ty: ty.clone(),
                id: *id,
            })
            .collect();
        let mut node = Node::Union(inputs);
        if distinct {
            node = Node::Distinct(Box::new(node));
        }
        Ok(TypedQuery {
            node,
            output,
            limited: false,
        })
    }

    /// An arm with exactly the columns of the union, under the same ids: an optimiser that drops all other arms may put
    /// this one in the place of the whole.
    fn union_input(&mut self, arm: TypedQuery, wanted: &[(ColumnId, Type)]) -> Result<Node> {
        let mut columns = Vec::new();
        for (column, (id, ty)) in arm.output.into_iter().zip(wanted) {
            let typed = self.convert(Typed::column(column.id, column.ty), ty)?;
            columns.push((*id, typed));
        }
        Ok(Node::Project {
            input: Box::new(arm.node),
            columns,
        })
    }
}

/// Whether repetitions are dropped. All operators of one query must be the same.
fn check_operators(operators: &[SetOperator]) -> Result<bool> {
    let mut distinct = false;
    for operator in operators {
        match operator {
            SetOperator::UnionAll => {}
            SetOperator::UnionDistinct => distinct = true,
            SetOperator::Union => {
                return Err(QueryError::new(
                    ErrorCode::ExpectedAllOrDistinct,
                    "Expected ALL or DISTINCT in SelectWithUnion query; because setting (union_default_mode) is empty",
                ));
            }
            SetOperator::Except | SetOperator::Intersect => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    "EXCEPT and INTERSECT are not implemented; use IN or NOT IN",
                ));
            }
        }
    }
    if distinct && operators.iter().any(|op| *op != SetOperator::UnionDistinct) {
        return Err(QueryError::new(
            ErrorCode::NotImplemented,
            "UNION ALL and UNION DISTINCT cannot be mixed; use brackets",
        ));
    }
    Ok(distinct)
}
