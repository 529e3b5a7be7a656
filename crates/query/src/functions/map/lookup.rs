//! Building maps, their keys and values, lookup.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, MapArray, StructArray, UInt8Array, UInt64Array,
};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{interleave, take};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, Result};
use crate::functions::convert::{OnBad, caster, common};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::{Texts, arg, list};
use crate::functions::signature::{Call, Entry, MANY, raw};
use crate::types::{Type, entries_field, entry_fields, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    raw("map", (0, MANY), build),
    raw("mapFromArrays", (2, 2), from_arrays),
    raw("mapKeys", (1, 1), |call| part(call, 0)),
    raw("mapValues", (1, 1), |call| part(call, 1)),
    raw("mapContains", (2, 2), contains),
    raw("mapContainsKey", (2, 2), contains),
    raw("mapContainsKeyLike", (2, 2), contains_like),
];

pub(super) fn types<'a>(call: &'a Call<'_>, i: usize) -> Result<(&'a Type, &'a Type)> {
    if let Type::Map(key, value) = call.ty(i) {
        return Ok((key, value));
    }
    Err(call.illegal(i))
}

fn build(call: &Call<'_>) -> Result<Resolved> {
    let count = call.args.len();
    if count % 2 == 1 {
        return Err(call.fail(
            ErrorCode::NumberOfArgumentsDoesntMatch,
            "the number of arguments must be even",
        ));
    }
    let each = |first: usize| -> Vec<Type> {
        let all = (first..count)
            .step_by(2)
            .map(|i| call.ty(i).without_low_cardinality());
        all.collect()
    };
    let (key, value) = (common(call, &each(0))?, common(call, &each(1))?);
    let mut casters = Vec::with_capacity(count);
    for i in 0..count {
        let to = if i % 2 == 0 { &key } else { &value };
        casters.push(caster(call.ty(i), to, OnBad::Fail, call.context)?);
    }
    let ty = Type::Map(Box::new(key.clone()), Box::new(value.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let mut full = Vec::with_capacity(count);
        for (col, cast) in cols.iter().zip(&casters) {
            full.push(
                Col {
                    array: cast(&col.array)?,
                    constant: col.constant,
                }
                .full(rows)?,
            );
        }
        let column = |first: usize, ty: &Type| -> DfResult<ArrayRef> {
            let sources: Vec<&dyn Array> = full
                .iter()
                .skip(first)
                .step_by(2)
                .map(AsRef::as_ref)
                .collect();
            if sources.is_empty() {
                return Ok(datafusion::arrow::array::new_empty_array(&ty.arrow()));
            }
            let order: Vec<(usize, usize)> = (0..rows)
                .flat_map(|row| (0..sources.len()).map(move |i| (i, row)))
                .collect();
            Ok(interleave(&sources, &order)?)
        };
        let lengths = vec![count / 2; rows];
        assemble(
            &key,
            &value,
            column(0, &key)?,
            column(1, &value)?,
            OffsetBuffer::from_lengths(lengths),
        )
    }))
}

pub(super) fn assemble(
    key: &Type,
    value: &Type,
    keys: ArrayRef,
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
) -> DfResult<ArrayRef> {
    let entries = StructArray::try_new(entry_fields(key, value), vec![keys, values], None)?;
    let map = MapArray::try_new(entries_field(key, value), offsets, entries, None, false)?;
    Ok(Arc::new(map))
}

fn from_arrays(call: &Call<'_>) -> Result<Resolved> {
    let (Type::Array(key), Type::Array(value)) = (call.ty(0), call.ty(1)) else {
        return Err(call.illegal(0));
    };
    let (key, value) = ((**key).clone(), (**value).clone());
    let ty = Type::Map(Box::new(key.clone()), Box::new(value.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let (a, b) = (arg(cols, 0)?.full(rows)?, arg(cols, 1)?.full(rows)?);
        let (a, b) = (a.as_list::<i32>(), b.as_list::<i32>());
        let lengths = |list: &datafusion::arrow::array::ListArray| -> Vec<usize> {
            list.offsets().lengths().collect()
        };
        if lengths(a) != lengths(b) {
            return Err(crate::error::QueryError::new(
                ErrorCode::SizesOfArraysDontMatch,
                "Key and value arrays should have same amount of elements",
            )
            .external());
        }
        let items = |list: &datafusion::arrow::array::ListArray| {
            let first = list.value_offsets().first().copied().unwrap_or(0);
            let last = list.value_offsets().last().copied().unwrap_or(0);
            let (first, last) = (
                usize::try_from(first).unwrap_or(0),
                usize::try_from(last).unwrap_or(0),
            );
            list.values().slice(first, last - first)
        };
        assemble(
            &key,
            &value,
            items(a),
            items(b),
            OffsetBuffer::from_lengths(lengths(a)),
        )
    }))
}

/// Keys (0) or values (1) as an array.
fn part(call: &Call<'_>, column: usize) -> Result<Resolved> {
    let (key, value) = types(call, 0)?;
    let item = if column == 0 { key } else { value }.without_low_cardinality();
    Ok(Resolved::new(
        Type::Array(Box::new(item.clone())),
        move |cols, rows| {
            let full = arg(cols, 0)?.full(rows)?;
            let map = full.as_map();
            let first = map.value_offsets().first().copied().unwrap_or(0);
            let last = map.value_offsets().last().copied().unwrap_or(0);
            let (first, last) = (
                usize::try_from(first).unwrap_or(0),
                usize::try_from(last).unwrap_or(0),
            );
            let items = map.entries().column(column).slice(first, last - first);
            list(&item, map.offsets().lengths().collect(), items, None)
        },
    ))
}

/// Position of the entry of each row whose key equals the argument's value, `None` when absent.
fn positions(cols: &[Col], rows: usize) -> DfResult<Vec<Option<u64>>> {
    let (map_col, key_col) = (arg(cols, 0)?, arg(cols, 1)?);
    let map = map_col.array.as_map();
    let keys = map.keys();
    let wanted = &key_col.array;
    let range = |row: usize| {
        let at = map_col.at(row);
        let offset = |i: usize| {
            map.value_offsets()
                .get(i)
                .map_or(0, |v| usize::try_from(*v).unwrap_or(0))
        };
        offset(at)..offset(at + 1)
    };
    if let (Some(keys), Some(_)) = (keys.as_string_view_opt(), wanted.as_string_view_opt()) {
        let wanted = Texts::of(cols, 1)?;
        let find = |row: usize| {
            let needle = wanted.get(row);
            range(row)
                .find(|i| keys.value(*i) == needle)
                .and_then(|i| u64::try_from(i).ok())
        };
        return Ok((0..rows).map(find).collect());
    }
    let equal = datafusion::arrow::array::make_comparator(
        keys,
        wanted,
        datafusion::arrow::compute::SortOptions::default(),
    )?;
    let find = |row: usize| {
        let at = key_col.at(row);
        range(row)
            .find(|i| equal(*i, at).is_eq())
            .and_then(|i| u64::try_from(i).ok())
    };
    Ok((0..rows).map(find).collect())
}

/// Casts the key argument to the map's key type.
fn with_key(call: &Call<'_>) -> Result<(crate::functions::convert::Caster, Type)> {
    let (key, value) = types(call, 0)?;
    let given = call.ty(1).bare();
    if key.bare().is_text() != given.is_text() {
        return Err(call.illegal(1));
    }
    Ok((
        caster(given, key.bare(), OnBad::Fail, call.context)?,
        value.clone(),
    ))
}

fn prepared(cols: &[Col], cast: &crate::functions::convert::Caster) -> DfResult<[Col; 2]> {
    let (map, key) = (arg(cols, 0)?.clone(), arg(cols, 1)?);
    let key = Col {
        array: cast(&key.array)?,
        constant: key.constant,
    };
    Ok([map, key])
}

/// `map[key]`, the value type's default when the key is absent.
pub(in crate::functions) fn element(call: &Call<'_>) -> Result<Resolved> {
    let (cast, value) = with_key(call)?;
    let fallback = values_to_array(&value, &[value.default_value()])?;
    Ok(Resolved::new(value, move |cols, rows| {
        let cols = prepared(cols, &cast)?;
        let found = positions(&cols, rows)?;
        let [map, _] = &cols;
        let values = map.array.as_map().values();
        if found.iter().all(Option::is_some) {
            return Ok(take(
                values,
                &found.into_iter().collect::<UInt64Array>(),
                None,
            )?);
        }
        let sources: [&dyn Array; 2] = [values, &fallback];
        let at = |i: u64| usize::try_from(i).unwrap_or(0);
        let order: Vec<(usize, usize)> = found
            .into_iter()
            .map(|i| i.map_or((1, 0), |i| (0, at(i))))
            .collect();
        Ok(interleave(&sources, &order)?)
    }))
}

fn contains(call: &Call<'_>) -> Result<Resolved> {
    let (cast, _) = with_key(call)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let cols = prepared(cols, &cast)?;
        let found = positions(&cols, rows)?;
        let flags: UInt8Array = found.iter().map(|i| Some(u8::from(i.is_some()))).collect();
        Ok(Arc::new(flags))
    }))
}

fn contains_like(call: &Call<'_>) -> Result<Resolved> {
    types(call, 0)?;
    let re = crate::functions::pattern::like_to_regex(call.constant_text(1)?, false)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let full = arg(cols, 0)?.full(rows)?;
        let map = full.as_map();
        let keys = map.keys();
        let hits: BooleanArray = match keys.as_string_view_opt() {
            Some(keys) => keys
                .iter()
                .map(|k| Some(k.is_some_and(|k| re.is_match(k))))
                .collect(),
            None => BooleanArray::from(vec![false; keys.len()]),
        };
        let offset = |i: usize| {
            map.value_offsets()
                .get(i)
                .map_or(0, |v| usize::try_from(*v).unwrap_or(0))
        };
        let any = |row: usize| u8::from((offset(row)..offset(row + 1)).any(|i| hits.value(i)));
        Ok(Arc::new(UInt8Array::from_iter_values((0..rows).map(any))))
    }))
}
