//! The largest and smallest of several numbers.

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{
    DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type,
    UInt16Type, UInt32Type, UInt64Type,
};
use datafusion::error::Result as DfResult;

use super::decimal::units;
use crate::functions::kernel::Col;
use crate::functions::rows::{Numbers, optional_numbers, validity};

/// The larger or smaller of numbers, for `greatest` and `least`.
pub(in crate::functions) fn extreme(
    cols: &[Col],
    rows: usize,
    to: &DataType,
    largest: bool,
) -> DfResult<ArrayRef> {
    macro_rules! pick {
        ($ty:ty) => {{
            let mut all = Vec::with_capacity(cols.len());
            for i in 0..cols.len() {
                all.push(Numbers::<$ty>::of(cols, i)?);
            }
            let masks: Vec<_> = cols
                .iter()
                .map(|c| validity(std::slice::from_ref(c), rows))
                .collect();
            optional_numbers::<$ty>(&[], rows, |row| {
                let mut best = None;
                for (values, mask) in all.iter().zip(&masks) {
                    if mask.as_ref().is_some_and(|m| m.is_null(row)) {
                        continue;
                    }
                    let value = values.get(row);
                    let better = best.is_none_or(|b| if largest { value > b } else { value < b });
                    if better {
                        best = Some(value);
                    }
                }
                Ok(best)
            })
        }};
    }
    match to {
        DataType::UInt8 => pick!(UInt8Type),
        DataType::UInt16 => pick!(UInt16Type),
        DataType::UInt32 => pick!(UInt32Type),
        DataType::UInt64 => pick!(UInt64Type),
        DataType::Int8 => pick!(Int8Type),
        DataType::Int16 => pick!(Int16Type),
        DataType::Int32 => pick!(Int32Type),
        DataType::Int64 => pick!(Int64Type),
        DataType::Float32 => pick!(Float32Type),
        _ => pick!(Float64Type),
    }
}

/// `greatest` and `least` of 64-bit integers with and without sign.
pub(in crate::functions) fn wide_extreme(
    cols: &[Col],
    rows: usize,
    largest: bool,
) -> DfResult<ArrayRef> {
    let all = cols
        .iter()
        .map(|col| units(&col.array))
        .collect::<DfResult<Vec<_>>>()?;
    optional_numbers::<UInt64Type>(&[], rows, |row| {
        let present = cols
            .iter()
            .zip(&all)
            .filter(|(col, _)| col.array.is_valid(col.at(row)));
        let values = present.map(|(col, (units, _))| units.value(col.at(row)));
        let best = if largest { values.max() } else { values.min() };
        // The low 64 bits; the caller knows the sign.
        Ok(best.and_then(|v| u64::try_from(v & i128::from(u64::MAX)).ok()))
    })
}
