//! A column of texts.

use arrow::array::StringArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};

use crate::error::Result;
use crate::notes::Notes;

/// Texts one after the other, with where each ends. Bytes stay as they came until the column is
/// finished.
#[derive(Debug)]
pub(crate) struct TextColumn {
    values: Vec<u8>,
    offsets: Vec<i32>,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self::new()
    }
}

impl TextColumn {
    pub(crate) fn new() -> Self {
        Self {
            values: Vec::new(),
            offsets: vec![0],
        }
    }

    /// Appends one text.
    #[inline]
    pub(crate) fn push(&mut self, text: &[u8]) {
        self.values.extend_from_slice(text);
        self.end_value();
    }

    /// Where the next text is written; [`Self::end_value`] ends it.
    #[inline]
    pub(crate) fn value_buffer(&mut self) -> &mut Vec<u8> {
        &mut self.values
    }

    /// Ends the text that was written into [`Self::value_buffer`].
    #[inline]
    pub(crate) fn end_value(&mut self) {
        // A request's columns are bounded far below 2 GiB, and the bound is checked after every
        // record.
        self.offsets
            .push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }

    pub(crate) fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Bytes of the text at `index`.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let end_of = |index: usize| {
            self.offsets
                .get(index)
                .and_then(|offset| usize::try_from(*offset).ok())
                .unwrap_or(0)
        };
        self.values
            .get(end_of(index)..end_of(index + 1))
            .unwrap_or_default()
    }

    /// Bytes held.
    #[inline]
    pub(crate) fn bytes(&self) -> usize {
        self.values.len() + self.offsets.len() * size_of::<i32>()
    }

    /// The array. Invalid UTF-8 is replaced as `String::from_utf8_lossy` does, and counted per
    /// text.
    pub(crate) fn finish(self, notes: &mut Notes) -> Result<StringArray> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        let values = Buffer::from_vec(self.values);
        if let Ok(array) = StringArray::try_new(offsets.clone(), values.clone(), None) {
            return Ok(array);
        }
        repair(&offsets, &values, notes)
    }
}

/// Goes through every text. The whole may be valid although a text is not: a character cut in two
/// by a border.
#[cold]
fn repair(offsets: &OffsetBuffer<i32>, values: &[u8], notes: &mut Notes) -> Result<StringArray> {
    let mut repaired = TextColumn::new();
    for range in offsets.windows(2) {
        let [start, end] = [0, 1].map(|side| {
            range
                .get(side)
                .and_then(|offset| usize::try_from(*offset).ok())
                .unwrap_or(0)
        });
        let text = values.get(start..end).unwrap_or_default();
        if simdutf8::basic::from_utf8(text).is_ok() {
            repaired.push(text);
        } else {
            notes.invalid_utf8 += 1;
            repaired.push(String::from_utf8_lossy(text).as_bytes());
        }
    }
    Ok(StringArray::try_new(
        OffsetBuffer::new(ScalarBuffer::from(repaired.offsets)),
        Buffer::from_vec(repaired.values),
        None,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(texts: &[&[u8]], expect: &[&str], repaired: u64) {
        let mut column = TextColumn::new();
        for text in texts {
            column.push(text);
        }
        assert_eq!(column.len(), texts.len());
        for (index, text) in texts.iter().enumerate() {
            assert_eq!(column.get(index), *text);
        }
        let mut notes = Notes::default();
        let array = column.finish(&mut notes).unwrap();
        let found: Vec<&str> = array.iter().map(Option::unwrap).collect();
        assert_eq!(found, expect);
        assert_eq!(notes.invalid_utf8, repaired);
    }

    #[test]
    fn only_invalid_texts_are_repaired_and_counted() {
        check(&[], &[], 0);
        check(&[b"", b"a", b""], &["", "a", ""], 0);
        check(
            &[b"ok", b"\xff", "\u{e9}".as_bytes(), b"a\xf0\x9f\x98"],
            &["ok", "\u{fffd}", "\u{e9}", "a\u{fffd}"],
            2,
        );
    }

    #[test]
    fn a_character_cut_in_two_by_a_border_is_repaired_on_both_sides() {
        check(&[b"\xc3", b"\xa9"], &["\u{fffd}", "\u{fffd}"], 2);
    }
}
