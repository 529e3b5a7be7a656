//! Single elements of arrays, maps and tuples, and building tuples.

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, StructArray};
use datafusion::arrow::compute::interleave;
use datafusion::error::Result as DfResult;

use super::item::item_of;
use crate::error::{ErrorCode, Result};
use crate::functions::kernel::Resolved;
use crate::functions::rows::{Lists, Longs, arg};
use crate::functions::signature::{Call, Entry, MANY, raw};
use crate::types::{Type, Value, tuple_fields, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    raw("arrayElement", (2, 2), element),
    raw("tuple", (0, MANY), tuple),
    raw("tupleElement", (2, 3), tuple_element),
];

/// `array[n]` and `map[key]`
fn element(call: &Call<'_>) -> Result<Resolved> {
    if let Type::Map(..) = call.ty(0) {
        return crate::functions::map::element(call);
    }
    let item = item_of(call, 0)?.clone();
    if !call.ty(1).bare().is_integer() || item == Type::Nothing {
        return Err(call.illegal(1));
    }
    let fallback = values_to_array(&item, &[item.default_value()])?;
    Ok(Resolved::new(item, move |cols, rows| {
        let (lists, indexes) = (Lists::of(cols, 0)?, Longs::of(cols, 1)?);
        let order: Vec<(usize, usize)> = (0..rows)
            .map(|row| {
                let range = lists.range(row);
                let index = indexes.get(row);
                let length = i64::try_from(range.len()).unwrap_or(i64::MAX);
                let position = if index > 0 {
                    index - 1
                } else {
                    length.saturating_add(index)
                };
                let inside = index != 0 && (0..length).contains(&position);
                let offset = usize::try_from(position).unwrap_or(0);
                if inside {
                    (0, range.start + offset)
                } else {
                    (1, 0)
                }
            })
            .collect();
        let sources: [&dyn Array; 2] = [lists.items(), &fallback];
        Ok(interleave(&sources, &order)?)
    }))
}

fn tuple(call: &Call<'_>) -> Result<Resolved> {
    let items: Vec<(Option<String>, Type)> =
        call.args.iter().map(|a| (None, a.ty.clone())).collect();
    let fields = tuple_fields(&items);
    Ok(Resolved::new(Type::Tuple(items), move |cols, rows| {
        let columns = cols
            .iter()
            .map(|col| col.full(rows))
            .collect::<DfResult<Vec<_>>>()?;
        if columns.is_empty() {
            let empty = StructArray::new_empty_fields(rows, None);
            return Ok(Arc::new(empty));
        }
        let array = StructArray::try_new(fields.clone(), columns, None)?;
        Ok(Arc::new(array))
    }))
}

/// `tuple.1`, `tuple.name`
fn tuple_element(call: &Call<'_>) -> Result<Resolved> {
    let Type::Tuple(items) = call.ty(0) else {
        return Err(call.illegal(0));
    };
    let position = match call.constant(1).and_then(Value::as_text) {
        Some(wanted) => items
            .iter()
            .position(|(name, _)| name.as_deref() == Some(wanted)),
        None => usize::try_from(call.constant_integer(1)?)
            .ok()
            .and_then(|i| i.checked_sub(1)),
    };
    let found = position.and_then(|i| items.get(i).map(|(_, ty)| (i, ty.clone())));
    let Some((position, ty)) = found else {
        return Err(call.fail(
            ErrorCode::ArgumentOutOfBound,
            "the tuple has no such element",
        ));
    };
    Ok(Resolved::new(ty, move |cols, rows| {
        let full = arg(cols, 0)?.full(rows)?;
        Ok(Arc::clone(full.as_struct().column(position)))
    }))
}
