//! `x IN (query)` as a value: a column made by a node. In conditions it stays an expression, which becomes a semi join.

use super::Analyzer;
use super::from::conjuncts;
use super::tree::{Kind, Node, Typed};
use super::typed::{is_true, replace};
use crate::types::Type;

impl Analyzer<'_> {
    /// A filter. Lookups that stand alone in it become semi joins; those inside OR and the like become columns first.
    pub(super) fn filter(&mut self, mut node: Node, condition: Typed) -> Node {
        let mut parts = conjuncts(condition);
        parts.retain(|part| !part.value().is_some_and(is_true));
        for part in &mut parts {
            let plain = if let Kind::Not(inner) = &part.kind {
                inner
            } else {
                &*part
            };
            let alone = matches!(plain.kind, Kind::InQuery { .. });
            while !alone && let Some(found) = lookup(part) {
                node = self.mark(node, found, &mut [&mut *part]);
            }
        }
        let condition = match parts.pop() {
            None => return node,
            Some(only) if parts.is_empty() => only,
            Some(last) => {
                parts.push(last);
                Typed {
                    ty: Type::UInt8,
                    kind: Kind::And(parts),
                }
            }
        };
        Node::Filter {
            input: Box::new(node),
            condition,
        }
    }

    /// Makes `found` a column and puts the column wherever it stood.
    pub(super) fn mark(&mut self, node: Node, found: Typed, exprs: &mut [&mut Typed]) -> Node {
        let id = self.new_id();
        let ty = found.ty.clone();
        let column = Typed::column(id, Type::Bool).widen(Type::UInt8).relabel(ty);
        for expr in exprs {
            replace(expr, &found, &column);
        }
        let Kind::InQuery { values, query } = found.kind else {
            return node;
        };
        Node::Mark {
            input: Box::new(node),
            id,
            values,
            query,
        }
    }
}

/// A set lookup anywhere in the expression, outside of aggregates.
pub(super) fn lookup(typed: &Typed) -> Option<Typed> {
    let mut found = None;
    typed.visit(&mut |part| {
        if matches!(part.kind, Kind::InQuery { .. }) {
            found = Some(part.clone());
        }
        found.is_none() && !matches!(part.kind, Kind::Aggregate(_))
    });
    found
}

/// A set lookup inside the arguments of an aggregate.
pub(super) fn lookup_in_aggregate(typed: &Typed) -> Option<Typed> {
    let mut found = None;
    typed.visit(&mut |part| {
        if let Kind::Aggregate(call) = &part.kind {
            found = call.arguments.iter().find_map(lookup);
        }
        found.is_none()
    });
    found
}
