//! `arrayFold`: the body sees what it answered for the item before.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, UInt64Array};
use datafusion::arrow::compute::{interleave, take};
use datafusion::error::Result as DfResult;

use super::body::{Body, Zipped};
use crate::functions::kernel::{Col, Resolved};
use crate::functions::rows::arg;
use crate::types::Type;

/// The last answer. The columns are `arrays` arrays, the first accumulator, and what the body uses from outside; the
/// body takes the accumulator, the items, and what is from outside.
pub(crate) fn folded(ty: &Type, arrays: usize, body: Arc<Body>) -> Resolved {
    Resolved::new(ty.clone(), move |cols, rows| {
        let zipped = Zipped::of("arrayFold", cols.get(..arrays).unwrap_or_default(), rows)?;
        let outside = cols.get(arrays + 1..).unwrap_or_default();
        let mut answer = arg(cols, arrays)?.full(rows)?;
        let starts: Vec<usize> = zipped
            .offsets
            .iter()
            .map(|offset| usize::try_from(*offset).unwrap_or(0))
            .collect();
        let mut step = 0;
        loop {
            // Rows that still have an item, and the item's position.
            let (active, items): (Vec<u64>, Vec<u64>) = starts
                .windows(2)
                .enumerate()
                .filter_map(|(row, bounds)| match bounds {
                    [start, end] if start + step < *end => Some((at(row), at(start + step))),
                    _ => None,
                })
                .unzip();
            if active.is_empty() {
                return Ok(answer);
            }
            answer = next(&answer, &zipped.items, outside, active, items, &*body)?;
            step += 1;
        }
    })
}

fn next(
    answer: &ArrayRef,
    arrays: &[ArrayRef],
    outside: &[Col],
    active: Vec<u64>,
    items: Vec<u64>,
    body: &Body,
) -> DfResult<ArrayRef> {
    let count = active.len();
    let rows = UInt64Array::from(active);
    let items = UInt64Array::from(items);
    let mut inputs = vec![take(answer, &rows, None)?];
    for array in arrays {
        inputs.push(take(array, &items, None)?);
    }
    for col in outside {
        inputs.push(if col.constant {
            col.full(count)?
        } else {
            take(&col.array, &rows, None)?
        });
    }
    let fresh = body(inputs, count)?;
    if count == answer.len() {
        return Ok(fresh);
    }
    let mut picks: Vec<(usize, usize)> = (0..answer.len()).map(|row| (0, row)).collect();
    for (position, row) in rows.values().iter().enumerate() {
        let row = usize::try_from(*row).unwrap_or(usize::MAX);
        if let Some(pick) = picks.get_mut(row) {
            *pick = (1, position);
        }
    }
    let sources: [&dyn Array; 2] = [answer, &fresh];
    Ok(interleave(&sources, &picks)?)
}

fn at(i: usize) -> u64 {
    u64::try_from(i).unwrap_or(u64::MAX)
}
