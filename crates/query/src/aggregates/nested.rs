//! Combinators that put one aggregate inside another: `-Array`, `-ForEach`, `-Map`, `-Distinct`.

use super::inner::Inner;
use super::name::Combinator;
use super::{Call, Choice, choose as choose_base, flatten, illegal, keyed, once, wrong_count};
use crate::error::{ErrorCode, QueryError, Result};
use crate::types::{Type, Value};

/// The aggregate with its combinators, the last of them outermost.
pub(super) fn choose(
    call: &Call<'_>,
    combinators: &[Combinator],
    types: &[Type],
) -> Result<Choice> {
    let Some((outermost, rest)) = combinators.split_last() else {
        return choose_base(call, types);
    };
    match outermost {
        Combinator::Array => {
            let inner = choose(call, rest, &items(call, types)?)?;
            let arguments = inner.arguments.iter().map(array_of).collect();
            let (ty, default) = (inner.ty.clone(), inner.default.clone());
            Ok(Choice {
                function: flatten::aggregate(Inner::of(&inner)),
                arguments,
                ty,
                default,
                ignore_nulls: false,
            })
        }
        Combinator::ForEach => {
            let inner = choose(call, rest, &items(call, types)?)?;
            let ty = array_of(&inner.ty);
            Ok(Choice {
                function: keyed::for_each(Inner::of(&inner), &ty),
                arguments: inner.arguments.iter().map(array_of).collect(),
                ty,
                default: Value::Array(Vec::new()),
                ignore_nulls: false,
            })
        }
        Combinator::Map => {
            let [Type::Map(key, value)] = types else {
                return Err(types
                    .first()
                    .map_or_else(|| wrong_count(call.name), |ty| illegal(call.name, ty)));
            };
            let inner = choose(call, rest, &[value.not_nullable()])?;
            let argument = inner.arguments.first().unwrap_or(value);
            let ty = Type::Map(key.clone(), Box::new(inner.ty.clone()));
            Ok(Choice {
                arguments: vec![Type::Map(key.clone(), Box::new(argument.clone()))],
                function: keyed::map(Inner::of(&inner), &ty),
                ty,
                default: Value::Map(Vec::new()),
                ignore_nulls: false,
            })
        }
        Combinator::Distinct => {
            let inner = choose(call, rest, types)?;
            Ok(Choice {
                function: once::aggregate(Inner::of(&inner)),
                ignore_nulls: false,
                ..inner
            })
        }
        Combinator::If | Combinator::OrDefault | Combinator::OrNull => Err(QueryError::new(
            ErrorCode::NotImplemented,
            format!(
                "{}: -If, -OrNull and -OrDefault must follow the other combinators",
                call.name
            ),
        )),
    }
}

fn array_of(item: &Type) -> Type {
    Type::Array(Box::new(item.clone()))
}

fn items(call: &Call<'_>, types: &[Type]) -> Result<Vec<Type>> {
    types
        .iter()
        .map(|ty| match ty {
            Type::Array(item) => Ok(item.not_nullable()),
            other => Err(illegal(call.name, other)),
        })
        .collect()
}
