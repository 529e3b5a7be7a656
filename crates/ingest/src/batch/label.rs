//! A column of texts with few distinct values: a dictionary built while rows come.

use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, Int32Array};
use arrow::datatypes::Int32Type;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::text::TextColumn;
use crate::error::Result;
use crate::notes::Notes;

/// Rows as numbers of distinct texts. The hash is seeded per process, so that a sender cannot aim
/// for collisions; the numbers follow first appearance and do not depend on it.
#[derive(Debug)]
pub(crate) struct LabelColumn {
    keys: Vec<i32>,
    values: TextColumn,
    known: HashTable<i32>,
    hasher: DefaultHashBuilder,
    last: i32,
}

impl Default for LabelColumn {
    fn default() -> Self {
        Self::new()
    }
}

impl LabelColumn {
    pub(crate) fn new() -> Self {
        Self {
            keys: Vec::new(),
            values: TextColumn::new(),
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last: -1,
        }
    }

    /// Appends a row.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8]) {
        let key = self.intern(text);
        self.keys.push(key);
    }

    /// Appends a row with the text of `key`.
    #[inline]
    pub(crate) fn push_key(&mut self, key: i32) {
        self.keys.push(key);
    }

    /// The number of `text`, new or known.
    #[inline]
    pub(crate) fn intern(&mut self, text: &[u8]) -> i32 {
        // Neighbours are often equal: one comparison instead of a hash.
        if let Ok(last) = usize::try_from(self.last)
            && self.values.get(last) == text
        {
            return self.last;
        }
        self.last = self.look_up(text);
        self.last
    }

    fn look_up(&mut self, text: &[u8]) -> i32 {
        let values = &self.values;
        let value_of = |key: &i32| usize::try_from(*key).map_or(&[][..], |key| values.get(key));
        let hash = self.hasher.hash_one(text);
        if let Some(key) = self.known.find(hash, |key| value_of(key) == text) {
            return *key;
        }
        let key = i32::try_from(values.len()).unwrap_or(i32::MAX);
        let hasher = &self.hasher;
        self.known
            .insert_unique(hash, key, |key| hasher.hash_one(value_of(key)));
        self.values.push(text);
        key
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len() * size_of::<i32>()
            + self.values.bytes()
            + self.known.len() * size_of::<(i32, u8)>()
    }

    /// The dictionary array.
    pub(crate) fn finish(self, notes: &mut Notes) -> Result<ArrayRef> {
        let values = self.values.finish(notes)?;
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(
            Int32Array::from(self.keys),
            Arc::new(values),
        )?))
    }

    /// The texts of all rows, for columns whose write type is plain.
    pub(crate) fn finish_plain(self, notes: &mut Notes) -> Result<ArrayRef> {
        let mut plain = TextColumn::new();
        for key in &self.keys {
            plain.push(usize::try_from(*key).map_or(&[][..], |key| self.values.get(key)));
        }
        Ok(Arc::new(plain.finish(notes)?))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};

    use super::*;

    #[test]
    fn each_distinct_text_is_stored_once_in_order_of_appearance() {
        let mut column = LabelColumn::new();
        for text in ["b", "b", "a", "", "b", "a"] {
            column.push(text.as_bytes());
        }
        let array = column.finish(&mut Notes::default()).unwrap();
        let dictionary = array.as_dictionary::<Int32Type>();
        assert_eq!(dictionary.keys().values(), &[0, 0, 1, 2, 0, 1]);
        let values: Vec<_> = dictionary
            .values()
            .as_string::<i32>()
            .iter()
            .flatten()
            .collect();
        assert_eq!(values, ["b", "a", ""]);
    }

    #[test]
    fn many_distinct_texts_keep_their_numbers() {
        let mut column = LabelColumn::new();
        let texts: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
        for text in texts.iter().chain(&texts) {
            column.push(text.as_bytes());
        }
        let array = column.finish(&mut Notes::default()).unwrap();
        let dictionary = array.as_dictionary::<Int32Type>();
        assert_eq!(dictionary.values().len(), 10_000);
        assert_eq!(
            dictionary.keys().values()[..10_000],
            dictionary.keys().values()[10_000..]
        );
    }
}
