//! A column of trace or span ids; absent ones are NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryArray};
use arrow::buffer::{Buffer, NullBuffer};

use crate::error::Result;
use crate::ids::WireId;
use crate::notes::Notes;

/// Ids of `N` bytes.
#[derive(Debug)]
pub(crate) struct IdColumn<const N: usize> {
    values: Vec<u8>,
    present: Vec<bool>,
}

impl<const N: usize> IdColumn<N> {
    pub(crate) fn new() -> Self {
        Self {
            values: Vec::new(),
            present: Vec::new(),
        }
    }

    /// Appends what stands in an id field.
    #[inline]
    pub(crate) fn push(&mut self, bytes: &[u8], notes: &mut Notes) {
        let id = match WireId::<N>::read(bytes) {
            WireId::Present(id) => Some(id),
            WireId::Absent => None,
            WireId::Invalid => {
                notes.invalid_ids += 1;
                None
            }
        };
        self.present.push(id.is_some());
        self.values.extend_from_slice(&id.unwrap_or([0; N]));
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.present.len()
    }

    /// The array.
    pub(crate) fn finish(self) -> Result<ArrayRef> {
        let width = i32::try_from(N).unwrap_or(i32::MAX);
        let nulls = self
            .present
            .contains(&false)
            .then(|| NullBuffer::from(self.present));
        Ok(Arc::new(FixedSizeBinaryArray::try_new(
            width,
            Buffer::from_vec(self.values),
            nulls,
        )?))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn absent_ids_are_null_and_wrong_ones_counted() {
        let mut column = IdColumn::<8>::new();
        let mut notes = Notes::default();
        for bytes in [&[1u8; 8][..], &[], &[0; 8], &[1; 7]] {
            column.push(bytes, &mut notes);
        }
        let array = column.finish().unwrap();
        let ids = array.as_fixed_size_binary();
        assert_eq!(ids.value(0), [1; 8]);
        assert_eq!(ids.null_count(), 3);
        assert_eq!(notes.invalid_ids, 1);
    }
}
