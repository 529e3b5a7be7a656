//! `arrayJoin` as a node: one row per item, at the place where the array is known.

use super::Analyzer;
use super::tree::{Kind, Node, Typed};
use super::typed::replace;

impl Analyzer<'_> {
    /// Unfolds every `arrayJoin` whose array needs no aggregate.
    pub(super) fn unfolded(&mut self, mut node: Node, exprs: &mut [&mut Typed]) -> Node {
        while let Some(found) = exprs.iter().find_map(|expr| innermost_array_join(expr)) {
            let id = self.new_id();
            let column = Typed::column(id, found.ty.clone());
            for expr in exprs.iter_mut() {
                replace(expr, &found, &column);
            }
            let Kind::ArrayJoin(array) = found.kind else {
                return node;
            };
            node = Node::Unnest {
                input: Box::new(node),
                id,
                array: *array,
            };
        }
        node
    }
}

/// An `arrayJoin` without another inside it and without an aggregate that is still to be computed.
fn innermost_array_join(typed: &Typed) -> Option<Typed> {
    let mut found = None;
    typed.visit(&mut |part| {
        if let Kind::ArrayJoin(array) = &part.kind
            && !array.any(|inner| matches!(inner.kind, Kind::ArrayJoin(_) | Kind::Aggregate(_)))
        {
            found = Some(part.clone());
        }
        found.is_none()
    });
    found
}
