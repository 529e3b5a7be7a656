//! Label columns of a flush: codes of one dictionary for all batches.

use arrow::array::{Array, ArrayRef, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;

use super::gather::{Interner, Location, dictionary, downcast, index, out_of_range, text_at};
use crate::error::Result;

/// A label column as codes of one dictionary.
#[derive(Debug)]
pub(super) struct LabelColumn {
    codes: Vec<Vec<i32>>,
    values: StringArray,
}

impl LabelColumn {
    /// The column of rows whose values are already numbered.
    pub(super) fn new(codes: Vec<Vec<i32>>, values: StringArray) -> Self {
        Self { codes, values }
    }

    pub(super) fn prepare<'a>(arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<Self> {
        let mut interner = Interner::default();
        let mut codes = Vec::new();
        for array in arrays {
            let dictionary: &DictionaryArray<Int32Type> = downcast(array)?;
            let values: &StringArray = downcast(dictionary.values())?;
            // Only values that rows use are interned: the dictionary is also the exact list of what occurs.
            let mut remap = vec![-1_i32; values.len()];
            let mut batch = Vec::with_capacity(dictionary.len());
            for key in dictionary.keys() {
                let known = key
                    .and_then(|key| usize::try_from(key).ok())
                    .and_then(|key| remap.get_mut(key).map(|code| (key, code)));
                batch.push(match known {
                    Some((_, code)) if *code >= 0 => *code,
                    Some((key, code)) => {
                        *code = interner.intern(text_at(values, key))?;
                        *code
                    }
                    None => interner.intern("")?,
                });
            }
            codes.push(batch);
        }
        Ok(Self {
            codes,
            values: interner.into_values(),
        })
    }

    /// The codes of each batch.
    pub(super) fn batches(&self) -> impl Iterator<Item = &Vec<i32>> {
        self.codes.iter()
    }

    /// The code of the row at `location`.
    pub(super) fn code(&self, (batch, row): Location) -> Result<i32> {
        let codes = self.codes.get(index(batch));
        let code = codes.and_then(|codes| codes.get(index(row)));
        code.copied().ok_or_else(out_of_range)
    }

    /// Position of each code's value in byte order.
    pub(super) fn ranks(&self) -> Vec<u32> {
        let mut order: Vec<usize> = (0..self.values.len()).collect();
        order.sort_unstable_by_key(|code| self.values.value(*code));
        let mut ranks = vec![0; order.len()];
        for (rank, code) in (0_u32..).zip(order) {
            if let Some(slot) = ranks.get_mut(code) {
                *slot = rank;
            }
        }
        ranks
    }

    /// The labels of the rows at `locations`.
    pub(super) fn gather(&self, locations: &[Location]) -> Result<ArrayRef> {
        let codes: Vec<i32> = locations
            .iter()
            .map(|location| self.code(*location))
            .collect::<Result<_>>()?;
        dictionary(codes, &self.values)
    }
}
