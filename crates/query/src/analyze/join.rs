//! Joins: kinds, how many matches count, conditions, and what stands for absent rows.

use cairn_storage::CompareOp;
use hashbrown::HashSet;

use super::from::conjuncts;
use super::order::first_of;
use super::scope::{Found, Origin, Presence, Scope, present};
use super::select::FirstOf;
use super::tree::{ColumnId, Joined, Kind, Node, Over, SortKey, Typed, WindowCall};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{Join, JoinKind, JoinOn, JoinStrictness};
use crate::types::{Type, common_type};

/// A condition taken apart, seen from the side whose rows are kept.
#[derive(Debug, Default)]
struct Condition {
    /// Equal pairs: kept side, other side.
    on: Vec<(Typed, Typed)>,
    /// All else.
    rest: Vec<Typed>,
}

impl<'q> Analyzer<'_> {
    /// One join: the rows so far on the left, its table on the right.
    pub(super) fn join(
        &mut self,
        scope: &mut Scope<'q>,
        left: Node,
        join: &'q Join,
    ) -> Result<Node> {
        let (right, source) = self.table_item(&scope.inherited.clone(), &join.table)?;
        let last = scope.sources.len();
        scope.sources.push(source);
        let parts = match &join.on {
            JoinOn::Nothing => Vec::new(),
            JoinOn::Condition(expr) => conjuncts(self.expression(scope, expr)?),
            JoinOn::Using(names) => self.using(scope, names, join)?,
        };
        let right_ids = self.last_source_ids(scope);
        let mut condition = Condition::default();
        for part in parts {
            match equal_pair(&part, &right_ids) {
                Some(pair) => condition.on.push(pair),
                None => condition.rest.push(part),
            }
        }
        let swapped = join.kind == JoinKind::Right && join.strictness != JoinStrictness::All;
        self.absent_rows(scope, join, last);
        if swapped {
            for (kept, other) in &mut condition.on {
                std::mem::swap(kept, other);
            }
            return self.strict_join(right, left, join, condition, &right_ids);
        }
        match join.strictness {
            JoinStrictness::All => {
                let kind = match join.kind {
                    JoinKind::Inner | JoinKind::Cross => Joined::Inner,
                    JoinKind::Left => Joined::Left,
                    JoinKind::Right => Joined::Right,
                    JoinKind::Full => Joined::Full,
                };
                self.joined(left, right, kind, condition)
            }
            JoinStrictness::Any
            | JoinStrictness::Semi
            | JoinStrictness::Anti
            | JoinStrictness::Asof => self.strict_join(left, right, join, condition, &right_ids),
        }
    }

    /// Says of each table whether its rows may be absent behind this join.
    fn absent_rows(&self, scope: &mut Scope<'q>, join: &Join, last: usize) {
        let use_nulls = self.setting("join_use_nulls") == Some("1");
        let (maybe, never) = if use_nulls {
            (Presence::OrNull, Presence::NeverNull)
        } else {
            (Presence::OrDefault, Presence::NeverDefault)
        };
        let anti = join.strictness == JoinStrictness::Anti;
        let semi = join.strictness == JoinStrictness::Semi;
        let other = if anti { never } else { maybe };
        let (left, right) = match join.kind {
            _ if semi => (None, None),
            JoinKind::Inner | JoinKind::Cross => (None, None),
            JoinKind::Left => (None, Some(other)),
            JoinKind::Right => (Some(other), None),
            JoinKind::Full => (Some(maybe), Some(maybe)),
        };
        for (position, source) in scope.sources.iter_mut().enumerate() {
            let presence = if position < last { left } else { right };
            if let Some(presence) = presence {
                source.presence = presence;
            }
        }
    }

    fn joined(
        &mut self,
        left: Node,
        right: Node,
        kind: Joined,
        condition: Condition,
    ) -> Result<Node> {
        let mut rest = condition.rest;
        let filter = match rest.len() {
            0 => None,
            1 => rest.pop().map(Box::new),
            _ => Some(Box::new(self.conjunction(rest)?)),
        };
        Ok(Node::Join {
            left: Box::new(left),
            right: Box::new(right),
            kind,
            null_equals_null: false,
            on: condition.on,
            filter,
        })
    }

    /// ANY, SEMI, ANTI and ASOF: at most one match for each row of `kept`.
    fn strict_join(
        &mut self,
        kept: Node,
        other: Node,
        join: &Join,
        condition: Condition,
        right_ids: &HashSet<ColumnId>,
    ) -> Result<Node> {
        let outer = matches!(join.kind, JoinKind::Left | JoinKind::Right)
            && join.strictness != JoinStrictness::Semi;
        let kind = if outer { Joined::Left } else { Joined::Inner };
        match join.strictness {
            _ if join.kind == JoinKind::Full => Err(QueryError::new(
                ErrorCode::NotImplemented,
                "FULL JOIN cannot be ANY, SEMI, ANTI or ASOF",
            )),
            JoinStrictness::Anti => self.joined(kept, other, Joined::LeftAnti, condition),
            JoinStrictness::Asof => {
                let order = asof_order(&condition.rest, right_ids)?;
                self.closest(kept, other, kind, condition, &[order])
            }
            JoinStrictness::All | JoinStrictness::Any | JoinStrictness::Semi
                if !condition.rest.is_empty() || condition.on.is_empty() =>
            {
                self.closest(kept, other, kind, condition, &[])
            }
            JoinStrictness::All | JoinStrictness::Any | JoinStrictness::Semi => {
                let first = |keys| FirstOf {
                    keys,
                    offset: 0,
                    limit: 1,
                };
                let keys = |side: fn(&(Typed, Typed)) -> &Typed| -> Vec<Typed> {
                    condition.on.iter().map(|pair| side(pair).clone()).collect()
                };
                let other = first_of(other, &[], first(keys(|pair| &pair.1)));
                let once = join.strictness == JoinStrictness::Any && join.kind == JoinKind::Inner;
                let kept = if once {
                    first_of(kept, &[], first(keys(|pair| &pair.0)))
                } else {
                    kept
                };
                self.joined(kept, other, kind, condition)
            }
        }
    }

    /// Numbers the kept rows, joins, and leaves the first match of each.
    fn closest(
        &mut self,
        kept: Node,
        other: Node,
        kind: Joined,
        condition: Condition,
        order: &[SortKey],
    ) -> Result<Node> {
        let id = self.new_id();
        let numbered = Node::Window {
            input: Box::new(kept),
            windows: vec![(
                id,
                WindowCall {
                    function: Over::RowNumber,
                    arguments: Vec::new(),
                    partition: Vec::new(),
                    order: Vec::new(),
                    frame: None,
                },
            )],
        };
        let joined = self.joined(numbered, other, kind, condition)?;
        let by = FirstOf {
            keys: vec![Typed::column(id, Type::UInt64)],
            offset: 0,
            limit: 1,
        };
        Ok(first_of(joined, order, by))
    }

    /// USING: the columns of that name on both sides are equal, and one afterwards.
    fn using(
        &mut self,
        scope: &mut Scope<'q>,
        names: &[String],
        join: &Join,
    ) -> Result<Vec<Typed>> {
        let mut parts = Vec::new();
        let last = scope.sources.len().saturating_sub(1);
        for (index, name) in names.iter().enumerate() {
            let unknown = || {
                QueryError::new(
                    ErrorCode::UnknownIdentifier,
                    format!("Unknown expression identifier `{name}` in USING"),
                )
            };
            let left = scope
                .find(std::slice::from_ref(name))
                .filter(|found| found.source < last)
                .ok_or_else(unknown)?;
            let column = scope
                .sources
                .last()
                .and_then(|source| source.position(name))
                .ok_or_else(unknown)?;
            let right = Found {
                source: last,
                column,
                parts: 1,
            };
            let left_typed = self.source_column(scope, left)?;
            let right_typed = self.source_column(scope, right)?;
            let closest = join.strictness == JoinStrictness::Asof && index + 1 == names.len();
            let op = if closest {
                CompareOp::GreaterOrEqual
            } else {
                CompareOp::Equal
            };
            parts.push(self.compare(op, left_typed.clone(), right_typed.clone())?);
            if let Some(column) = scope
                .sources
                .last_mut()
                .and_then(|s| s.columns.get_mut(column))
            {
                column.in_star = false;
            }
            self.one_column(scope, join, left, left_typed, right_typed)?;
        }
        Ok(parts)
    }

    /// What a column of USING is behind the join.
    fn one_column(
        &mut self,
        scope: &mut Scope<'q>,
        join: &Join,
        place: Found,
        left: Typed,
        right: Typed,
    ) -> Result<()> {
        let from_right = match join.kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::Cross => return Ok(()),
            JoinKind::Right => true,
            JoinKind::Full => false,
        };
        let types = [left.ty.clone(), right.ty.clone()];
        let Some(common) = common_type(&types) else {
            return Err(super::expression::no_common_type(&types));
        };
        let (left_value, right_value) = (
            self.convert(left.clone(), &common)?,
            self.convert(right, &common)?,
        );
        let typed = if from_right {
            right_value
        } else {
            Typed {
                ty: common.clone(),
                kind: Kind::Case {
                    branches: vec![(
                        Typed {
                            ty: Type::UInt8,
                            kind: Kind::IsNull(Box::new(left)),
                        },
                        right_value,
                    )],
                    otherwise: Box::new(left_value),
                },
            }
        };
        let use_nulls = join.kind == JoinKind::Full && self.setting("join_use_nulls") == Some("1");
        let typed = if use_nulls {
            present(typed, Presence::OrNull)
        } else {
            typed
        };
        if let Some(source) = scope.sources.get_mut(place.source)
            && let Some(column) = source.columns.get_mut(place.column)
        {
            column.ty = typed.ty.clone();
            column.origin = Origin::Typed(Box::new(typed));
        }
        Ok(())
    }

    fn last_source_ids(&self, scope: &Scope<'q>) -> HashSet<ColumnId> {
        let mut ids = HashSet::new();
        for column in scope.sources.last().into_iter().flat_map(|s| &s.columns) {
            match &column.origin {
                Origin::Id(id) => {
                    ids.insert(*id);
                }
                Origin::Scan(scan, _) => {
                    let scan = self.scans.get(*scan);
                    ids.extend(scan.into_iter().flat_map(|s| &s.columns).map(|(id, _)| *id));
                }
                Origin::Computed(_) | Origin::Typed(_) => {}
            }
        }
        ids
    }
}

/// In which sides columns of an expression lie: left, right.
fn sides(typed: &Typed, right_ids: &HashSet<ColumnId>) -> (bool, bool) {
    let (mut in_left, mut in_right) = (false, false);
    typed.visit(&mut |part| {
        if let Kind::Column(id) = part.kind {
            in_right |= right_ids.contains(&id);
            in_left |= !right_ids.contains(&id);
        }
        true
    });
    (in_left, in_right)
}

/// Left and right key, when the condition is an equality of the two sides.
fn equal_pair(condition: &Typed, right_ids: &HashSet<ColumnId>) -> Option<(Typed, Typed)> {
    let Kind::Compare {
        op: CompareOp::Equal,
        left,
        right,
    } = &condition.kind
    else {
        return None;
    };
    match (sides(left, right_ids), sides(right, right_ids)) {
        ((true, false), (false, true)) => Some(((**left).clone(), (**right).clone())),
        ((false, true), (true, false)) => Some(((**right).clone(), (**left).clone())),
        _ => None,
    }
}

/// The order in which the matches of ASOF are looked at: the closest first.
fn asof_order(rest: &[Typed], right_ids: &HashSet<ColumnId>) -> Result<SortKey> {
    let wrong = || {
        QueryError::new(
            ErrorCode::InvalidJoinOnExpression,
            "ASOF JOIN needs equalities and exactly one of <, <=, >, >= between the two sides",
        )
    };
    let [only] = rest else {
        return Err(wrong());
    };
    let (name, left, right) = if let Kind::Compare { op, left, right } = &only.kind {
        (
            super::condition::compare_name(*op),
            left.as_ref(),
            right.as_ref(),
        )
    } else if let Kind::Call(call) = &only.kind
        && let [left, right] = call.arguments.as_slice()
    {
        (call.name.as_str(), left, right)
    } else {
        return Err(wrong());
    };
    let below = match name {
        "greater" | "greaterOrEquals" => true,
        "less" | "lessOrEquals" => false,
        _ => return Err(wrong()),
    };
    let (expr, descending) = match (sides(left, right_ids), sides(right, right_ids)) {
        ((true, false), (false, true)) => (right.clone(), below),
        ((false, true), (true, false)) => (left.clone(), !below),
        _ => return Err(wrong()),
    };
    Ok(SortKey {
        expr,
        descending,
        nulls_first: false,
    })
}
