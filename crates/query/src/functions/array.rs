//! Arrays: building, access, searching, reordering. Positions count from 1; beyond the ends lies the default value.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, UInt64Array, make_comparator, new_empty_array,
};
use datafusion::arrow::compute::{SortOptions, interleave};
use datafusion::arrow::datatypes::{Float64Type, Int64Type, UInt64Type};
use datafusion::error::{DataFusionError, Result as DfResult};
use hashbrown::HashSet;

use super::convert::{Caster, OnBad, caster, common};
use super::kernel::{Col, Resolved};
use super::range::slice;
use super::rows::{Doubles, Lists, Longs, Texts, arg, flags, list, numbers, picked_lists, texts};
use super::signature::{Call, Entry, MANY, raw, strict};
use super::wrap::wrap;
use crate::error::{ErrorCode, QueryError, Result};
use crate::limits::{MAX_ARRAY_ELEMENTS, MAX_BATCH_ELEMENTS};
use crate::types::{Type, common_type, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    raw("array", (0, MANY), build),
    raw("arrayElement", (2, 2), element),
    raw("has", (2, 2), has),
    strict("hasAny", (2, 2), |call| has_several(call, false)),
    strict("hasAll", (2, 2), |call| has_several(call, true)),
    raw("indexOf", (2, 2), index_of),
    raw("countEqual", (2, 2), count_equal),
    strict("range", (1, 3), range),
    strict("arrayConcat", (1, MANY), concat),
    strict("arrayDistinct", (1, 1), distinct),
    strict("arrayUniq", (1, 1), uniq),
    strict("arraySort", (1, 1), |call| sorted(call, false)),
    strict("arrayReverseSort", (1, 1), |call| sorted(call, true)),
    strict("arrayReverse", (1, 1), |call| {
        Ok(reversed(item_of(call, 0)?.clone()))
    }),
    strict("arraySlice", (2, 3), sliced),
    raw("arrayPushBack", (2, 2), |call| pushed(call, false)),
    raw("arrayPushFront", (2, 2), |call| pushed(call, true)),
    strict("arrayPopBack", (1, 1), |call| popped(call, false)),
    strict("arrayPopFront", (1, 1), |call| popped(call, true)),
    strict("arrayStringConcat", (1, 2), joined),
    strict("arraySum", (1, 1), |call| reduced(call, Reduce::Sum)),
    strict("arrayAvg", (1, 1), |call| reduced(call, Reduce::Average)),
    strict("arrayMin", (1, 1), |call| extreme(call, Ordering::Less)),
    strict("arrayMax", (1, 1), |call| extreme(call, Ordering::Greater)),
    strict("arrayEnumerate", (1, 1), enumerate),
    strict("arrayWithConstant", (2, 2), with_constant),
    strict("arrayFlatten", (1, 1), flatten),
    strict("arrayCompact", (1, 1), compact),
    strict("arrayIntersect", (1, MANY), intersect),
    raw("tuple", (0, MANY), tuple),
    raw("tupleElement", (2, 3), tuple_element),
];

fn item_of<'a>(call: &'a Call<'_>, i: usize) -> Result<&'a Type> {
    if let Type::Array(item) = call.ty(i) {
        return Ok(item);
    }
    Err(call.illegal(i))
}

fn array_of(item: &Type) -> Type {
    Type::Array(Box::new(item.clone()))
}

fn too_many() -> DataFusionError {
    QueryError::new(
        ErrorCode::TooLargeArraySize,
        format!("the array would have more than {MAX_ARRAY_ELEMENTS} elements"),
    )
    .external()
}

fn at(i: usize) -> u64 {
    u64::try_from(i).unwrap_or(u64::MAX)
}

fn build(call: &Call<'_>) -> Result<Resolved> {
    let types: Vec<Type> = call
        .args
        .iter()
        .map(|a| a.ty.without_low_cardinality())
        .collect();
    let item = common(call, &types)?;
    let casters: Vec<Caster> = call
        .args
        .iter()
        .map(|a| caster(&a.ty, &item, OnBad::Fail, call.context))
        .collect::<Result<_>>()?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let mut full = Vec::with_capacity(cols.len());
        for (col, cast) in cols.iter().zip(&casters) {
            full.push(
                Col {
                    array: cast(&col.array)?,
                    constant: col.constant,
                }
                .full(rows)?,
            );
        }
        let sources: Vec<&dyn Array> = full.iter().map(AsRef::as_ref).collect();
        let items = if sources.is_empty() {
            new_empty_array(&item.arrow())
        } else {
            let width = sources.len();
            let order: Vec<(usize, usize)> = (0..rows)
                .flat_map(|row| (0..width).map(move |i| (i, row)))
                .collect();
            interleave(&sources, &order)?
        };
        list(&item, vec![full.len(); rows], items, None)
    }))
}

/// `array[n]` and `map[key]`
fn element(call: &Call<'_>) -> Result<Resolved> {
    if let Type::Map(..) = call.ty(0) {
        return super::map::element(call);
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

/// Two array arguments (or array and item) with items of one type.
fn alike(call: &Call<'_>, other_is_array: bool) -> Result<(Type, Caster, Caster)> {
    let item = item_of(call, 0)?;
    let other = if other_is_array {
        item_of(call, 1)?
    } else {
        call.ty(1)
    };
    let both = [
        item.without_low_cardinality(),
        other.without_low_cardinality(),
    ];
    let common = common_type(&both)
        .or_else(|| (item.bare().is_number() && other.bare().is_number()).then_some(Type::Float64));
    let common = common.ok_or_else(|| {
        call.fail(
            ErrorCode::NoCommonType,
            &format!("There is no supertype for types {item}, {other}"),
        )
    })?;
    let left = caster(call.ty(0), &array_of(&common), OnBad::Fail, call.context)?;
    let target = if other_is_array {
        array_of(&common)
    } else {
        common.clone()
    };
    let right = caster(call.ty(1), &target, OnBad::Fail, call.context)?;
    Ok((common, left, right))
}

fn cast_pair(cols: &[Col], left: &Caster, right: &Caster) -> DfResult<[Col; 2]> {
    let (a, b) = (arg(cols, 0)?, arg(cols, 1)?);
    Ok([
        Col {
            array: left(&a.array)?,
            constant: a.constant,
        },
        Col {
            array: right(&b.array)?,
            constant: b.constant,
        },
    ])
}

/// Calls `f` for each row with the positions of items equal to the second argument.
fn equal_items<T>(
    cols: &[Col; 2],
    rows: usize,
    mut f: impl FnMut(&mut dyn Iterator<Item = usize>) -> T,
) -> DfResult<Vec<T>> {
    let lists = Lists::of(cols, 0)?;
    let [_, needle] = cols;
    let order = make_comparator(lists.items(), &needle.array, SortOptions::default())?;
    Ok((0..rows)
        .map(|row| {
            let range = lists.range(row);
            let start = range.start;
            let at = needle.at(row);
            f(&mut range
                .filter(|i| order(*i, at).is_eq())
                .map(move |i| i - start))
        })
        .collect())
}

fn has(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| hits.next().is_some())?;
        flags(&[], rows, |row| Ok(found.get(row) == Some(&true)))
    }))
}

fn index_of(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| hits.next().map_or(0, |i| at(i + 1)))?;
        numbers::<UInt64Type>(&[], rows, |row| Ok(found.get(row).copied().unwrap_or(0)))
    }))
}

fn count_equal(call: &Call<'_>) -> Result<Resolved> {
    let (_, left, right) = alike(call, false)?;
    Ok(Resolved::new(Type::UInt64, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let found = equal_items(&pair, rows, |hits| at(hits.count()))?;
        numbers::<UInt64Type>(&[], rows, |row| Ok(found.get(row).copied().unwrap_or(0)))
    }))
}

fn has_several(call: &Call<'_>, all: bool) -> Result<Resolved> {
    let (_, left, right) = alike(call, true)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let (a, b) = (Lists::of(&pair, 0)?, Lists::of(&pair, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        flags(cols, rows, |row| {
            let present = |j: usize| a.range(row).any(|i| order(i, j).is_eq());
            let mut wanted = b.range(row);
            Ok(if all {
                wanted.all(present)
            } else {
                wanted.any(present)
            })
        })
    }))
}

fn range(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0, 1, 2])?;
    let types: Vec<Type> = call.args.iter().map(|a| a.ty.clone()).collect();
    let item = if call.args.len() == 1 {
        call.ty(0).clone()
    } else {
        common(call, &types)?
    };
    let physical = item.arrow();
    let count = call.args.len();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let all = (0..count)
            .map(|i| Longs::of(cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let mask = super::rows::validity(cols, rows);
        let (mut values, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let get = |i: usize| all.get(i).map(|longs| longs.get(row));
            let (start, end) = if count == 1 {
                (0, get(0))
            } else {
                (get(0).unwrap_or(0), get(1))
            };
            let (end, step) = (end.unwrap_or(0), get(2).unwrap_or(1));
            if mask.as_ref().is_some_and(|m| m.is_null(row)) || step == 0 {
                lengths.push(0);
                continue;
            }
            let span = i128::from(end) - i128::from(start);
            let wide = i128::from(step);
            let length = usize::try_from((span + wide - wide.signum()) / wide).unwrap_or(0);
            if length > MAX_ARRAY_ELEMENTS || values.len() + length > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            lengths.push(length);
            let mut next = start;
            for _ in 0..length {
                values.push(next);
                next = next.saturating_add(step);
            }
        }
        let items: ArrayRef = Arc::new(datafusion::arrow::array::Int64Array::from(values));
        list(&item, lengths, wrap(&items, &physical)?, None)
    }))
}

/// `arrayConcat`, also `concat` of arrays.
pub(super) fn concat(call: &Call<'_>) -> Result<Resolved> {
    let mut items = Vec::with_capacity(call.args.len());
    for i in 0..call.args.len() {
        items.push(item_of(call, i)?.without_low_cardinality());
    }
    let item = common(call, &items)?;
    let target = array_of(&item);
    let casters: Vec<Caster> = call
        .args
        .iter()
        .map(|a| caster(&a.ty, &target, OnBad::Fail, call.context))
        .collect::<Result<_>>()?;
    Ok(Resolved::new(target, move |cols, rows| {
        let cast = |(col, cast): (&Col, &Caster)| {
            cast(&col.array).map(|array| Col {
                array,
                constant: col.constant,
            })
        };
        let cols = cols
            .iter()
            .zip(&casters)
            .map(cast)
            .collect::<DfResult<Vec<_>>>()?;
        let lists = (0..cols.len())
            .map(|i| Lists::of(&cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let sources: Vec<&dyn Array> = lists.iter().map(|l| l.items().as_ref()).collect();
        let mut order = Vec::new();
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let before = order.len();
            for (i, list) in lists.iter().enumerate() {
                order.extend(list.range(row).map(|at| (i, at)));
            }
            lengths.push(order.len() - before);
        }
        list(&item, lengths, interleave(&sources, &order)?, None)
    }))
}

/// Positions of the items of each row, changed by `f`.
fn rearranged(
    item: Type,
    f: impl Fn(&ArrayRef, &mut Vec<usize>) -> DfResult<()> + Send + Sync + 'static,
) -> Resolved {
    Resolved::new(array_of(&item), move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let mut row_items = Vec::new();
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            row_items.clear();
            row_items.extend(lists.range(row));
            f(lists.items(), &mut row_items)?;
            picked.extend(row_items.iter().map(|i| at(*i)));
            Ok(())
        })
    })
}

/// The array from its end to its start.
pub(super) fn reversed(item: Type) -> Resolved {
    rearranged(item, |_, items| {
        items.reverse();
        Ok(())
    })
}

fn distinct(call: &Call<'_>) -> Result<Resolved> {
    Ok(rearranged(
        item_of(call, 0)?.not_nullable(),
        |values, items| {
            items.retain(|i| values.is_valid(*i));
            keep_first(values, items)
        },
    ))
}

/// Keeps the first of equal items.
fn keep_first(values: &ArrayRef, items: &mut Vec<usize>) -> DfResult<()> {
    if let Some(texts) = values.as_string_view_opt() {
        let mut seen = HashSet::new();
        items.retain(|i| seen.insert(texts.value(*i)));
        return Ok(());
    }
    let order = make_comparator(values, values, SortOptions::default())?;
    let mut by_value = items.clone();
    by_value.sort_by(|a, b| order(*a, *b).then(a.cmp(b)));
    by_value.dedup_by(|b, a| order(*a, *b).is_eq());
    by_value.sort_unstable();
    *items = by_value;
    Ok(())
}

fn uniq(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    Ok(Resolved::new(Type::UInt32, |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let mut row_items = Vec::new();
        let counts = numbers::<UInt64Type>(cols, rows, |row| {
            row_items.clear();
            row_items.extend(lists.range(row));
            keep_first(lists.items(), &mut row_items)?;
            Ok(at(row_items.len()))
        })?;
        wrap(&counts, &Type::UInt32.arrow())
    }))
}

fn sorted(call: &Call<'_>, descending: bool) -> Result<Resolved> {
    let options = SortOptions {
        descending,
        nulls_first: false,
    };
    Ok(rearranged(
        item_of(call, 0)?.clone(),
        move |values, items| {
            let order = make_comparator(values, values, options)?;
            items.sort_by(|a, b| order(*a, *b));
            Ok(())
        },
    ))
}

fn compact(call: &Call<'_>) -> Result<Resolved> {
    Ok(rearranged(item_of(call, 0)?.clone(), |values, items| {
        let order = make_comparator(values, values, SortOptions::default())?;
        items.dedup_by(|b, a| order(*a, *b).is_eq());
        Ok(())
    }))
}

fn sliced(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[1, 2])?;
    let item = item_of(call, 0)?.clone();
    let limited = call.args.len() > 2;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let (lists, offsets) = (Lists::of(cols, 0)?, Longs::of(cols, 1)?);
        let lengths = if limited {
            Some(Longs::of(cols, 2)?)
        } else {
            None
        };
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let range = lists.range(row);
            let total = i64::try_from(range.len()).unwrap_or(i64::MAX);
            let wanted = lengths.as_ref().map_or(i64::MAX, |l| l.get(row));
            let (from, to) = slice(total, offsets.get(row), wanted);
            picked.extend((from..to.max(from)).map(|i| at(range.start + i)));
            Ok(())
        })
    }))
}

fn pushed(call: &Call<'_>, front: bool) -> Result<Resolved> {
    let (item, left, right) = alike(call, false)?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let lists = Lists::of(&pair, 0)?;
        let [_, new] = &pair;
        let mut order = Vec::new();
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let before = order.len();
            if front {
                order.push((1, new.at(row)));
            }
            order.extend(lists.range(row).map(|i| (0, i)));
            if !front {
                order.push((1, new.at(row)));
            }
            lengths.push(order.len() - before);
        }
        let sources: [&dyn Array; 2] = [lists.items(), &new.array];
        list(&item, lengths, interleave(&sources, &order)?, None)
    }))
}

fn popped(call: &Call<'_>, front: bool) -> Result<Resolved> {
    Ok(rearranged(item_of(call, 0)?.clone(), move |_, items| {
        if front && !items.is_empty() {
            items.remove(0);
        } else {
            items.pop();
        }
        Ok(())
    }))
}

fn joined(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    let target = array_of(&Type::String.nullable());
    let cast = caster(call.ty(0), &target, OnBad::Fail, call.context)?;
    let separator = call.optional_text(1)?.unwrap_or("").to_owned();
    Ok(Resolved::new(Type::String, move |cols, rows| {
        let col = arg(cols, 0)?;
        let cast = [Col {
            array: cast(&col.array)?,
            constant: col.constant,
        }];
        let lists = Lists::of(&cast, 0)?;
        let items = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let words = Texts::of(&items, 0)?;
        texts(cols, rows, |row, out| {
            let present = lists.range(row).filter(|i| lists.items().is_valid(*i));
            for (n, i) in present.enumerate() {
                out.push_str(if n > 0 { &separator } else { "" });
                out.push_str(words.get(i));
            }
            Ok(())
        })
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reduce {
    Sum,
    Average,
}

fn reduced(call: &Call<'_>, how: Reduce) -> Result<Resolved> {
    let item = item_of(call, 0)?.bare();
    if !item.is_number() {
        return Err(call.illegal(0));
    }
    let ty = if how == Reduce::Average || !item.is_integer() {
        Type::Float64
    } else {
        Type::integer(64, item.is_signed())
    };
    let physical = ty.arrow();
    let float = ty == Type::Float64;
    Ok(Resolved::new(ty, move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let items = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let valid = |i: &usize| lists.items().is_valid(*i);
        if float {
            let values = Doubles::of(&items, 0)?;
            return numbers::<Float64Type>(cols, rows, |row| {
                let sum: f64 = lists.range(row).filter(valid).map(|i| values.get(i)).sum();
                #[expect(clippy::cast_precision_loss, reason = "a count of items is small")]
                let count = lists.range(row).filter(valid).count() as f64;
                Ok(if how == Reduce::Average {
                    sum / count
                } else {
                    sum
                })
            });
        }
        let values = Longs::of(&items, 0)?;
        let sums = numbers::<Int64Type>(cols, rows, |row| {
            Ok(lists
                .range(row)
                .filter(valid)
                .fold(0, |sum, i| values.get(i).wrapping_add(sum)))
        })?;
        wrap(&sums, &physical)
    }))
}

fn extreme(call: &Call<'_>, better: Ordering) -> Result<Resolved> {
    let item = item_of(call, 0)?.clone();
    if item == Type::Nothing {
        return Err(call.illegal(0));
    }
    let fallback = values_to_array(&item, &[item.default_value()])?;
    Ok(Resolved::new(item, move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let order = make_comparator(lists.items(), lists.items(), SortOptions::default())?;
        let best = |row: usize| {
            let items = lists.range(row).filter(|i| lists.items().is_valid(*i));
            items.reduce(|best, i| if order(i, best) == better { i } else { best })
        };
        let picks: Vec<(usize, usize)> = (0..rows)
            .map(|row| best(row).map_or((1, 0), |i| (0, i)))
            .collect();
        let sources: [&dyn Array; 2] = [lists.items(), &fallback];
        Ok(interleave(&sources, &picks)?)
    }))
}

fn enumerate(call: &Call<'_>) -> Result<Resolved> {
    item_of(call, 0)?;
    Ok(Resolved::new(array_of(&Type::UInt32), |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let lengths: Vec<usize> = (0..rows).map(|row| lists.range(row).len()).collect();
        let values = lengths.iter().flat_map(|n| 1..=at(*n));
        let items: ArrayRef = Arc::new(values.collect::<UInt64Array>());
        list(
            &Type::UInt32,
            lengths,
            wrap(&items, &Type::UInt32.arrow())?,
            None,
        )
    }))
}

fn with_constant(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[0])?;
    let item = call.ty(1).clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let counts = Longs::of(cols, 0)?;
        let value = arg(cols, 1)?;
        picked_lists(&item, cols, rows, &value.array, |row, picked| {
            let count = usize::try_from(counts.get(row)).unwrap_or(0);
            if count > MAX_ARRAY_ELEMENTS || picked.len() + count > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            picked.extend(std::iter::repeat_n(at(value.at(row)), count));
            Ok(())
        })
    }))
}

fn flatten(call: &Call<'_>) -> Result<Resolved> {
    let outer = item_of(call, 0)?;
    let Type::Array(item) = outer else {
        return Ok(Resolved::new(call.ty(0).clone(), |cols, rows| {
            arg(cols, 0)?.full(rows)
        }));
    };
    if matches!(**item, Type::Array(_)) {
        return Err(call.fail(ErrorCode::NotImplemented, "arrays nested more than twice"));
    }
    let item = (**item).clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let inner = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let inner = Lists::of(&inner, 0)?;
        let items = Arc::clone(inner.items());
        picked_lists(&item, cols, rows, &items, |row, picked| {
            lists
                .range(row)
                .for_each(|i| picked.extend(inner.range(i).map(at)));
            Ok(())
        })
    }))
}

fn intersect(call: &Call<'_>) -> Result<Resolved> {
    if call.args.len() == 1 {
        return distinct(call);
    }
    let (item, left, right) = alike(call, true)?;
    if call.args.len() > 2 {
        return Err(call.fail(ErrorCode::NotImplemented, "more than two arrays"));
    }
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let pair = cast_pair(cols, &left, &right)?;
        let (a, b) = (Lists::of(&pair, 0)?, Lists::of(&pair, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        picked_lists(&item, cols, rows, a.items(), |row, picked| {
            let mut kept: Vec<usize> = a
                .range(row)
                .filter(|i| b.range(row).any(|j| order(*i, j).is_eq()))
                .collect();
            keep_first(a.items(), &mut kept)?;
            picked.extend(kept.into_iter().map(at));
            Ok(())
        })
    }))
}

fn tuple(call: &Call<'_>) -> Result<Resolved> {
    let items: Vec<(Option<String>, Type)> =
        call.args.iter().map(|a| (None, a.ty.clone())).collect();
    let fields = crate::types::tuple_fields(&items);
    Ok(Resolved::new(Type::Tuple(items), move |cols, rows| {
        let columns = cols
            .iter()
            .map(|col| col.full(rows))
            .collect::<DfResult<Vec<_>>>()?;
        if columns.is_empty() {
            let empty = datafusion::arrow::array::StructArray::new_empty_fields(rows, None);
            return Ok(Arc::new(empty));
        }
        let array = datafusion::arrow::array::StructArray::try_new(fields.clone(), columns, None)?;
        Ok(Arc::new(array))
    }))
}

/// `tuple.1`, `tuple.name`
fn tuple_element(call: &Call<'_>) -> Result<Resolved> {
    let Type::Tuple(items) = call.ty(0) else {
        return Err(call.illegal(0));
    };
    let position = match call.constant(1).and_then(crate::types::Value::as_text) {
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
