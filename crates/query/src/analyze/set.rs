//! Queries and set operations. INTERSECT binds tighter than UNION and EXCEPT; these go from left to right.

use super::expression::no_common_type;
use super::order::project;
use super::scope::Inherited;
use super::tree::{ColumnId, Joined, Node, OutputColumn, Over, Typed, TypedQuery, WindowCall};
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
        let outer_settings = self.settings.len();
        // SETTINGS at the end are of the last SELECT and mean the whole.
        if let (Some(Arm::Select(last)), [_, ..]) = (query.arms.last(), query.operators.as_slice())
        {
            self.settings.extend(last.settings.iter().cloned());
        }
        let typed = self.arms(query, inherited);
        self.settings.truncate(outer_settings);
        typed
    }

    fn arms<'s>(&mut self, query: &'s Query, inherited: &Inherited<'s>) -> Result<TypedQuery> {
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
        let operators = query
            .operators
            .iter()
            .map(|operator| self.known(*operator))
            .collect::<Result<Vec<_>>>()?;
        let intersect = |op| matches!(op, SetOperator::Intersect | SetOperator::IntersectDistinct);
        let (arms, operators) = self.reduced(arms, &operators, intersect)?;
        self.chained(arms, &operators)
    }

    /// What a bare UNION means.
    fn known(&self, operator: SetOperator) -> Result<SetOperator> {
        if operator != SetOperator::Union {
            return Ok(operator);
        }
        match self.setting("union_default_mode") {
            Some("ALL") => Ok(SetOperator::UnionAll),
            Some("DISTINCT") => Ok(SetOperator::UnionDistinct),
            _ => Err(QueryError::new(
                ErrorCode::ExpectedAllOrDistinct,
                "Expected ALL or DISTINCT in SelectWithUnion query; because setting (union_default_mode) is empty",
            )),
        }
    }

    /// Carries out the operators that `takes` chooses.
    fn reduced(
        &mut self,
        arms: Vec<TypedQuery>,
        operators: &[SetOperator],
        takes: fn(SetOperator) -> bool,
    ) -> Result<(Vec<TypedQuery>, Vec<SetOperator>)> {
        let mut left_arms: Vec<TypedQuery> = Vec::new();
        let mut left_operators = Vec::new();
        for (index, arm) in arms.into_iter().enumerate() {
            let operator = index.checked_sub(1).and_then(|at| operators.get(at));
            match operator {
                Some(operator) if takes(*operator) => {
                    let Some(left) = left_arms.pop() else {
                        return Err(QueryError::new(ErrorCode::SyntaxError, "Empty query"));
                    };
                    left_arms.push(self.matched(left, arm, *operator)?);
                }
                operator => {
                    left_operators.extend(operator);
                    left_arms.push(arm);
                }
            }
        }
        Ok((left_arms, left_operators))
    }

    /// EXCEPT and INTERSECT: rows of the left side by whether the right side has them.
    fn matched(
        &mut self,
        left: TypedQuery,
        right: TypedQuery,
        operator: SetOperator,
    ) -> Result<TypedQuery> {
        let (kind, distinct) = match operator {
            SetOperator::Except => (Joined::LeftAnti, false),
            SetOperator::ExceptDistinct => (Joined::LeftAnti, true),
            SetOperator::Intersect => (Joined::LeftSemi, false),
            SetOperator::IntersectDistinct => (Joined::LeftSemi, true),
            SetOperator::UnionAll | SetOperator::UnionDistinct | SetOperator::Union => {
                return Err(QueryError::new(
                    ErrorCode::LogicalError,
                    "a union is no match",
                ));
            }
        };
        let types = common_columns(&[left.output.as_slice(), right.output.as_slice()])?;
        let names: Vec<String> = left.output.iter().map(|c| c.name.clone()).collect();
        let mut ids = || -> Vec<(ColumnId, Type)> {
            types.iter().map(|ty| (self.new_id(), ty.clone())).collect()
        };
        let (left_ids, right_ids) = (ids(), ids());
        let pair = |((a, left), (b, right)): (&(ColumnId, Type), &(ColumnId, Type))| {
            let left = Typed::column(*a, left.clone());
            (left, Typed::column(*b, right.clone()))
        };
        let mut on: Vec<(Typed, Typed)> = left_ids.iter().zip(&right_ids).map(pair).collect();
        let mut left = self.union_input(left, &left_ids)?;
        let mut right = self.union_input(right, &right_ids)?;
        if !distinct {
            // Each row of the right side answers for one equal row of the left one.
            let (a, b);
            (left, a) = self.counted(left, &left_ids);
            (right, b) = self.counted(right, &right_ids);
            on.push((a, b));
        }
        let mut node = Node::Join {
            left: Box::new(left),
            right: Box::new(right),
            kind,
            null_equals_null: true,
            on,
            filter: None,
        };
        if distinct {
            node = Node::Distinct(Box::new(node));
        }
        Ok(query_of(node, names, left_ids))
    }

    /// Numbers equal rows.
    fn counted(&mut self, node: Node, columns: &[(ColumnId, Type)]) -> (Node, Typed) {
        let id = self.new_id();
        let partition = columns
            .iter()
            .map(|(id, ty)| Typed::column(*id, ty.clone()))
            .collect();
        let number = WindowCall {
            function: Over::RowNumber,
            arguments: Vec::new(),
            partition,
            order: Vec::new(),
            frame: None,
        };
        let node = Node::Window {
            input: Box::new(node),
            windows: vec![(id, number)],
        };
        (node, Typed::column(id, Type::UInt64))
    }

    /// UNION and EXCEPT from left to right; neighbouring UNION ALLs become one.
    fn chained(&mut self, arms: Vec<TypedQuery>, operators: &[SetOperator]) -> Result<TypedQuery> {
        let mut open: Vec<TypedQuery> = Vec::new();
        for (index, arm) in arms.into_iter().enumerate() {
            let operator = index.checked_sub(1).and_then(|at| operators.get(at));
            match operator {
                Some(operator @ (SetOperator::Except | SetOperator::ExceptDistinct)) => {
                    let left = self.union(std::mem::take(&mut open))?;
                    open.push(self.matched(left, arm, *operator)?);
                }
                Some(SetOperator::UnionDistinct) => {
                    open.push(arm);
                    // Of several in a row only the last one matters.
                    if operators.get(index) != Some(&SetOperator::UnionDistinct) {
                        let all = self.union(std::mem::take(&mut open))?;
                        open.push(TypedQuery {
                            node: Node::Distinct(Box::new(all.node)),
                            ..all
                        });
                    }
                }
                Some(
                    SetOperator::UnionAll
                    | SetOperator::Union
                    | SetOperator::Intersect
                    | SetOperator::IntersectDistinct,
                )
                | None => open.push(arm),
            }
        }
        self.union(open)
    }

    fn union(&mut self, mut arms: Vec<TypedQuery>) -> Result<TypedQuery> {
        if arms.len() == 1
            && let Some(only) = arms.pop()
        {
            return Ok(only);
        }
        let Some(first) = arms.first() else {
            return Err(QueryError::new(ErrorCode::SyntaxError, "Empty query"));
        };
        let names: Vec<String> = first.output.iter().map(|c| c.name.clone()).collect();
        let outputs: Vec<&[OutputColumn]> = arms.iter().map(|arm| arm.output.as_slice()).collect();
        let types = common_columns(&outputs)?;
        let columns: Vec<(ColumnId, Type)> =
            types.into_iter().map(|ty| (self.new_id(), ty)).collect();
        let mut inputs = Vec::new();
        for arm in arms {
            inputs.push(self.union_input(arm, &columns)?);
        }
        Ok(query_of(Node::Union(inputs), names, columns))
    }

    /// An arm with exactly the columns of the union, under the same ids: an optimiser that drops all other arms may put
    /// this one in the place of the whole.
    fn union_input(&mut self, arm: TypedQuery, wanted: &[(ColumnId, Type)]) -> Result<Node> {
        let mut columns = Vec::new();
        for (column, (id, ty)) in arm.output.into_iter().zip(wanted) {
            let typed = self.convert(Typed::column(column.id, column.ty), ty)?;
            columns.push((*id, typed));
        }
        Ok(project(arm.node, columns))
    }
}

fn query_of(node: Node, names: Vec<String>, columns: Vec<(ColumnId, Type)>) -> TypedQuery {
    let output = names
        .into_iter()
        .zip(columns)
        .map(|(name, (id, ty))| OutputColumn { name, ty, id })
        .collect();
    TypedQuery {
        node,
        output,
        limited: false,
    }
}

/// The types that the columns of all arms have in common.
fn common_columns(arms: &[&[OutputColumn]]) -> Result<Vec<Type>> {
    let count = arms.first().map_or(0, |first| first.len());
    if let Some(other) = arms.iter().find(|arm| arm.len() != count) {
        return Err(QueryError::new(
            ErrorCode::UnionAllResultStructuresMismatch,
            format!(
                "Different number of columns in UNION ALL elements: {count} and {}",
                other.len()
            ),
        ));
    }
    (0..count)
        .map(|index| {
            let column: Vec<Type> = arms
                .iter()
                .filter_map(|arm| arm.get(index).map(|column| column.ty.clone()))
                .collect();
            common_type(&column).ok_or_else(|| no_common_type(&column))
        })
        .collect()
}
