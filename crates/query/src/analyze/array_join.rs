//! ARRAY JOIN: arrays of a row become rows, several of them side by side.

use super::scope::{Origin, Scope, Source, SourceColumn, or_default};
use super::tree::{ColumnId, Kind, LambdaCall, Node, Typed};
use super::{Analyzer, Result};
use crate::error::{ErrorCode, QueryError};
use crate::syntax::{ArrayJoin, Expr};
use crate::types::Type;

/// An array with the name under which its items are seen.
struct Joined {
    name: String,
    array: Typed,
    /// The items take the place of the array.
    replaces: bool,
}

impl<'q> Analyzer<'_> {
    /// The rows of ARRAY JOIN; its names become columns of the scope.
    pub(super) fn array_join(
        &mut self,
        scope: &mut Scope<'q>,
        node: Node,
        join: &'q ArrayJoin,
    ) -> Result<Node> {
        let mut joined = Vec::new();
        for item in &join.items {
            self.joined_arrays(scope, item, &mut joined)?;
        }
        let first = joined.first().map(|first| first.array.clone());
        let mut arrays = Vec::new();
        let mut fresh = Source::default();
        for (index, item) in joined.into_iter().enumerate() {
            let array = match (&first, index) {
                (Some(first), 1..) => self.as_long_as(first, item.array),
                _ => item.array,
            };
            let id = self.new_id();
            let ty = item_of(&array)?;
            let typed = or_default(Typed::column(id, ty.clone()), join.left);
            arrays.push((id, array));
            place(scope, &mut fresh, &item.name, item.replaces, typed);
        }
        scope.sources.push(fresh);
        Ok(Node::ArrayJoin {
            input: Box::new(node),
            arrays,
            left: join.left,
        })
    }

    /// The array of an item; a prefix of dotted names stands for all columns behind it.
    fn joined_arrays(
        &mut self,
        scope: &mut Scope<'q>,
        item: &Expr,
        joined: &mut Vec<Joined>,
    ) -> Result<()> {
        if let Some(group) = item.plain_name()
            && scope.find(std::slice::from_ref(&group)).is_none()
        {
            let prefix = format!("{group}.");
            let names: Vec<String> = scope
                .sources
                .iter()
                .flat_map(|source| &source.columns)
                .filter(|column| {
                    column.name.starts_with(&prefix) && matches!(column.ty.bare(), Type::Array(_))
                })
                .map(|column| column.name.clone())
                .collect();
            for name in &names {
                let expr = Expr::new(crate::syntax::ExprKind::Name(vec![name.clone()]));
                let array = self.expression(scope, &expr)?;
                let shown = match &item.alias {
                    Some(alias) => name.replacen(&group, alias, 1),
                    None => name.clone(),
                };
                joined.push(Joined {
                    name: shown,
                    array,
                    replaces: item.alias.is_none(),
                });
            }
            if !names.is_empty() {
                return Ok(());
            }
        }
        let plain = Expr::new(item.kind.clone());
        let typed = self.expression(scope, &plain)?;
        let array = if matches!(typed.ty.bare(), Type::Map(..)) {
            self.entries(typed)?
        } else {
            typed
        };
        let replaces =
            item.alias.is_none() && matches!(item.kind, crate::syntax::ExprKind::Name(_));
        let name = match &item.alias {
            Some(alias) => alias.clone(),
            None => self.column_name(scope, item),
        };
        joined.push(Joined {
            name,
            array,
            replaces,
        });
        Ok(())
    }

    /// The entries of a map as an array of pairs.
    fn entries(&mut self, map: Typed) -> Result<Typed> {
        let Type::Map(key, value) = map.ty.bare().clone() else {
            return Ok(map);
        };
        let keys = self.function("mapKeys", vec![map.clone()])?;
        let values = self.function("mapValues", vec![map])?;
        let (first, second) = (self.new_id(), self.new_id());
        let (key, value) = (
            key.without_low_cardinality(),
            value.without_low_cardinality(),
        );
        let pair = self.function(
            "tuple",
            vec![
                Typed::column(first, key.clone()),
                Typed::column(second, value.clone()),
            ],
        )?;
        let named = Type::Tuple(vec![
            (Some("keys".to_owned()), key.clone()),
            (Some("values".to_owned()), value.clone()),
        ]);
        let body = self.cast(pair, &named)?;
        Ok(mapped(
            vec![(first, key), (second, value)],
            body,
            vec![keys, values],
        ))
    }

    /// The array, after it was compared with the first one: all must be equally long.
    fn as_long_as(&mut self, first: &Typed, array: Typed) -> Typed {
        let (Type::Array(one), Type::Array(item)) = (first.ty.bare(), array.ty.bare()) else {
            return array;
        };
        let (one, item) = (one.as_ref().clone(), item.as_ref().clone());
        let (a, b) = (self.new_id(), self.new_id());
        let body = Typed::column(b, item.clone());
        mapped(vec![(a, one), (b, item)], body, vec![first.clone(), array])
    }
}

/// `arrayMap` with a body of our own.
fn mapped(parameters: Vec<(ColumnId, Type)>, body: Typed, arguments: Vec<Typed>) -> Typed {
    Typed {
        ty: Type::Array(Box::new(body.ty.clone())),
        kind: Kind::Lambda(Box::new(LambdaCall {
            name: "arrayMap",
            // Columns of its own make it equal to nothing else.
            text: format!("{parameters:?}"),
            parameters,
            captures: Vec::new(),
            body,
            arguments,
        })),
    }
}

fn item_of(array: &Typed) -> Result<Type> {
    if let Type::Array(item) = array.ty.bare() {
        return Ok((**item).clone());
    }
    Err(QueryError::new(
        ErrorCode::TypeMismatch,
        format!(
            "ARRAY JOIN requires an expression with Array or Map type. Actual: {}",
            array.ty
        ),
    ))
}

/// Makes the items visible: in the place of a column of that name, or beside the columns.
fn place(scope: &mut Scope<'_>, fresh: &mut Source, name: &str, replaces: bool, typed: Typed) {
    let column = scope
        .sources
        .iter_mut()
        .flat_map(|source| &mut source.columns)
        .find(|column| column.name == name);
    match column {
        Some(column) => {
            column.ty = typed.ty.clone();
            column.origin = Origin::Typed(Box::new(typed));
        }
        None => fresh.columns.push(SourceColumn {
            name: name.to_owned(),
            ty: typed.ty.clone(),
            origin: Origin::Typed(Box::new(typed)),
            in_star: replaces,
        }),
    }
}
