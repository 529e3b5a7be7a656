//! `arraySplit` and `arrayReverseSplit`: an array of arrays, cut before or after the flagged items.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListArray, UInt64Array};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::take;

use super::flags::{at, behind, each_flag, item_behind};
use crate::error::Result;
use crate::functions::kernel::Resolved;
use crate::functions::rows::list;
use crate::functions::signature::Call;
use crate::types::{Type, item_field};

pub(super) fn split(call: &Call<'_>, after: bool) -> Result<Resolved> {
    let item = item_behind(call)?;
    let piece = Type::Array(Box::new(item.clone()));
    let ty = Type::Array(Box::new(piece.clone()));
    Ok(Resolved::new(ty, move |cols, rows| {
        let (is_cut, lists) = (each_flag(cols)?, behind(cols)?);
        let (mut picked, mut pieces, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
        for row in 0..rows {
            let range = lists.range(row);
            let count = range.len();
            picked.extend(range.map(at));
            let before = pieces.len();
            let mut open = 0;
            for i in 0..count {
                // A cut before the first item or after the last one makes no empty piece.
                if !after && i > 0 && is_cut(row, i) {
                    pieces.push(open);
                    open = 0;
                }
                open += 1;
                if after && is_cut(row, i) {
                    pieces.push(open);
                    open = 0;
                }
            }
            if open > 0 {
                pieces.push(open);
            }
            lengths.push(pieces.len() - before);
        }
        let items = take(lists.items(), &UInt64Array::from(picked), None)?;
        let inner = ListArray::try_new(
            item_field(&item),
            OffsetBuffer::from_lengths(pieces),
            items,
            None,
        )?;
        let inner: ArrayRef = Arc::new(inner);
        list(&piece, lengths, inner, None)
    }))
}
