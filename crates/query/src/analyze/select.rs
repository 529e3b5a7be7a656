//! One SELECT: its clauses as nodes, in the order in which they take effect.

use super::aggregate::refuse_aggregates;
use super::aliases::collect_aliases;
use super::items::Item;
use super::mark::lookup;
use super::scope::{Inherited, Scope};
use super::tree::{GroupingSets, Kind, Node, SortKey, Typed, TypedQuery};
use super::window::refuse_windows;
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Expr, GroupBy, KeySets, OrderBy, Select, With};
use crate::types::Type;

/// The typed clauses of a SELECT.
#[derive(Debug, Default)]
pub(super) struct Clauses {
    pub(super) condition: Option<Typed>,
    pub(super) items: Vec<Item>,
    pub(super) keys: Option<Vec<Typed>>,
    pub(super) sets: Option<GroupingSets>,
    pub(super) having: Option<Typed>,
    pub(super) qualify: Option<Typed>,
    pub(super) order: Vec<SortKey>,
    pub(super) limit_by: Option<FirstOf>,
    /// OFFSET and LIMIT come after WITH FILL.
    pub(super) is_filled: bool,
}

/// LIMIT BY and DISTINCT ON.
#[derive(Debug)]
pub(super) struct FirstOf {
    pub(super) keys: Vec<Typed>,
    pub(super) offset: u64,
    pub(super) limit: u64,
}

impl Clauses {
    /// Everything that is evaluated on rows, the condition first.
    pub(super) fn each_mut(&mut self) -> Vec<&mut Typed> {
        let mut all: Vec<&mut Typed> = Vec::new();
        all.extend(self.condition.as_mut());
        all.extend(self.items.iter_mut().map(|item| &mut item.typed));
        all.extend(self.keys.iter_mut().flatten());
        all.extend(self.having.as_mut());
        all.extend(self.qualify.as_mut());
        all.extend(self.order.iter_mut().map(|key| &mut key.expr));
        all.extend(self.limit_by.iter_mut().flat_map(|by| by.keys.iter_mut()));
        all
    }

    pub(super) fn has_aggregates(&self) -> bool {
        let aggregate = |typed: &Typed| {
            typed.any(|part| matches!(part.kind, Kind::Aggregate(_) | Kind::Grouping(_)))
        };
        self.items.iter().any(|item| aggregate(&item.typed))
            || self.having.as_ref().is_some_and(aggregate)
            || self.qualify.as_ref().is_some_and(aggregate)
            || self.order.iter().any(|key| aggregate(&key.expr))
    }
}

/// Which of the two answers of `WITH TOTALS` is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The rows.
    Rows,
    /// The row of totals: everything is one group, keys have their default.
    Totals,
}

/// Adds what WITH declares.
pub(super) fn declare<'q>(inherited: &mut Inherited<'q>, select: &'q Select) {
    for with in &select.with {
        match with {
            With::Expr(expr) => inherited.exprs.push(expr),
            With::Query(name, query) => inherited.queries.push((name, query)),
        }
    }
}

impl<'q> Analyzer<'_> {
    /// One SELECT.
    pub(super) fn select(
        &mut self,
        select: &'q Select,
        inherited: &Inherited<'q>,
    ) -> Result<TypedQuery> {
        self.select_for(select, inherited, Answer::Rows)
    }

    /// One of the answers of a SELECT.
    pub(super) fn select_for(
        &mut self,
        select: &'q Select,
        inherited: &Inherited<'q>,
        answer: Answer,
    ) -> Result<TypedQuery> {
        self.count_select()?;
        let outer_settings = self.settings.len();
        self.settings.extend(select.settings.iter().cloned());
        let typed = self.select_here(select, inherited, answer);
        self.settings.truncate(outer_settings);
        typed
    }

    fn select_here(
        &mut self,
        select: &'q Select,
        inherited: &Inherited<'q>,
        answer: Answer,
    ) -> Result<TypedQuery> {
        let mut scope = Scope {
            inherited: inherited.clone(),
            windows: &select.windows,
            ..Scope::default()
        };
        declare(&mut scope.inherited, select);
        let outermost = std::mem::take(&mut self.is_outermost);
        let mut node = self.from(&mut scope, select.from.as_ref())?;
        collect_aliases(&mut scope, select)?;
        if let Some(join) = &select.array_join {
            node = self.array_join(&mut scope, node, join)?;
        }
        let mut clauses = self.clauses(&mut scope, select)?;
        if answer == Answer::Rows {
            self.is_outermost = outermost;
            let fill = self.fill(&mut scope, select, &clauses.items)?;
            self.is_outermost = false;
            clauses.is_filled = fill.is_some();
            self.fill = fill.or_else(|| self.fill.take());
        }
        let node = self.filtered(node, &mut clauses)?;
        let node = self.grouped(&scope, node, &mut clauses, answer)?;
        let node = self.qualified(node, &mut clauses)?;
        self.finished(node, clauses, select, answer)
    }

    fn clauses(&mut self, scope: &mut Scope<'q>, select: &'q Select) -> Result<Clauses> {
        let mut clauses = Clauses {
            items: self.items(scope, &select.items)?,
            ..Clauses::default()
        };
        let mut conditions = Vec::new();
        for (clause, name) in [(&select.prewhere, "PREWHERE"), (&select.filter, "WHERE")] {
            if let Some(expr) = clause {
                let typed = self.condition(scope, expr, name)?;
                refuse_aggregates(&typed, name)?;
                refuse_windows(&typed, name)?;
                conditions.push(typed);
            }
        }
        clauses.condition = match conditions.len() {
            0 | 1 => conditions.pop(),
            _ => Some(self.conjunction(conditions)?),
        };
        if let Some(group_by) = &select.group_by {
            clauses.keys = Some(self.group_keys(scope, group_by, &clauses.items)?);
            clauses.sets = self.grouping_sets(group_by, clauses.keys.as_deref());
        }
        if let Some(expr) = &select.having {
            let having = self.condition(scope, expr, "HAVING")?;
            refuse_windows(&having, "HAVING")?;
            clauses.having = Some(having);
        }
        if let Some(expr) = &select.qualify {
            clauses.qualify = Some(self.condition(scope, expr, "QUALIFY")?);
        }
        clauses.order = match &select.order_by {
            None => Vec::new(),
            Some(OrderBy::All {
                descending,
                nulls_first,
            }) => clauses
                .items
                .iter()
                .map(|item| SortKey {
                    expr: item.typed.clone(),
                    descending: *descending,
                    nulls_first: *nulls_first,
                })
                .collect(),
            Some(OrderBy::Keys(keys)) => self.order_keys(scope, keys, &clauses.items)?,
        };
        clauses.limit_by = self.first_of(scope, select, &clauses.items)?;
        Ok(clauses)
    }

    /// LIMIT BY; DISTINCT ON is LIMIT 1 BY.
    fn first_of(
        &mut self,
        scope: &mut Scope<'q>,
        select: &'q Select,
        items: &[Item],
    ) -> Result<Option<FirstOf>> {
        let (exprs, limit, offset) = match (&select.limit_by, select.distinct_on.as_slice()) {
            (Some(_), [_, ..]) => {
                return Err(QueryError::new(
                    ErrorCode::NotImplemented,
                    "DISTINCT ON and LIMIT BY are not supported at the same time",
                ));
            }
            (Some(by), []) => {
                let limit = self.constant_count(&by.limit, "LIMIT")?;
                let offset = self.optional_count(by.offset.as_ref(), "OFFSET")?;
                (by.keys.as_slice(), limit, offset.unwrap_or(0))
            }
            (None, []) => return Ok(None),
            (None, exprs) => (exprs, 1, 0),
        };
        let mut keys = Vec::new();
        for key in exprs {
            keys.push(self.key(scope, key, items)?);
        }
        Ok(Some(FirstOf {
            keys,
            limit,
            offset,
        }))
    }

    pub(super) fn optional_count(
        &mut self,
        expr: Option<&Expr>,
        what: &str,
    ) -> Result<Option<u64>> {
        expr.map(|expr| self.constant_count(expr, what)).transpose()
    }

    /// A condition: a number, NULL counting as false.
    pub(super) fn condition(
        &mut self,
        scope: &mut Scope<'q>,
        expr: &Expr,
        clause: &str,
    ) -> Result<Typed> {
        let typed = self.expression(scope, expr)?;
        let bare = typed.ty.bare();
        if bare.is_number() || matches!(bare, Type::Bool | Type::Nothing) {
            return Ok(typed);
        }
        Err(QueryError::new(
            ErrorCode::IllegalTypeOfColumnForFilter,
            format!("Invalid type for filter in {clause}: {}", typed.ty),
        ))
    }

    fn grouping_sets(
        &mut self,
        group_by: &GroupBy,
        keys: Option<&[Typed]>,
    ) -> Option<GroupingSets> {
        let GroupBy::Keys { sets, .. } = group_by else {
            return None;
        };
        let count = keys.map_or(0, <[Typed]>::len);
        let sets = match sets {
            KeySets::Together => return None,
            KeySets::Rollup => (0..=count).rev().map(|n| (0..n).collect()).collect(),
            KeySets::Cube => {
                // As many choices as numbers of that many bits; the number of keys is bounded where they are read.
                let choices = 1_usize.checked_shl(u32::try_from(count).unwrap_or(u32::MAX));
                (0..choices.unwrap_or(0))
                    .map(|mask| (0..count).filter(|key| mask & (1 << key) == 0).collect())
                    .collect()
            }
            KeySets::Sets(sets) => sets.clone(),
        };
        let id = self.new_id();
        Some(GroupingSets { sets, id })
    }

    /// WHERE, and the arrays that are unfolded before grouping.
    fn filtered(&mut self, mut node: Node, clauses: &mut Clauses) -> Result<Node> {
        let unfolds = |typed: &Typed| typed.any(|part| matches!(part.kind, Kind::ArrayJoin(_)));
        let early = clauses.condition.as_ref().is_some_and(unfolds);
        if early {
            node = self.unfolded(node, &mut clauses.each_mut());
        }
        if let Some(condition) = clauses.condition.take() {
            node = self.filter(node, condition);
        }
        Ok(self.unfolded(node, &mut clauses.each_mut()))
    }

    /// Window functions and QUALIFY.
    fn qualified(&mut self, node: Node, clauses: &mut Clauses) -> Result<Node> {
        let mut node = self.windowed(node, &mut clauses.each_mut());
        if let Some(condition) = clauses.qualify.take() {
            node = self.filter(node, condition);
        }
        while let Some(found) = clauses
            .each_mut()
            .into_iter()
            .find_map(|typed| lookup(typed))
        {
            node = self.mark(node, found, &mut clauses.each_mut());
        }
        Ok(node)
    }
}
