//! Joins.

use std::sync::Arc;

use datafusion::common::{JoinConstraint, JoinType, NullEquality};
use datafusion::logical_expr::{Join, LogicalPlan};

use super::{Lowering, Result};
use crate::analyze::{Joined, Node};
use crate::error::{ErrorCode, QueryError};

impl Lowering<'_> {
    pub(super) fn join(&self, node: &Node) -> Result<LogicalPlan> {
        let Node::Join {
            left,
            right,
            kind,
            null_equals_null,
            on,
            filter,
        } = node
        else {
            return Err(QueryError::new(ErrorCode::LogicalError, "not a join"));
        };
        let mut pairs = Vec::new();
        for (left, right) in on {
            pairs.push((self.value(left)?, self.value(right)?));
        }
        let filter = filter
            .as_ref()
            .map(|filter| self.condition(filter))
            .transpose()?;
        let kind = match kind {
            Joined::Inner => JoinType::Inner,
            Joined::Left => JoinType::Left,
            Joined::Right => JoinType::Right,
            Joined::Full => JoinType::Full,
            Joined::LeftSemi => JoinType::LeftSemi,
            Joined::LeftAnti => JoinType::LeftAnti,
        };
        let nulls = if *null_equals_null {
            NullEquality::NullEqualsNull
        } else {
            NullEquality::NullEqualsNothing
        };
        let join = Join::try_new(
            Arc::new(self.node(left)?),
            Arc::new(self.node(right)?),
            pairs,
            filter,
            kind,
            JoinConstraint::On,
            nulls,
            false,
        )?;
        Ok(LogicalPlan::Join(join))
    }
}
