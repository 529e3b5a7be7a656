//! Reading arguments and building results row by row, NULL-aware: a row with a NULL argument is NULL and its function
//! is not called.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, ListArray, PrimitiveArray,
    PrimitiveBuilder, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, UInt8Type};
use datafusion::error::{DataFusionError, Result as DfResult};

use super::kernel::Col;
use super::wrap::wrap;
use crate::error::{ErrorCode, QueryError};
use crate::types::{Type, item_field};

/// Rows in which any argument is NULL, as a validity mask; `None` = none.
pub(super) fn validity(cols: &[Col], rows: usize) -> Option<NullBuffer> {
    let mut mask: Option<NullBuffer> = None;
    for col in cols {
        let own = if col.constant {
            col.array.is_null(0).then(|| NullBuffer::new_null(rows))
        } else {
            col.array.logical_nulls()
        };
        mask = NullBuffer::union(mask.as_ref(), own.as_ref());
    }
    mask
}

fn is_valid(mask: Option<&NullBuffer>, row: usize) -> bool {
    mask.is_none_or(|mask| mask.is_valid(row))
}

fn wrong(what: &str, found: &DataType) -> DataFusionError {
    QueryError::new(
        ErrorCode::LogicalError,
        format!("a function expected {what} and got `{found}`"),
    )
    .external()
}

/// Argument `i`.
pub(super) fn arg(cols: &[Col], i: usize) -> DfResult<&Col> {
    cols.get(i).ok_or_else(|| {
        QueryError::new(ErrorCode::LogicalError, "a function misses an argument").external()
    })
}

/// Text of an argument.
pub(super) struct Texts<'a> {
    array: &'a StringViewArray,
    step: usize,
}

impl<'a> Texts<'a> {
    pub(super) fn of(cols: &'a [Col], i: usize) -> DfResult<Self> {
        let col = arg(cols, i)?;
        let array = col
            .array
            .as_string_view_opt()
            .ok_or_else(|| wrong("text", col.array.data_type()))?;
        Ok(Self {
            array,
            step: usize::from(!col.constant),
        })
    }

    pub(super) fn get(&self, row: usize) -> &'a str {
        self.array.value(row * self.step)
    }
}

/// Numbers of an argument, read as `T`, wrapping where they do not fit.
pub(super) struct Numbers<T: ArrowPrimitiveType> {
    array: PrimitiveArray<T>,
    step: usize,
}

pub(super) type Longs = Numbers<Int64Type>;
pub(super) type Doubles = Numbers<Float64Type>;

impl<T: ArrowPrimitiveType> Numbers<T> {
    pub(super) fn of(cols: &[Col], i: usize) -> DfResult<Self> {
        let col = arg(cols, i)?;
        let cast = wrap(&col.array, &T::DATA_TYPE)?;
        let array = cast
            .as_primitive_opt::<T>()
            .ok_or_else(|| wrong("a number", col.array.data_type()))?
            .clone();
        Ok(Self {
            array,
            step: usize::from(!col.constant),
        })
    }

    pub(super) fn get(&self, row: usize) -> T::Native {
        self.array.value(row * self.step)
    }
}

/// Lists of an argument.
pub(super) struct Lists<'a> {
    pub(super) array: &'a ListArray,
    step: usize,
}

impl<'a> Lists<'a> {
    pub(super) fn of(cols: &'a [Col], i: usize) -> DfResult<Self> {
        let col = arg(cols, i)?;
        let array = col
            .array
            .as_list_opt::<i32>()
            .ok_or_else(|| wrong("an array", col.array.data_type()))?;
        Ok(Self {
            array,
            step: usize::from(!col.constant),
        })
    }

    /// Items of all lists.
    pub(super) fn items(&self) -> &'a ArrayRef {
        self.array.values()
    }

    /// First item and the one after the last, in [`Lists::items`].
    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        let offsets = self.array.value_offsets();
        let at = row * self.step;
        let bound = |i: usize| {
            offsets
                .get(i)
                .map_or(0, |v| usize::try_from(*v).unwrap_or(0))
        };
        bound(at)..bound(at + 1)
    }
}

/// One number per row.
pub(super) fn numbers<T: ArrowPrimitiveType>(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize) -> DfResult<T::Native>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut values = Vec::with_capacity(rows);
    for row in 0..rows {
        values.push(if is_valid(mask.as_ref(), row) {
            f(row)?
        } else {
            T::Native::default()
        });
    }
    Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), mask)))
}

/// One number or NULL per row.
pub(super) fn optional_numbers<T: ArrowPrimitiveType>(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize) -> DfResult<Option<T::Native>>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut builder = PrimitiveBuilder::<T>::with_capacity(rows);
    for row in 0..rows {
        if is_valid(mask.as_ref(), row) {
            builder.append_option(f(row)?);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// 0 or 1 per row.
pub(super) fn flags(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize) -> DfResult<bool>,
) -> DfResult<ArrayRef> {
    numbers::<UInt8Type>(cols, rows, |row| f(row).map(u8::from))
}

/// Text per row; `f` appends to an empty buffer.
pub(super) fn texts(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize, &mut String) -> DfResult<()>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut builder = StringViewBuilder::with_capacity(rows);
    let mut buffer = String::new();
    for row in 0..rows {
        if is_valid(mask.as_ref(), row) {
            buffer.clear();
            f(row, &mut buffer)?;
            builder.append_value(&buffer);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A piece of an existing text per row.
pub(super) fn pieces<'a>(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize) -> DfResult<&'a str>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut builder = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        if is_valid(mask.as_ref(), row) {
            builder.append_value(f(row)?);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// Text or NULL per row.
pub(super) fn optional_texts(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize) -> DfResult<Option<String>>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut builder = StringViewBuilder::with_capacity(rows);
    for row in 0..rows {
        if is_valid(mask.as_ref(), row) {
            builder.append_option(f(row)?);
        } else {
            builder.append_null();
        }
    }
    Ok(Arc::new(builder.finish()))
}

/// A list of text per row; `f` appends items.
pub(super) fn text_lists(
    cols: &[Col],
    rows: usize,
    mut f: impl FnMut(usize, &mut StringViewBuilder) -> DfResult<()>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut items = StringViewBuilder::new();
    let mut lengths = Vec::with_capacity(rows);
    for row in 0..rows {
        let before = datafusion::arrow::array::ArrayBuilder::len(&items);
        if is_valid(mask.as_ref(), row) {
            f(row, &mut items)?;
        }
        lengths.push(datafusion::arrow::array::ArrayBuilder::len(&items) - before);
    }
    list(&Type::String, lengths, Arc::new(items.finish()), None)
}

/// A list array of `item`s with these lengths.
pub(super) fn list(
    item: &Type,
    lengths: Vec<usize>,
    items: ArrayRef,
    nulls: Option<NullBuffer>,
) -> DfResult<ArrayRef> {
    let total: usize = lengths.iter().sum();
    if i32::try_from(total).is_err() {
        return Err(QueryError::new(
            ErrorCode::TooLargeArraySize,
            "arrays of one batch have too many items",
        )
        .external());
    }
    let offsets = OffsetBuffer::from_lengths(lengths);
    let list = ListArray::try_new(item_field(item), offsets, items, nulls)?;
    Ok(Arc::new(list))
}

/// Lists made by picking items: `f` pushes positions in `items`.
pub(super) fn picked_lists(
    item: &Type,
    cols: &[Col],
    rows: usize,
    items: &ArrayRef,
    mut f: impl FnMut(usize, &mut Vec<u64>) -> DfResult<()>,
) -> DfResult<ArrayRef> {
    let mask = validity(cols, rows);
    let mut picked = Vec::new();
    let mut lengths = Vec::with_capacity(rows);
    for row in 0..rows {
        let before = picked.len();
        if is_valid(mask.as_ref(), row) {
            f(row, &mut picked)?;
        }
        lengths.push(picked.len() - before);
    }
    let indices = datafusion::arrow::array::UInt64Array::from(picked);
    let taken = datafusion::arrow::compute::take(items, &indices, None)?;
    list(item, lengths, taken, None)
}

/// A `Boolean` array from a `UInt8` or `Boolean` one; NULL is false.
pub(super) fn conditions(col: &Col, rows: usize) -> DfResult<BooleanArray> {
    let full = col.full(rows)?;
    if let Some(flags) = full.as_boolean_opt() {
        if flags.null_count() == 0 {
            return Ok(flags.clone());
        }
        return Ok(datafusion::arrow::compute::prep_null_mask_filter(flags));
    }
    if *full.data_type() == DataType::Null {
        return Ok(BooleanArray::new(
            datafusion::arrow::buffer::BooleanBuffer::new_unset(rows),
            None,
        ));
    }
    let values: Numbers<Float64Type> = Numbers::of(
        &[Col {
            array: Arc::clone(&full),
            constant: false,
        }],
        0,
    )?;
    Ok((0..rows)
        .map(|row| Some(full.is_valid(row) && values.get(row) != 0.0))
        .collect())
}
