//! `arrayMap`: the body of a lambda over the items of arrays.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::{concat, take};
use datafusion::error::Result as DfResult;

use crate::error::{ErrorCode, QueryError};
use crate::functions::kernel::{Col, Resolved};
use crate::limits::MAX_BATCH_ELEMENTS;
use crate::types::{Type, item_field};

/// Computes the answers of a lambda: columns of its arguments and of what it uses from outside, all of the same length.
pub(crate) type Body = dyn Fn(Vec<ArrayRef>, usize) -> DfResult<ArrayRef> + Send + Sync;

/// Items that one evaluation of a body sees: what a body makes of them must fit into memory, and between two of them the
/// query can be stopped.
const CHUNK_ITEMS: usize = 16_384;

/// An array of the answers. The first `arrays` columns are the arrays, the others are what the body uses from outside.
pub(crate) fn mapped(name: &'static str, item: &Type, arrays: usize, body: Arc<Body>) -> Resolved {
    let field = item_field(item);
    let nothing = item.arrow();
    Resolved::new(Type::Array(Box::new(item.clone())), move |cols, rows| {
        let (lists, outside) = cols.split_at_checked(arrays).unwrap_or((cols, &[]));
        let zipped = Zipped::of(name, lists, rows)?;
        let mut answers = Vec::new();
        for part in zipped.parts() {
            let count = part.len();
            let mut inputs: Vec<ArrayRef> = zipped
                .items
                .iter()
                .map(|items| items.slice(part.start, count))
                .collect();
            for col in outside {
                inputs.push(zipped.repeated(col, &part)?);
            }
            answers.push(body(inputs, count)?);
        }
        let all: Vec<&dyn Array> = answers.iter().map(AsRef::as_ref).collect();
        let items = match all.as_slice() {
            [] => datafusion::arrow::array::new_empty_array(&nothing),
            [_] => answers.swap_remove(0),
            many => concat(many)?,
        };
        let list = ListArray::try_new(Arc::clone(&field), zipped.offsets, items, None)?;
        Ok(Arc::new(list))
    })
}

/// Arrays of equal length in each row, without gaps between their items.
pub(super) struct Zipped {
    /// Items of all rows, one after the other, of each array.
    pub(super) items: Vec<ArrayRef>,
    /// Where each row begins.
    pub(super) offsets: OffsetBuffer<i32>,
}

impl Zipped {
    pub(super) fn of(name: &'static str, lists: &[Col], rows: usize) -> DfResult<Self> {
        let mut items = Vec::new();
        let mut first: Option<OffsetBuffer<i32>> = None;
        for col in lists {
            let (offsets, own) = dense(name, col, rows)?;
            match &first {
                None => first = Some(offsets),
                Some(known) if *known == offsets => {}
                Some(_) => {
                    return Err(QueryError::new(
                        ErrorCode::SizesOfArraysDontMatch,
                        format!("Arrays passed to {name} must have equal size"),
                    )
                    .external());
                }
            }
            items.push(own);
        }
        Ok(Self {
            items,
            offsets: first.unwrap_or_else(|| OffsetBuffer::new_zeroed(rows)),
        })
    }

    /// Items of all rows.
    fn total(&self) -> usize {
        self.offsets
            .last()
            .map_or(0, |last| usize::try_from(*last).unwrap_or(0))
    }

    fn parts(&self) -> Vec<Range<usize>> {
        let total = self.total();
        (0..total)
            .step_by(CHUNK_ITEMS)
            .map(|start| start..total.min(start + CHUNK_ITEMS))
            .collect()
    }

    /// The value of the row to which each item of `part` belongs.
    fn repeated(&self, col: &Col, part: &Range<usize>) -> DfResult<ArrayRef> {
        let count = part.len();
        if col.constant {
            return col.full(count);
        }
        let bound = |offset: i32| usize::try_from(offset).unwrap_or(0);
        let mut row = self
            .offsets
            .partition_point(|offset| bound(*offset) <= part.start)
            .saturating_sub(1);
        let mut rows = Vec::with_capacity(count);
        for item in part.clone() {
            while self
                .offsets
                .get(row + 1)
                .is_some_and(|end| bound(*end) <= item)
            {
                row += 1;
            }
            rows.push(u64::try_from(row).unwrap_or(u64::MAX));
        }
        Ok(take(&col.array, &UInt64Array::from(rows), None)?)
    }
}

/// The items of an array column without gaps, and where each row begins.
fn dense(name: &'static str, col: &Col, rows: usize) -> DfResult<(OffsetBuffer<i32>, ArrayRef)> {
    if col.constant {
        check_total(name, rows.saturating_mul(length_of(&col.array)))?;
    }
    let full = col.full(rows)?;
    let lists = full.as_list::<i32>();
    let offsets = lists.value_offsets();
    let (start, end) = match (offsets.first(), offsets.last()) {
        (Some(start), Some(end)) => (*start, *end),
        _ => (0, 0),
    };
    let at = |offset: i32| usize::try_from(offset).unwrap_or(0);
    check_total(name, at(end - start))?;
    if lists.null_count() == 0 {
        let items = lists.values().slice(at(start), at(end - start));
        if start == 0 {
            return Ok((lists.offsets().clone(), items));
        }
        let lengths = lists.offsets().lengths();
        return Ok((OffsetBuffer::from_lengths(lengths), items));
    }
    // A row without an array has no items, whatever lies beneath.
    let mut picked = Vec::new();
    let mut lengths = Vec::with_capacity(rows);
    for row in 0..lists.len() {
        let before = picked.len();
        if lists.is_valid(row)
            && let (Some(from), Some(to)) = (offsets.get(row), offsets.get(row + 1))
        {
            picked.extend((at(*from)..at(*to)).map(|i| u64::try_from(i).unwrap_or(u64::MAX)));
        }
        lengths.push(picked.len() - before);
    }
    let items = take(lists.values(), &UInt64Array::from(picked), None)?;
    Ok((OffsetBuffer::from_lengths(lengths), items))
}

fn length_of(array: &ArrayRef) -> usize {
    array.as_list_opt::<i32>().map_or(0, |lists| {
        lists.offsets().lengths().next().unwrap_or_default()
    })
}

fn check_total(name: &'static str, total: usize) -> DfResult<()> {
    if total <= MAX_BATCH_ELEMENTS {
        return Ok(());
    }
    Err(QueryError::new(
        ErrorCode::TooLargeArraySize,
        format!(
            "Function {name}: the arrays of one batch have more than {MAX_BATCH_ELEMENTS} items"
        ),
    )
    .external())
}
