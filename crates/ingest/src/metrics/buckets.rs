//! Lists of numbers: bucket counts, bounds and quantiles.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, UInt64Array};
use cairn_storage::{ColumnKind, NumberType};

use crate::batch::{ListOffsets, list_array};
use crate::error::Result;
use crate::limits::MAX_BUCKETS_COUNT;
use crate::notes::Rejection;

/// A column of lists, and the list of the point being read.
#[derive(Debug)]
pub(super) struct NumberLists<T> {
    pending: Vec<T>,
    offsets: ListOffsets,
    items: Vec<T>,
}

impl<T> Default for NumberLists<T> {
    fn default() -> Self {
        Self {
            pending: Vec::new(),
            offsets: ListOffsets::new(),
            items: Vec::new(),
        }
    }
}

impl<T: Copy> NumberLists<T> {
    /// Another point begins.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    /// Adds an item to the list of the point. One more than allowed is kept, so that the bound shows.
    #[inline]
    pub(super) fn add(&mut self, item: T) {
        if self.pending.len() <= MAX_BUCKETS_COUNT {
            self.pending.push(item);
        }
    }

    /// The bound that the list passes, if any.
    pub(super) fn rejection(&self) -> Option<Rejection> {
        (self.pending.len() > MAX_BUCKETS_COUNT).then_some(Rejection::PartCount)
    }

    /// Appends the list of the point.
    pub(super) fn push(&mut self) {
        self.items.extend_from_slice(&self.pending);
        self.offsets.end_list(self.items.len());
    }

    /// Bytes held.
    pub(super) fn bytes(&self) -> usize {
        self.offsets.bytes() + self.items.len() * size_of::<T>()
    }
}

impl NumberLists<u64> {
    /// The array.
    pub(super) fn finish(self) -> Result<ArrayRef> {
        let list_type = ColumnKind::NumberList(NumberType::UInt64).write_type();
        let items = Arc::new(UInt64Array::from(self.items));
        list_array(&list_type, &self.offsets.finish(), items)
    }
}

impl NumberLists<f64> {
    /// The array.
    pub(super) fn finish(self) -> Result<ArrayRef> {
        let list_type = ColumnKind::NumberList(NumberType::Float64).write_type();
        let items = Arc::new(Float64Array::from(self.items));
        list_array(&list_type, &self.offsets.finish(), items)
    }
}
