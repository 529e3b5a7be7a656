//! Arrays beside each other: zipped, numbered, moved round, as sets.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, StructArray, UInt32Array, UInt64Array, make_comparator,
};
use datafusion::arrow::compute::{SortOptions, concat as concat_arrays, take};
use datafusion::arrow::datatypes::Float64Type;
use datafusion::error::Result as DfResult;

use super::item::{array_of, at, item_of, too_many};
use super::reorder::keep_first;
use crate::error::{ErrorCode, QueryError, Result};
use crate::functions::convert::{Caster, OnBad, caster, common};
use crate::functions::kernel::{Col, Kernel, Resolved};
use crate::functions::rows::{Doubles, Lists, Longs, arg, flags, list, numbers, picked_lists};
use crate::functions::signature::{Call, Entry, MANY, raw, strict};
use crate::limits::{MAX_ARRAY_ELEMENTS, MAX_BATCH_ELEMENTS};
use crate::types::{Type, Value, tuple_fields, values_to_array};

pub(super) static ENTRIES: &[Entry] = &[
    strict("arrayZip", (1, MANY), |call| zipped(call, false)),
    strict("arrayZipUnaligned", (1, MANY), |call| zipped(call, true)),
    strict("arrayEnumerateUniq", (1, MANY), |call| {
        enumerated(call, true)
    }),
    strict("arrayEnumerateDense", (1, MANY), |call| {
        enumerated(call, false)
    }),
    strict("arrayProduct", (1, 1), product),
    strict("arrayResize", (2, 3), resized),
    strict("arrayRotateLeft", (2, 2), |call| rotated(call, 1)),
    strict("arrayRotateRight", (2, 2), |call| rotated(call, -1)),
    strict("arrayShiftLeft", (2, 3), |call| shifted(call, 1)),
    strict("arrayShiftRight", (2, 3), |call| shifted(call, -1)),
    strict("hasSubstr", (2, 2), has_run),
    strict("arrayExcept", (2, 2), |call| sets(call, Set::Except)),
    strict("arraySymmetricDifference", (2, 2), |call| {
        sets(call, Set::Symmetric)
    }),
    strict("arrayUnion", (1, MANY), united),
    strict("arrayJaccardIndex", (2, 2), jaccard),
    strict("emptyArrayUInt8", (0, 0), |_| empty(&Type::UInt8)),
    strict("emptyArrayUInt16", (0, 0), |_| empty(&Type::UInt16)),
    strict("emptyArrayUInt32", (0, 0), |_| empty(&Type::UInt32)),
    strict("emptyArrayUInt64", (0, 0), |_| empty(&Type::UInt64)),
    strict("emptyArrayInt8", (0, 0), |_| empty(&Type::Int8)),
    strict("emptyArrayInt16", (0, 0), |_| empty(&Type::Int16)),
    strict("emptyArrayInt32", (0, 0), |_| empty(&Type::Int32)),
    strict("emptyArrayInt64", (0, 0), |_| empty(&Type::Int64)),
    strict("emptyArrayFloat32", (0, 0), |_| empty(&Type::Float32)),
    strict("emptyArrayFloat64", (0, 0), |_| empty(&Type::Float64)),
    strict("emptyArrayDate", (0, 0), |_| empty(&Type::Date)),
    strict("emptyArrayDateTime", (0, 0), |_| {
        empty(&Type::DateTime(None))
    }),
    strict("emptyArrayString", (0, 0), |_| empty(&Type::String)),
    strict("emptyArrayToSingle", (1, 1), never_empty),
    raw("indexOfAssumeSorted", (2, 2), super::find::index_of),
    strict("flatten", (1, 1), super::reorder::flatten).any_case(),
];

fn empty(item: &Type) -> Result<Resolved> {
    let ty = array_of(item);
    Ok(Resolved {
        kernel: Kernel::constant(&Value::Array(Vec::new()), &ty)?,
        ty,
    })
}

fn unequal(name: &str) -> datafusion::error::DataFusionError {
    QueryError::new(
        ErrorCode::SizesOfArraysDontMatch,
        format!("The argument arrays of function {name} must have equal sizes"),
    )
    .external()
}

/// Tuples of the items at each position; arrays of other lengths are an error, or filled with NULL.
fn zipped(call: &Call<'_>, fill: bool) -> Result<Resolved> {
    let items = (0..call.args.len())
        .map(|i| item_of(call, i))
        .collect::<Result<Vec<_>>>()?;
    let fields: Vec<(Option<String>, Type)> = items
        .iter()
        .map(|item| {
            let item = item.without_low_cardinality();
            (None, if fill { item.nullable() } else { item })
        })
        .collect();
    let tuple = Type::Tuple(fields.clone());
    let (name, count) = (call.name, fields.len());
    Ok(Resolved::new(array_of(&tuple), move |cols, rows| {
        let lists = (0..count)
            .map(|i| Lists::of(cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let mut picked: Vec<Vec<Option<u64>>> = vec![Vec::new(); count];
        let mut lengths = Vec::with_capacity(rows);
        for row in 0..rows {
            let longest = lists.iter().map(|l| l.range(row).len()).max().unwrap_or(0);
            if !fill && lists.iter().any(|l| l.range(row).len() != longest) {
                return Err(unequal(name));
            }
            for (list, picked) in lists.iter().zip(&mut picked) {
                let range = list.range(row);
                let missing = longest - range.len();
                picked.extend(range.map(|i| Some(at(i))));
                picked.extend(std::iter::repeat_n(None, missing));
            }
            lengths.push(longest);
        }
        let columns = lists
            .iter()
            .zip(picked)
            .map(|(list, picked)| Ok(take(list.items(), &UInt64Array::from(picked), None)?));
        let columns = columns.collect::<DfResult<Vec<_>>>()?;
        let tuples = StructArray::try_new(tuple_fields(&fields), columns, None)?;
        list(&tuple, lengths, Arc::new(tuples), None)
    }))
}

/// Of each item: which of its equals it is, or the number of its value.
fn enumerated(call: &Call<'_>, which: bool) -> Result<Resolved> {
    for i in 0..call.args.len() {
        item_of(call, i)?;
    }
    let (name, count) = (call.name, call.args.len());
    Ok(Resolved::new(array_of(&Type::UInt32), move |cols, rows| {
        let lists = (0..count)
            .map(|i| Lists::of(cols, i))
            .collect::<DfResult<Vec<_>>>()?;
        let orders = lists
            .iter()
            .map(|l| {
                Ok(make_comparator(
                    l.items(),
                    l.items(),
                    SortOptions::default(),
                )?)
            })
            .collect::<DfResult<Vec<_>>>()?;
        let (mut all, mut lengths) = (Vec::new(), Vec::with_capacity(rows));
        for row in 0..rows {
            let ranges: Vec<_> = lists.iter().map(|l| l.range(row)).collect();
            let length = ranges.first().map_or(0, ExactSizeIterator::len);
            if ranges.iter().any(|range| range.len() != length) {
                return Err(unequal(name));
            }
            let compare = |a: usize, b: usize| {
                let mut each = orders.iter().zip(&ranges);
                each.try_fold(std::cmp::Ordering::Equal, |so_far, (order, range)| {
                    let next = so_far.then_with(|| order(range.start + a, range.start + b));
                    if next.is_eq() { Ok(next) } else { Err(next) }
                })
                .unwrap_or_else(|found| found)
            };
            let mut by_value: Vec<usize> = (0..length).collect();
            by_value.sort_by(|a, b| compare(*a, *b).then(a.cmp(b)));
            // Of each position: the first position of its value, and how many came before it.
            let mut numbers = vec![(0_usize, 0_u32); length];
            let (mut first, mut nth) = (0, 0);
            for (i, position) in by_value.iter().enumerate() {
                let before = i.checked_sub(1).and_then(|i| by_value.get(i));
                if before.is_some_and(|before| compare(*before, *position).is_eq()) {
                    nth += 1;
                } else {
                    (first, nth) = (*position, 1);
                }
                if let Some(slot) = numbers.get_mut(*position) {
                    *slot = (first, nth);
                }
            }
            let mut dense = 0;
            let mut known = vec![0_u32; length];
            for (position, (first, nth)) in numbers.iter().enumerate() {
                if which {
                    all.push(*nth);
                    continue;
                }
                if *first == position {
                    dense += 1;
                    if let Some(slot) = known.get_mut(position) {
                        *slot = dense;
                    }
                }
                all.push(known.get(*first).copied().unwrap_or(0));
            }
            lengths.push(length);
        }
        list(
            &Type::UInt32,
            lengths,
            Arc::new(UInt32Array::from(all)),
            None,
        )
    }))
}

fn product(call: &Call<'_>) -> Result<Resolved> {
    if !item_of(call, 0)?.bare().is_number() {
        return Err(call.illegal(0));
    }
    Ok(Resolved::new(Type::Float64, |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let items = [Col {
            array: Arc::clone(lists.items()),
            constant: false,
        }];
        let values = Doubles::of(&items, 0)?;
        numbers::<Float64Type>(cols, rows, |row| {
            let present = lists.range(row).filter(|i| lists.items().is_valid(*i));
            Ok(present.map(|i| values.get(i)).product())
        })
    }))
}

/// The items of an array with one more value after them, to pick it where an item is missing.
fn with_filler(items: &ArrayRef, filler: &ArrayRef) -> DfResult<(ArrayRef, u64)> {
    let all = concat_arrays(&[items.as_ref(), filler.as_ref()])?;
    Ok((all, at(items.len())))
}

/// The filler as an item: the argument at `i` for each row, or the default of the type.
fn filler(call: &Call<'_>, i: usize, item: &Type) -> Result<(Option<Caster>, ArrayRef)> {
    let default = values_to_array(item, &[item.default_value()])?;
    if call.args.len() <= i {
        return Ok((None, default));
    }
    Ok((
        Some(caster(call.ty(i), item, OnBad::Fail, call.context)?),
        default,
    ))
}

fn filled_item(call: &Call<'_>, i: usize) -> Result<Type> {
    let item = item_of(call, 0)?.clone();
    if call.args.len() <= i {
        return Ok(item);
    }
    common(call, &[item, call.ty(i).clone()])
}

fn resized(call: &Call<'_>) -> Result<Resolved> {
    call.want_integer(&[1])?;
    let item = filled_item(call, 2)?;
    let cast = caster(call.ty(0), &array_of(&item), OnBad::Fail, call.context)?;
    let (fill, default) = filler(call, 2, &item)?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let arrays = [Col {
            array: cast(&arg(cols, 0)?.array)?,
            constant: arg(cols, 0)?.constant,
        }];
        let (lists, sizes) = (Lists::of(&arrays, 0)?, Longs::of(cols, 1)?);
        let own = fill
            .as_ref()
            .map(|fill| fill(&arg(cols, 2)?.array))
            .transpose()?;
        let (all, base) = with_filler(lists.items(), own.as_ref().unwrap_or(&default))?;
        let each = own.is_some() && !arg(cols, 2)?.constant;
        let mut made = 0_usize;
        picked_lists(&item, cols, rows, &all, |row, picked| {
            let size = sizes.get(row);
            let wanted = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
            made = made.saturating_add(wanted);
            if wanted > MAX_ARRAY_ELEMENTS || made > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            let range = lists.range(row);
            let missing = wanted.saturating_sub(range.len());
            let fill = base + if each { at(row) } else { 0 };
            let kept = range.len().min(wanted);
            if size < 0 {
                picked.extend(std::iter::repeat_n(fill, missing));
                picked.extend((range.end - kept..range.end).map(at));
            } else {
                picked.extend((range.start..range.start + kept).map(at));
                picked.extend(std::iter::repeat_n(fill, missing));
            }
            Ok(())
        })
    }))
}

fn rotated(call: &Call<'_>, direction: i64) -> Result<Resolved> {
    call.want_integer(&[1])?;
    let item = item_of(call, 0)?.clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let (lists, amounts) = (Lists::of(cols, 0)?, Longs::of(cols, 1)?);
        picked_lists(&item, cols, rows, lists.items(), |row, picked| {
            let range = lists.range(row);
            let length = i64::try_from(range.len()).unwrap_or(0).max(1);
            let by = amounts.get(row).wrapping_mul(direction).rem_euclid(length);
            let middle = range.start + usize::try_from(by).unwrap_or(0);
            let middle = middle.min(range.end);
            picked.extend((middle..range.end).chain(range.start..middle).map(at));
            Ok(())
        })
    }))
}

fn shifted(call: &Call<'_>, direction: i64) -> Result<Resolved> {
    call.want_integer(&[1])?;
    let item = filled_item(call, 2)?;
    let cast = caster(call.ty(0), &array_of(&item), OnBad::Fail, call.context)?;
    let (fill, default) = filler(call, 2, &item)?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let arrays = [Col {
            array: cast(&arg(cols, 0)?.array)?,
            constant: arg(cols, 0)?.constant,
        }];
        let (lists, amounts) = (Lists::of(&arrays, 0)?, Longs::of(cols, 1)?);
        let own = fill
            .as_ref()
            .map(|fill| fill(&arg(cols, 2)?.array))
            .transpose()?;
        let (all, base) = with_filler(lists.items(), own.as_ref().unwrap_or(&default))?;
        let each = own.is_some() && !arg(cols, 2)?.constant;
        picked_lists(&item, cols, rows, &all, |row, picked| {
            let range = lists.range(row);
            let by = amounts.get(row).saturating_mul(direction);
            let size = usize::try_from(by.unsigned_abs()).unwrap_or(usize::MAX);
            let gone = size.min(range.len());
            let fill = base + if each { at(row) } else { 0 };
            if by < 0 {
                picked.extend(std::iter::repeat_n(fill, gone));
                picked.extend((range.start..range.end - gone).map(at));
            } else {
                picked.extend((range.start + gone..range.end).map(at));
                picked.extend(std::iter::repeat_n(fill, gone));
            }
            Ok(())
        })
    }))
}

/// Both arrays with items of their common type.
struct Pair {
    item: Type,
    left: Caster,
    right: Caster,
}

impl Pair {
    fn of(call: &Call<'_>) -> Result<Self> {
        let types = [item_of(call, 0)?.clone(), item_of(call, 1)?.clone()];
        let item = common(call, &types)?.without_low_cardinality();
        Ok(Self {
            left: caster(call.ty(0), &array_of(&item), OnBad::Fail, call.context)?,
            right: caster(call.ty(1), &array_of(&item), OnBad::Fail, call.context)?,
            item,
        })
    }

    fn cast(&self, cols: &[Col]) -> DfResult<[Col; 2]> {
        let one = |i: usize, cast: &Caster| -> DfResult<Col> {
            let col = arg(cols, i)?;
            Ok(Col {
                array: cast(&col.array)?,
                constant: col.constant,
            })
        };
        Ok([one(0, &self.left)?, one(1, &self.right)?])
    }
}

/// Whether the second array stands in the first as it is.
fn has_run(call: &Call<'_>) -> Result<Resolved> {
    let pair = Pair::of(call)?;
    Ok(Resolved::new(Type::UInt8, move |cols, rows| {
        let both = pair.cast(cols)?;
        let (a, b) = (Lists::of(&both, 0)?, Lists::of(&both, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        flags(cols, rows, |row| {
            let (whole, part) = (a.range(row), b.range(row));
            if part.len() > whole.len() {
                return Ok(false);
            }
            let mut starts = whole.start..=whole.end - part.len();
            Ok(starts.any(|start| {
                let mut pairs = part.clone().enumerate();
                pairs.all(|(i, own)| order(start + i, own).is_eq())
            }))
        })
    }))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Except,
    Symmetric,
}

fn sets(call: &Call<'_>, set: Set) -> Result<Resolved> {
    let pair = Pair::of(call)?;
    let item = pair.item.clone();
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let both = pair.cast(cols)?;
        let (a, b) = (Lists::of(&both, 0)?, Lists::of(&both, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        let all = concat_arrays(&[a.items().as_ref(), b.items().as_ref()])?;
        let base = a.items().len();
        picked_lists(&pair.item, cols, rows, &all, |row, picked| {
            let (left, right) = (a.range(row), b.range(row));
            // Every pair of items is compared.
            if left.len().saturating_mul(right.len()) > MAX_BATCH_ELEMENTS {
                return Err(too_many());
            }
            let only_left = left
                .clone()
                .filter(|i| !right.clone().any(|j| order(*i, j).is_eq()));
            let mut kept: Vec<usize> = only_left.collect();
            if set == Set::Symmetric {
                let only_right = right.filter(|j| !left.clone().any(|i| order(i, *j).is_eq()));
                kept.extend(only_right.map(|j| base + j));
                keep_first(&all, &mut kept)?;
            }
            picked.extend(kept.into_iter().map(at));
            Ok(())
        })
    }))
}

/// All different items, in no promised order.
fn united(call: &Call<'_>) -> Result<Resolved> {
    let joined = super::build::concat(call)?;
    let Type::Array(item) = joined.ty.clone() else {
        return Ok(joined);
    };
    Ok(Resolved::new(joined.ty.clone(), move |cols, rows| {
        let all = [Col {
            array: joined.kernel.run(cols, rows)?,
            constant: false,
        }];
        let lists = Lists::of(&all, 0)?;
        picked_lists(&item, &all, rows, lists.items(), |row, picked| {
            let mut kept: Vec<usize> = lists.range(row).collect();
            keep_first(lists.items(), &mut kept)?;
            picked.extend(kept.into_iter().map(at));
            Ok(())
        })
    }))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts is a float")]
fn jaccard(call: &Call<'_>) -> Result<Resolved> {
    let pair = Pair::of(call)?;
    Ok(Resolved::new(Type::Float64, move |cols, rows| {
        let both = pair.cast(cols)?;
        let (a, b) = (Lists::of(&both, 0)?, Lists::of(&both, 1)?);
        let order = make_comparator(a.items(), b.items(), SortOptions::default())?;
        numbers::<Float64Type>(cols, rows, |row| {
            let (mut left, mut right): (Vec<usize>, Vec<usize>) =
                (a.range(row).collect(), b.range(row).collect());
            keep_first(a.items(), &mut left)?;
            keep_first(b.items(), &mut right)?;
            let in_both = |i: &&usize| right.iter().any(|j| order(**i, *j).is_eq());
            let shared = left.iter().filter(in_both).count();
            let all = left.len() + right.len() - shared;
            Ok(shared as f64 / all as f64)
        })
    }))
}

/// An empty array becomes one with a default item.
fn never_empty(call: &Call<'_>) -> Result<Resolved> {
    let item = item_of(call, 0)?.clone();
    let default = values_to_array(&item, &[item.default_value()])?;
    Ok(Resolved::new(array_of(&item), move |cols, rows| {
        let lists = Lists::of(cols, 0)?;
        let (all, fill) = with_filler(lists.items(), &default)?;
        picked_lists(&item, cols, rows, &all, |row, picked| {
            let range = lists.range(row);
            if range.is_empty() {
                picked.push(fill);
            }
            picked.extend(range.map(at));
            Ok(())
        })
    }))
}
