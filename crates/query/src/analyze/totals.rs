//! WITH TOTALS: a second answer beside the rows, made from the same SELECT with everything in one group.

use super::scope::Inherited;
use super::select::Answer;
use super::tree::TypedQuery;
use super::{Analyzer, Result};
use crate::syntax::{Arm, Call, Expr, ExprKind, GroupBy, KeySets, Literal, Query, Select, With};

impl Analyzer<'_> {
    /// The totals of a statement's query, if it asks for them.
    pub(super) fn totals(&mut self, query: &Query) -> Result<Option<TypedQuery>> {
        let [arm] = query.arms.as_slice() else {
            return Ok(None);
        };
        let select = match arm {
            Arm::Select(select) => select,
            Arm::Query(query) => return self.totals(query),
        };
        if !select.totals {
            return Ok(None);
        }
        let select = only_groups_that_pass(select);
        self.select_for(&select, &Inherited::default(), Answer::Totals)
            .map(Some)
    }
}

/// HAVING chooses among groups, and totals are made of the chosen ones: rows of other groups are left out beforehand.
fn only_groups_that_pass(select: &Select) -> Select {
    let mut totals = select.clone();
    let Some(having) = totals.having.take() else {
        return totals;
    };
    let Some(GroupBy::Keys { keys, .. }) = &select.group_by else {
        return totals;
    };
    let keys: Vec<Expr> = keys.iter().map(|key| by_name(key, select)).collect();
    let mut chosen = select.clone();
    chosen.totals = false;
    chosen.having = Some(having);
    chosen.order_by = None;
    chosen.limit = None;
    chosen.offset = None;
    chosen.limit_by = None;
    chosen.group_by = Some(GroupBy::Keys {
        keys: keys.clone(),
        sets: KeySets::Together,
    });
    // What the list declares stays visible.
    let declared = select.items.iter().filter(|item| item.alias.is_some());
    chosen.with.extend(declared.cloned().map(With::Expr));
    chosen.items.clone_from(&keys);
    let set = Query {
        arms: vec![Arm::Select(Box::new(chosen))],
        operators: Vec::new(),
        id: crate::syntax::QueryId::default(),
    };
    let set = Expr::new(ExprKind::Subquery(Box::new(set)));
    let value = match keys.as_slice() {
        [only] => only.clone(),
        _ => Expr::new(ExprKind::Tuple(keys)),
    };
    let passes = Expr::new(ExprKind::Call(Box::new(Call::new("in", vec![value, set]))));
    totals.filter = Some(match totals.filter.take() {
        Some(filter) => Expr::call("and", vec![filter, passes]),
        None => passes,
    });
    totals
}

/// A key given by its position, as the item itself.
fn by_name(key: &Expr, select: &Select) -> Expr {
    if let ExprKind::Literal(Literal::UInt(position)) = key.kind
        && let Some(item) = usize::try_from(position)
            .ok()
            .and_then(|position| position.checked_sub(1))
            .and_then(|index| select.items.get(index))
    {
        return item.clone();
    }
    key.clone()
}
