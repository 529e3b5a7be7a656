//! What gathering rows needs whatever their column holds: places of rows, texts as codes, checked downcasts.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, DictionaryArray, Int32Array, PrimitiveArray, StringArray,
};
use arrow::datatypes::Int32Type;
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};

/// Where a row is: batch and row inside it.
pub(super) type Location = (u32, u32);

/// Distinct texts, numbered in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Interner {
    codes: FxHashMap<String, i32>,
}

impl Interner {
    /// The number of `text`.
    pub(super) fn intern(&mut self, text: &str) -> Result<i32> {
        if let Some(code) = self.codes.get(text) {
            return Ok(*code);
        }
        let code = i32::try_from(self.codes.len()).map_err(|_| out_of_range())?;
        self.codes.insert(text.to_owned(), code);
        Ok(code)
    }

    /// The texts in the order of their numbers.
    pub(super) fn into_values(self) -> StringArray {
        let mut texts: Vec<(i32, String)> = self
            .codes
            .into_iter()
            .map(|(text, code)| (code, text))
            .collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| Some(text)).collect()
    }
}

/// The array as what it must be.
pub(super) fn downcast<T: Array + 'static>(array: &ArrayRef) -> Result<&T> {
    array
        .as_any()
        .downcast_ref()
        .ok_or_else(|| Error::Internal {
            what: format!("a column has the unexpected type `{}`", array.data_type()),
        })
}

/// The array as numbers.
pub(super) fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> Result<&PrimitiveArray<T>> {
    downcast(array)
}

pub(super) fn dictionary(codes: Vec<i32>, values: &StringArray) -> Result<ArrayRef> {
    let array =
        DictionaryArray::<Int32Type>::try_new(Int32Array::from(codes), Arc::new(values.clone()))
            .map_err(gather_error)?;
    Ok(Arc::new(array))
}

pub(super) fn text_at(values: &StringArray, row: usize) -> &str {
    if values.is_null(row) {
        ""
    } else {
        values.value(row)
    }
}

pub(super) fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

pub(super) fn index_i32(number: i32) -> Result<usize> {
    usize::try_from(number).map_err(|_| out_of_range())
}

pub(super) fn out_of_range() -> Error {
    Error::Internal {
        what: "a row or offset of a flush is out of range".to_owned(),
    }
}

pub(super) fn gather_error(source: arrow::error::ArrowError) -> Error {
    Error::Arrow {
        what: "gathering the rows of a segment",
        source,
    }
}
