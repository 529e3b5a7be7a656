//! Where the lists of a list column end.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::DataType;

use super::list_item;
use crate::error::{IngestError, Result};

/// The borders of lists; parallel list columns (all parts of a span's events) share one.
#[derive(Debug)]
pub(crate) struct ListOffsets(Vec<i32>);

impl Default for ListOffsets {
    fn default() -> Self {
        Self::new()
    }
}

impl ListOffsets {
    pub(crate) fn new() -> Self {
        Self(vec![0])
    }

    /// Ends a list after `total_items` items of all lists so far.
    #[inline]
    pub(crate) fn end_list(&mut self, total_items: usize) {
        self.0.push(i32::try_from(total_items).unwrap_or(i32::MAX));
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.0.len() * size_of::<i32>()
    }

    /// The borders, ready to be shared by several arrays.
    pub(crate) fn finish(self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(ScalarBuffer::from(self.0))
    }
}

/// The list column of `list_type` made of `items` and their borders.
pub(crate) fn list_array(
    list_type: &DataType,
    offsets: &OffsetBuffer<i32>,
    items: ArrayRef,
) -> Result<ArrayRef> {
    let item = list_item(list_type)
        .ok_or_else(|| IngestError::Internal(format!("`{list_type}` is not a list")))?;
    Ok(Arc::new(ListArray::try_new(
        item,
        offsets.clone(),
        items,
        None,
    )?))
}
