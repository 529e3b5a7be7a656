//! Maps put together, added, filtered by patterns, filled up.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt64Array, make_comparator};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{SortOptions, concat as concat_arrays, take};
use datafusion::error::Result as DfResult;

use super::lookup::{assemble, types};
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::convert::{Caster, OnBad, caster, common};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::pattern::like_to_regex;
use crate::functions::rows::{Texts, arg, flags};
use crate::functions::signature::{Call, Entry, MANY, strict};
use crate::limits::MAX_ARRAY_ELEMENTS;
use crate::types::{Type, Value, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    strict("mapConcat", (1, MANY), |call| joined(call, Join::Append)),
    strict("mapUpdate", (2, 2), |call| joined(call, Join::Replace)),
    strict("mapAdd", (2, MANY), |call| added(call, false)),
    strict("mapSubtract", (2, MANY), |call| added(call, true)),
    strict("mapContainsValue", (2, 2), contains_value),
    strict("mapContainsValueLike", (2, 2), contains_value_like),
    strict("mapExtractKeyLike", (2, 2), |call| extracted(call, 0)),
    strict("mapExtractValueLike", (2, 2), |call| extracted(call, 1)),
    strict("mapPopulateSeries", (1, 2), populated),
];

/// Positions of the entries of a row.
fn entries_of(col: &Col, row: usize) -> std::ops::Range<usize> {
    let offsets = col.array.as_map().value_offsets();
    let row = col.at(row);
    let at = |i: usize| {
        offsets
            .get(i)
            .map_or(0, |v| usize::try_from(*v).unwrap_or(0))
    };
    at(row)..at(row + 1)
}

fn at(i: usize) -> u64 {
    u64::try_from(i).unwrap_or(u64::MAX)
}

/// Key and value type that hold those of all arguments, and how to get there.
fn alike(call: &Call<'_>) -> Result<(Type, Type, Vec<Caster>)> {
    let mut keys = Vec::new();
    let mut values = Vec::new();
    for i in 0..call.args.len() {
        let (key, value) = types(call, i)?;
        keys.push(key.clone());
        values.push(value.clone());
    }
    let (key, value) = (common(call, &keys)?, common(call, &values)?);
    let ty = Type::Map(Box::new(key.clone()), Box::new(value.clone()));
    let casters = call
        .args
        .iter()
        .map(|arg| caster(&arg.ty, &ty, OnBad::Fail, call.context))
        .collect::<Result<_>>()?;
    Ok((key, value, casters))
}

fn cast_all(cols: &[Col], casters: &[Caster]) -> DfResult<Vec<Col>> {
    let cast = |(col, cast): (&Col, &Caster)| {
        Ok(Col {
            array: cast(&col.array)?,
            constant: col.constant,
        })
    };
    cols.iter().zip(casters).map(cast).collect()
}

/// Keys and values of all maps, one map's entries after the other's, and where each map's begin.
fn pooled(maps: &[Col]) -> DfResult<(ArrayRef, ArrayRef, Vec<usize>)> {
    let mut bases = Vec::with_capacity(maps.len());
    let mut total = 0;
    for map in maps {
        bases.push(total);
        total += map.array.as_map().keys().len();
    }
    let keys: Vec<&dyn Array> = maps
        .iter()
        .map(|m| m.array.as_map().keys().as_ref())
        .collect();
    let values: Vec<&dyn Array> = maps
        .iter()
        .map(|m| m.array.as_map().values().as_ref())
        .collect();
    Ok((concat_arrays(&keys)?, concat_arrays(&values)?, bases))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Join {
    /// All entries, repeated keys as well.
    Append,
    /// Later values in the place of earlier ones.
    Replace,
}

fn joined(call: &Call<'_>, join: Join) -> Result<Resolved> {
    let (key, value, casters) = alike(call)?;
    let ty = Type::Map(Box::new(key.clone()), Box::new(value.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let maps = cast_all(cols, &casters)?;
        let (keys, values, bases) = pooled(&maps)?;
        let order = make_comparator(&keys, &keys, SortOptions::default())?;
        let (mut key_at, mut value_at) = (Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let before = key_at.len();
            for (map, base) in maps.iter().zip(&bases) {
                for entry in entries_of(map, row).map(|i| base + i) {
                    let known = key_at
                        .iter()
                        .skip(before)
                        .position(|known| join == Join::Replace && order(*known, entry).is_eq());
                    match known.and_then(|known| value_at.get_mut(before + known)) {
                        Some(slot) => *slot = entry,
                        None => {
                            key_at.push(entry);
                            value_at.push(entry);
                        }
                    }
                }
            }
            lengths.push(key_at.len() - before);
        }
        picked(
            &key,
            &value,
            (&keys, &key_at),
            (&values, &value_at),
            lengths,
        )
    }))
}

fn picked(
    key: &Type,
    value: &Type,
    keys: (&ArrayRef, &[usize]),
    values: (&ArrayRef, &[usize]),
    lengths: Vec<usize>,
) -> DfResult<ArrayRef> {
    let pick = |(array, positions): (&ArrayRef, &[usize])| -> DfResult<ArrayRef> {
        let positions: UInt64Array = positions.iter().map(|i| Some(at(*i))).collect();
        Ok(take(array, &positions, None)?)
    };
    assemble(
        key,
        value,
        pick(keys)?,
        pick(values)?,
        OffsetBuffer::from_lengths(lengths),
    )
}

/// Values of equal keys added up, or taken from those of the first map; keys sorted.
fn added(call: &Call<'_>, subtract: bool) -> Result<Resolved> {
    let (key, value, casters) = alike(call)?;
    let wide = match value.bare() {
        ty if ty.is_float() => Type::Float64,
        ty if ty.is_signed() => Type::Int64,
        ty if ty.is_integer() => Type::UInt64,
        _ => return Err(call.illegal(0)),
    };
    let key = key.without_low_cardinality();
    let ty = Type::Map(Box::new(key.clone()), Box::new(wide.clone()));
    let (from, context) = (value, call.context.clone());
    Ok(Resolved::new(ty, move |cols, rows| {
        let maps = cast_all(cols, &casters)?;
        let (keys, values, bases) = pooled(&maps)?;
        let order = make_comparator(&keys, &keys, SortOptions::default())?;
        let widen = caster(&from, &wide, OnBad::Fail, &context).map_err(QueryError::external)?;
        let values = widen(&values)?;
        let number = |i: usize| Value::from_array(&values, i, &wide);
        let (mut key_at, mut sums) = (Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let mut entries: Vec<(usize, usize)> = Vec::new();
            for (nth, (map, base)) in maps.iter().zip(&bases).enumerate() {
                entries.extend(entries_of(map, row).map(|i| (base + i, nth)));
            }
            entries.sort_by(|a, b| order(a.0, b.0).then(a.1.cmp(&b.1)));
            let before = key_at.len();
            for (entry, nth) in entries {
                let value = number(entry).map_err(QueryError::external)?;
                let value = if subtract && nth > 0 {
                    negated(value)
                } else {
                    value
                };
                let same = key_at.len() > before
                    && key_at
                        .last()
                        .is_some_and(|known| order(*known, entry) == Ordering::Equal);
                match sums.last_mut().filter(|_| same) {
                    Some(sum) => *sum = plus(sum, &value, &wide),
                    None => {
                        key_at.push(entry);
                        sums.push(plus(&Value::UInt(0), &value, &wide));
                    }
                }
            }
            lengths.push(key_at.len() - before);
        }
        let sums = values_to_array(&wide, &sums).map_err(QueryError::external)?;
        let all: Vec<usize> = (0..sums.len()).collect();
        picked(&key, &wide, (&keys, &key_at), (&sums, &all), lengths)
    }))
}

fn negated(value: Value) -> Value {
    match value {
        Value::Float(v) => Value::Float(-v),
        Value::Int(v) => Value::Int(v.wrapping_neg()),
        Value::UInt(v) => Value::UInt(v.wrapping_neg()),
        other => other,
    }
}

fn plus(a: &Value, b: &Value, ty: &Type) -> Value {
    if ty.is_float() {
        let number = |value: &Value| crate::types::as_f64(value).unwrap_or(0.0);
        return Value::Float(number(a) + number(b));
    }
    // Wrapping within 64 bits.
    let bits = |value: &Value| match value {
        Value::UInt(v) => *v,
        Value::Int(v) => v.cast_unsigned(),
        _ => 0,
    };
    let sum = bits(a).wrapping_add(bits(b));
    if ty.is_signed() {
        Value::Int(sum.cast_signed())
    } else {
        Value::UInt(sum)
    }
}

fn contains_value(call: &Call<'_>) -> Result<Resolved> {
    let (_, value) = types(call, 0)?;
    let item = common(call, &[value.clone(), call.ty(1).clone()])?;
    let left = caster(value, &item, OnBad::Fail, call.context)?;
    let right = caster(call.ty(1), &item, OnBad::Fail, call.context)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let map = arg(cols, 0)?;
        let values = left(map.array.as_map().values())?;
        let wanted = right(&arg(cols, 1)?.array)?;
        let order = make_comparator(&values, &wanted, SortOptions::default())?;
        flags(cols, rows, |row| {
            let at = arg(cols, 1)?.at(row);
            Ok(entries_of(map, row).any(|i| order(i, at).is_eq()))
        })
    }))
}

fn text_part(call: &Call<'_>, part: usize) -> Result<regex::Regex> {
    let (key, value) = types(call, 0)?;
    let ty = if part == 0 { key } else { value };
    if !ty.bare().is_text() {
        return Err(call.illegal(0));
    }
    like_to_regex(call.constant_text(1)?, false)
}

fn texts_of(col: &Col, part: usize) -> [Col; 1] {
    [Col {
        array: std::sync::Arc::clone(col.array.as_map().entries().column(part)),
        constant: false,
    }]
}

fn contains_value_like(call: &Call<'_>) -> Result<Resolved> {
    let re = text_part(call, 1)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let map = arg(cols, 0)?;
        let texts = texts_of(map, 1);
        let texts = Texts::of(&texts, 0)?;
        flags(cols, rows, |row| {
            Ok(entries_of(map, row).any(|i| re.is_match(texts.get(i))))
        })
    }))
}

/// The entries whose key (0) or value (1) is like a pattern.
fn extracted(call: &Call<'_>, part: usize) -> Result<Resolved> {
    let re = text_part(call, part)?;
    let (key, value) = types(call, 0)?;
    let (key, value) = (key.clone(), value.clone());
    Ok(Resolved::new(call.ty(0).clone(), move |cols, rows| {
        let map = arg(cols, 0)?;
        let texts = texts_of(map, part);
        let texts = Texts::of(&texts, 0)?;
        let (mut kept, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let before = kept.len();
            kept.extend(entries_of(map, row).filter(|i| re.is_match(texts.get(*i))));
            lengths.push(kept.len() - before);
        }
        let entries = map.array.as_map();
        picked(
            &key,
            &value,
            (entries.keys(), &kept),
            (entries.values(), &kept),
            lengths,
        )
    }))
}

/// Every whole key from the smallest to the largest, or to the given one.
fn populated(call: &Call<'_>) -> Result<Resolved> {
    let (key, value) = types(call, 0)?;
    if !key.bare().is_integer() {
        return Err(call.illegal(0));
    }
    call.want_integer(&[1])?;
    let limited = call.args.len() > 1;
    let (key, value) = (key.clone(), value.clone());
    Ok(Resolved::new(call.ty(0).clone(), move |cols, rows| {
        let map = arg(cols, 0)?;
        let keys = [Col {
            array: std::sync::Arc::clone(map.array.as_map().keys()),
            constant: false,
        }];
        let keys = crate::functions::rows::Longs::of(&keys, 0)?;
        let limit = limited
            .then(|| crate::functions::rows::Longs::of(cols, 1))
            .transpose()?;
        let all_values = map.array.as_map().values();
        let (mut new_keys, mut new_values) = (Vec::new(), Vec::new());
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let entries = entries_of(map, row);
            let low = entries.clone().map(|i| keys.get(i)).min();
            let high = entries.clone().map(|i| keys.get(i)).max();
            let high = limit.as_ref().map(|limit| limit.get(row)).or(high);
            let before = new_keys.len();
            if let (Some(low), Some(high)) = (low, high) {
                if usize::try_from(high.saturating_sub(low)).unwrap_or(0) >= MAX_ARRAY_ELEMENTS {
                    let what = "the series would be too long";
                    return Err(QueryError::new(ErrorCode::TooLargeArraySize, what).external());
                }
                for wanted in low..=high {
                    let found = entries.clone().find(|i| keys.get(*i) == wanted);
                    let value = found.map_or_else(
                        || Ok(value.default_value()),
                        |i| Value::from_array(all_values, i, &value),
                    );
                    new_keys.push(u64::try_from(wanted).map_or(Value::Int(wanted), Value::UInt));
                    new_values.push(value.map_err(QueryError::external)?);
                }
            }
            lengths.push(new_keys.len() - before);
        }
        assemble(
            &key,
            &value,
            values_to_array(&key, &new_keys).map_err(QueryError::external)?,
            values_to_array(&value, &new_values).map_err(QueryError::external)?,
            OffsetBuffer::from_lengths(lengths),
        )
    }))
}
