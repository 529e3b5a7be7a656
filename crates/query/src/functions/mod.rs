//! Scalar functions: one registry, ClickHouse's signatures, kernels over Arrow. A family a file.
//! Comparisons, AND, OR, IN and LIKE of the grammar are lowered natively; here they exist as ordinary functions too.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "each function is about a few of the many types; all others are refused alike"
)]

mod arithmetic;
mod array;
mod compare;
mod condition;
mod convert;
mod hash;
mod higher_order;
mod json;
mod kernel;
mod map;
mod math;
mod multi;
mod parse;
mod pattern;
mod range;
mod rows;
mod search;
mod server;
mod signature;
mod string;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod url;
mod wrap;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, AsArray, ListArray, NullArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::logical_expr::Expr;
use hashbrown::HashMap;

pub(crate) use convert::convert_texts;
pub(crate) use higher_order::{Body, HigherOrder, Use, folded, higher_order, mapped};
pub(crate) use kernel::{Argument, Context, Resolved, call};
pub(crate) use pattern::regex as search_regex;
pub(crate) use server::CLICKHOUSE_VERSION;
use signature::{Call, Entry, Mode};

use crate::error::{ErrorCode, QueryError, Result};
use crate::types::Type;

static FAMILIES: [&[Entry]; 9] = [
    compare::ENTRIES,
    condition::ENTRIES,
    hash::ENTRIES,
    multi::ENTRIES,
    math::ENTRIES,
    search::ENTRIES,
    server::ENTRIES,
    string::ENTRIES,
    url::ENTRIES,
];

/// The array, NULL when it has no items.
pub(crate) fn null_if_empty(ty: &Type, array: Expr) -> Expr {
    let resolved = Resolved::new(ty.clone(), |cols, rows| {
        let full = rows::arg(cols, 0)?.full(rows)?;
        let lists = full.as_list::<i32>();
        let filled: NullBuffer = (0..rows)
            .map(|row| lists.is_valid(row) && lists.value_length(row) > 0)
            .collect();
        let (field, offsets, items, _) = lists.clone().into_parts();
        Ok(Arc::new(ListArray::try_new(
            field,
            offsets,
            items,
            Some(filled),
        )?))
    });
    call(&resolved, "nullIfEmpty", vec![array])
}

/// Every function. The larger rooms have several families.
fn entries() -> impl Iterator<Item = &'static Entry> {
    let families = FAMILIES
        .iter()
        .chain(&arithmetic::FAMILIES)
        .chain(&array::FAMILIES)
        .chain(&higher_order::FAMILIES)
        .chain(&json::FAMILIES)
        .chain(&map::FAMILIES)
        .chain(&text::FAMILIES)
        .chain(&convert::FAMILIES)
        .chain(&time::FAMILIES);
    families.flat_map(|family| family.iter())
}

static BY_NAME: LazyLock<HashMap<&'static str, &'static Entry>> =
    LazyLock::new(|| entries().map(|entry| (entry.name, entry)).collect());

/// Functions whose name may be written in any case, by lower-case name.
static BY_LOWER_NAME: LazyLock<HashMap<String, &'static Entry>> = LazyLock::new(|| {
    let insensitive = entries().filter(|entry| entry.any_case);
    insensitive
        .map(|entry| (entry.name.to_ascii_lowercase(), entry))
        .collect()
});

/// Every function's name, and whether it may be written in any case.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, bool)> {
    entries().map(|entry| (entry.name, entry.any_case))
}

fn find(name: &str) -> Option<&'static Entry> {
    BY_NAME
        .get(name)
        .or_else(|| BY_LOWER_NAME.get(&name.to_ascii_lowercase()))
        .copied()
}

/// Functions that look at NULL themselves, but not at `LowCardinality`.
const KEEPING: [&str; 3] = ["coalesce", "ifNull", "nullIf"];

/// Most letters that a name may differ in to be meant.
const MAX_HINT_DISTANCE: usize = 2;

/// Names that are almost the one that does not exist.
fn hint(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let near = |known: &str| strsim::levenshtein(&known.to_ascii_lowercase(), &lower);
    let mut meant: Vec<(usize, &str)> = names()
        .map(|(known, _)| (near(known), known))
        .filter(|(distance, _)| *distance <= MAX_HINT_DISTANCE)
        .collect();
    meant.sort_unstable();
    if meant.is_empty() {
        return String::new();
    }
    let shown: Vec<String> = meant
        .iter()
        .take(2)
        .map(|(_, known)| format!("'{known}'"))
        .collect();
    format!(". Maybe you meant: [{}]", shown.join(","))
}

/// Finds the function for these arguments.
///
/// # Errors
/// Unknown name, wrong number, types or constant values of arguments.
pub(crate) fn resolve(name: &str, args: &[Argument], context: &Context) -> Result<Resolved> {
    let Some(entry) = find(name) else {
        return Err(QueryError::new(
            ErrorCode::UnknownFunction,
            format!(
                "Function with name `{name}` does not exist. In scope SELECT{}",
                hint(name)
            ),
        ));
    };
    entry.check_count(args.len())?;
    match entry.mode {
        Mode::Raw => {
            let mut resolved = (entry.resolve)(&Call {
                name: entry.name,
                args,
                context,
            })?;
            if KEEPING.contains(&entry.name) {
                keep_dictionary(&mut resolved, args);
            }
            Ok(resolved)
        }
        Mode::Strict => resolve_strict(entry, args, context),
    }
}

/// NULL in, NULL out; `LowCardinality` of one column with constants stays.
fn resolve_strict(entry: &Entry, args: &[Argument], context: &Context) -> Result<Resolved> {
    let nothing = |ty: &Type| ty.is_nullable() && *ty.bare() == Type::Nothing;
    if args.iter().any(|arg| nothing(&arg.ty)) {
        let ty = Type::Nothing.nullable();
        return Ok(Resolved::new(ty, |_, rows| {
            Ok(Arc::new(NullArray::new(rows)))
        }));
    }
    let bare: Vec<Argument> = args
        .iter()
        .map(|arg| Argument {
            ty: arg.ty.bare().clone(),
            constant: arg.constant.clone(),
        })
        .collect();
    let mut resolved = (entry.resolve)(&Call {
        name: entry.name,
        args: &bare,
        context,
    })?;
    if args.iter().any(|arg| arg.ty.is_nullable()) {
        resolved.ty = resolved.ty.nullable();
    }
    keep_dictionary(&mut resolved, args);
    Ok(resolved)
}

/// The answer for one `LowCardinality` column and constants is `LowCardinality` again.
fn keep_dictionary(resolved: &mut Resolved, args: &[Argument]) {
    let columns: Vec<&Argument> = args.iter().filter(|arg| arg.constant.is_none()).collect();
    let dictionary = args.iter().any(|arg| arg.ty.is_low_cardinality());
    let alone = columns.len() <= 1 && columns.iter().all(|arg| arg.ty.is_low_cardinality());
    if dictionary && alone && !resolved.ty.is_low_cardinality() && fits_dictionary(&resolved.ty) {
        resolved.ty = Type::LowCardinality(Box::new(resolved.ty.clone()));
    }
}

fn fits_dictionary(ty: &Type) -> bool {
    let bare = ty.bare();
    bare.is_text()
        || (bare.is_number() && !matches!(bare, Type::Decimal(..) | Type::Bool))
        || (bare.is_time() && !matches!(bare, Type::DateTime64(..)))
        || *bare == Type::Uuid
}
