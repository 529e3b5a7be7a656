//! Hashes of values of any type, put together from hashes of bytes.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Decimal128Type, UInt64Type};
use datafusion::error::Result as DfResult;

use super::mix::salted_64;
use crate::error::{ErrorCode, QueryError};
use crate::functions::kernel::Col;
use crate::functions::rows::Numbers as Read;
use crate::types::Type;

/// What becomes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Numbers {
    /// Its bits are mixed.
    Mixed64,
    /// Its bytes are hashed.
    Bytes,
}

/// One way to hash.
pub(super) struct Algorithm {
    pub(super) bytes: fn(&[u8]) -> u64,
    pub(super) combine: fn(u64, u64) -> u64,
    pub(super) numbers: Numbers,
}

impl Algorithm {
    fn number(&self, bits: u64, bytes: usize) -> u64 {
        match self.numbers {
            // Narrow numbers are not extended by their sign.
            Numbers::Mixed64 if bytes < 8 => salted_64(bits & ((1 << (8 * bytes)) - 1)),
            Numbers::Mixed64 => salted_64(bits),
            Numbers::Bytes => {
                let all = bits.to_le_bytes();
                (self.bytes)(all.get(..bytes).unwrap_or(&all))
            }
        }
    }
}

/// One hash per row over all arguments. ClickHouse's answer without arguments is a constant.
pub(super) fn hashes(
    algorithm: &Algorithm,
    types: &[Type],
    cols: &[Col],
    rows: usize,
) -> DfResult<Vec<u64>> {
    let mut all: Option<Vec<u64>> = None;
    for (ty, col) in types.iter().zip(cols) {
        let own = of_array(algorithm, ty, &col.array)?;
        let parts = |row: usize| own.get(col.at(row)).map_or(&[][..], Vec::as_slice);
        add(algorithm, &mut all, parts, rows);
    }
    Ok(all.unwrap_or_else(|| vec![0xe28d_be7b_be6e_6aa6; rows]))
}

/// A tuple is the sequence of its parts, as if they were arguments.
fn add<'a>(
    algorithm: &Algorithm,
    all: &mut Option<Vec<u64>>,
    own: impl Fn(usize) -> &'a [u64],
    rows: usize,
) {
    let join = |state: Option<u64>, row: usize| {
        own(row).iter().fold(state, |state, hash| {
            Some(state.map_or(*hash, |state| (algorithm.combine)(state, *hash)))
        })
    };
    let joined = (0..rows).map(|row| {
        let before = all.as_ref().and_then(|all| all.get(row).copied());
        join(before, row).unwrap_or(0)
    });
    *all = Some(joined.collect());
}

/// The hashes of each row: several for a tuple, else one.
fn of_array(algorithm: &Algorithm, ty: &Type, array: &ArrayRef) -> DfResult<Vec<Vec<u64>>> {
    match ty {
        Type::Nullable(inner) | Type::LowCardinality(inner) => of_array(algorithm, inner, array),
        Type::Tuple(items) => {
            let mut all = vec![Vec::new(); array.len()];
            let columns = array.as_struct().columns();
            for ((_, item), column) in items.iter().zip(columns) {
                for (row, parts) in all.iter_mut().zip(of_array(algorithm, item, column)?) {
                    row.extend(parts);
                }
            }
            Ok(all)
        }
        Type::Array(item) => {
            let list = array.as_list::<i32>();
            let items = of_array(algorithm, item, list.values())?;
            Ok(sequences(algorithm, list.value_offsets(), &items))
        }
        Type::Map(key, value) => {
            let map = array.as_map();
            let mut items = of_array(algorithm, key, map.keys())?;
            let values = of_array(algorithm, value, map.values())?;
            for (entry, parts) in items.iter_mut().zip(values) {
                entry.extend(parts);
            }
            Ok(sequences(algorithm, map.value_offsets(), &items))
        }
        _ => scalars(algorithm, ty, array).map(|all| all.into_iter().map(|h| vec![h]).collect()),
    }
}

/// The number of items, then each of them.
fn sequences(algorithm: &Algorithm, offsets: &[i32], items: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let position = |offset: &i32| usize::try_from(*offset).unwrap_or(0);
    let bounds = offsets.iter().zip(offsets.iter().skip(1));
    bounds
        .map(|(from, to)| {
            let range = position(from)..position(to);
            let count = u64::try_from(range.len()).unwrap_or(0);
            let mut hash = algorithm.number(count, 8);
            for part in items.get(range).unwrap_or_default().iter().flatten() {
                hash = (algorithm.combine)(hash, *part);
            }
            vec![hash]
        })
        .collect()
}

fn scalars(algorithm: &Algorithm, ty: &Type, array: &ArrayRef) -> DfResult<Vec<u64>> {
    if let Some(texts) = array.as_string_view_opt() {
        return Ok((0..array.len())
            .map(|row| (algorithm.bytes)(texts.value(row).as_bytes()))
            .collect());
    }
    if let Some(ids) = array.as_fixed_size_binary_opt() {
        // Two words, each with its lowest byte first.
        let swapped = |bytes: &[u8]| -> Vec<u8> {
            let halves = bytes.chunks(8);
            halves.flat_map(|half| half.iter().rev().copied()).collect()
        };
        return Ok((0..array.len())
            .map(|row| (algorithm.bytes)(&swapped(ids.value(row))))
            .collect());
    }
    if let (Type::Decimal(precision, _), Some(units)) =
        (ty, array.as_primitive_opt::<Decimal128Type>())
    {
        let width = match precision {
            0..=9 => 4,
            10..=18 => 8,
            _ => 16,
        };
        return Ok(units
            .values()
            .iter()
            .map(|units| {
                let bytes = units.to_le_bytes();
                if width == 16 {
                    return (algorithm.bytes)(&bytes);
                }
                let low = u64::try_from(*units & 0xffff_ffff_ffff_ffff).unwrap_or(0);
                algorithm.number(low, width)
            })
            .collect());
    }
    numbers(algorithm, ty, array)
}

fn numbers(algorithm: &Algorithm, ty: &Type, array: &ArrayRef) -> DfResult<Vec<u64>> {
    use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type};
    let bits: Vec<u64> = match array.data_type() {
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values().iter();
            values.map(|v| v.to_bits()).collect()
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values().iter();
            values.map(|v| u64::from(v.to_bits())).collect()
        }
        DataType::Null => return Ok(vec![0; array.len()]),
        _ => {
            let col = [Col {
                array: Arc::clone(array),
                constant: false,
            }];
            let values = Read::<UInt64Type>::of(&col, 0).map_err(|_| {
                QueryError::new(
                    ErrorCode::IllegalTypeOfArgument,
                    format!("values of type {ty} cannot be hashed"),
                )
                .external()
            })?;
            (0..array.len()).map(|row| values.get(row)).collect()
        }
    };
    let width = array.data_type().primitive_width().unwrap_or(1);
    Ok(bits
        .into_iter()
        .map(|bits| algorithm.number(bits, width))
        .collect())
}
