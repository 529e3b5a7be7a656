//! Columns of key-value sets: one set per row, or one set shared by many rows.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array, MapArray, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};
use cairn_storage::attributes_type;

use super::text::TextColumn;
use crate::error::{IngestError, Result};
use crate::notes::Notes;

/// Key-value sets one after the other. Whoever fills it writes each set's keys sorted and once.
#[derive(Debug)]
pub(crate) struct AttributesColumn {
    keys: TextColumn,
    values: TextColumn,
    ends: Vec<i32>,
}

/// Rows as numbers of distinct key-value sets.
#[derive(Debug)]
pub(crate) struct SharedAttributesColumn {
    rows: Vec<i32>,
    sets: AttributesColumn,
}

impl Default for AttributesColumn {
    fn default() -> Self {
        Self::new()
    }
}

impl AttributesColumn {
    pub(crate) fn new() -> Self {
        Self {
            keys: TextColumn::new(),
            values: TextColumn::new(),
            ends: vec![0],
        }
    }

    /// Appends a key of the current set; its value is written into the buffer and ended by
    /// [`Self::end_pair`].
    #[inline]
    pub(crate) fn begin_pair(&mut self, key: &[u8]) -> &mut Vec<u8> {
        self.keys.push(key);
        self.values.value_buffer()
    }

    /// Ends the value of the current pair.
    #[inline]
    pub(crate) fn end_pair(&mut self) {
        self.values.end_value();
    }

    /// Ends the current set.
    #[inline]
    pub(crate) fn end_set(&mut self) {
        self.ends
            .push(i32::try_from(self.keys.len()).unwrap_or(i32::MAX));
    }

    /// Sets so far.
    pub(crate) fn len(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.keys.bytes() + self.values.bytes() + self.ends.len() * size_of::<i32>()
    }

    /// The map array.
    pub(crate) fn finish(self, notes: &mut Notes) -> Result<ArrayRef> {
        let DataType::Map(entries_field, ordered) = attributes_type() else {
            return Err(IngestError::Internal("attributes are not a map".to_owned()));
        };
        let DataType::Struct(fields) = entries_field.data_type() else {
            return Err(IngestError::Internal(
                "the entries of a map are not a struct".to_owned(),
            ));
        };
        let keys: ArrayRef = Arc::new(self.keys.finish(notes)?);
        let values: ArrayRef = Arc::new(self.values.finish(notes)?);
        let entries = StructArray::try_new(fields.clone(), vec![keys, values], None)?;
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(MapArray::try_new(
            entries_field,
            ends,
            entries,
            None,
            ordered,
        )?))
    }
}

impl SharedAttributesColumn {
    pub(crate) fn new() -> Self {
        Self {
            rows: Vec::new(),
            sets: AttributesColumn::new(),
        }
    }

    /// The distinct sets, to append another.
    pub(crate) fn sets(&mut self) -> &mut AttributesColumn {
        &mut self.sets
    }

    /// Appends a row that has the set `key`.
    #[inline]
    pub(crate) fn push_key(&mut self, key: i32) {
        self.rows.push(key);
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.rows.len() * size_of::<i32>() + self.sets.bytes()
    }

    /// The dictionary array of maps.
    pub(crate) fn finish(self, notes: &mut Notes) -> Result<ArrayRef> {
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            Int32Array::from(self.rows),
            self.sets.finish(notes)?,
        )?))
    }
}
