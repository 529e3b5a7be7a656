//! Subqueries that run before the rest: scalar ones, and short sets of IN. Their rows become constants, which scans can use.

use super::tree::{Node, TypedQuery, TypedStatement, Wanted};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::limits::MAX_SET_ROWS;
use crate::syntax::QueryId;
use crate::types::Value;

impl Analyzer<'_> {
    /// The rows of a query, if they are known; otherwise they are asked for, unless it has unknown parts itself.
    /// `unknown` is how many were unknown before it was analysed.
    pub(super) fn rows_of(
        &mut self,
        id: QueryId,
        query: &TypedQuery,
        most: usize,
        unknown: usize,
    ) -> Option<Vec<Vec<Value>>> {
        let id = id.0?;
        if let Some(rows) = self.context.known.get(&id) {
            return Some(rows.clone());
        }
        if self.unknown == unknown && !self.wanted.iter().any(|wanted| wanted.id == id) {
            self.wanted.push(Wanted {
                id,
                statement: TypedStatement {
                    query: query.clone(),
                    wanted: Vec::new(),
                    fill: None,
                    totals: None,
                    scans: self.scans.clone(),
                },
                most,
            });
        }
        self.unknown += 1;
        None
    }
}

/// The value of a scalar subquery with these rows.
pub(super) fn only_row(mut rows: Vec<Vec<Value>>) -> Result<Option<Value>> {
    if rows.len() > 1 {
        return Err(QueryError::new(
            ErrorCode::IncorrectResultOfScalarSubquery,
            "Scalar subquery returned more than one row",
        ));
    }
    let Some(mut row) = rows.pop() else {
        return Ok(None);
    };
    if row.len() > 1 {
        return Ok(Some(Value::Tuple(row)));
    }
    Ok(row.pop())
}

/// How many rows a set has at most, if it is short enough to become constants.
pub(super) fn short_set(query: &TypedQuery) -> Option<usize> {
    let mut node = &query.node;
    loop {
        match node {
            Node::Limit {
                limit: Some(limit), ..
            } => {
                return usize::try_from(*limit)
                    .ok()
                    .filter(|limit| *limit <= MAX_SET_ROWS);
            }
            Node::Project { input, .. } => node = input,
            Node::Values { rows, .. } => {
                return Some(rows.len()).filter(|rows| *rows <= MAX_SET_ROWS);
            }
            Node::OneRow => return Some(1),
            Node::Filter { .. }
            | Node::Limit { .. }
            | Node::Numbers { .. }
            | Node::Scan(_)
            | Node::Aggregate { .. }
            | Node::Window { .. }
            | Node::ArrayJoin { .. }
            | Node::Unnest { .. }
            | Node::Mark { .. }
            | Node::Distinct(_)
            | Node::Sort { .. }
            | Node::LimitBy { .. }
            | Node::Union(_)
            | Node::Join { .. } => return None,
        }
    }
}
