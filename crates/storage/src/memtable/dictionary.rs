//! Joins dictionary columns so that equal values are stored once. Arrow's own `concat` keeps every copy of a map, which
//! for one-row batches would be one set of resource attributes a row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array};
use arrow::compute::interleave;
use arrow::datatypes::Int32Type;
use hashbrown::HashMap;

use crate::error::{Error, Result};

/// Where a distinct value is: part, and position in the part's values.
type Place = (usize, usize);

/// One dictionary column of all rows of `parts`, which are dictionaries of one type with `Int32` keys.
pub(super) fn concat(parts: &[&dyn Array]) -> Result<ArrayRef> {
    let parts = parts
        .iter()
        .map(|part| part.as_any().downcast_ref::<DictionaryArray<Int32Type>>())
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| unexpected("a dictionary with other keys than `Int32`"))?;
    let mut known: HashMap<Box<[u8]>, i32> = HashMap::new();
    let mut places: Vec<Place> = Vec::new();
    let mut keys: Vec<Option<i32>> = Vec::new();
    let mut bytes = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let mut new_key_of: Vec<Option<i32>> = vec![None; part.values().len()];
        for key in part.keys() {
            let Some(old) = key.and_then(|key| usize::try_from(key).ok()) else {
                keys.push(None);
                continue;
            };
            let slot = new_key_of
                .get_mut(old)
                .ok_or_else(|| unexpected("a dictionary key without a value"))?;
            if slot.is_none() {
                bytes.clear();
                value_bytes(part.values(), old, &mut bytes)?;
                *slot = Some(match known.get(bytes.as_slice()) {
                    Some(new) => *new,
                    None => {
                        let new = i32::try_from(places.len())
                            .map_err(|_| unexpected("too many dictionary values"))?;
                        places.push((at, old));
                        known.insert(bytes.as_slice().into(), new);
                        new
                    }
                });
            }
            keys.push(*slot);
        }
    }
    let values: Vec<&dyn Array> = parts.iter().map(|part| part.values().as_ref()).collect();
    let values = interleave(&values, &places).map_err(joining)?;
    let joined = DictionaryArray::try_new(Int32Array::from(keys), values).map_err(joining)?;
    Ok(Arc::new(joined))
}

fn joining(source: arrow::error::ArrowError) -> Error {
    Error::Arrow {
        what: "joining dictionaries",
        source,
    }
}

fn unexpected(what: &str) -> Error {
    Error::Internal {
        what: what.to_owned(),
    }
}

/// Bytes that are equal exactly when the values are.
fn value_bytes(values: &ArrayRef, at: usize, bytes: &mut Vec<u8>) -> Result<()> {
    if let Some(texts) = values.as_string_opt::<i32>() {
        bytes.extend_from_slice(texts.value(at).as_bytes());
        return Ok(());
    }
    let maps = values
        .as_map_opt()
        .ok_or_else(|| unexpected("a dictionary of neither texts nor maps"))?;
    for column in maps.value(at).columns() {
        let texts = column
            .as_string_opt::<i32>()
            .ok_or_else(|| unexpected("a map that does not hold texts"))?;
        for text in texts {
            let text = text.unwrap_or_default();
            let len = u64::try_from(text.len()).unwrap_or(u64::MAX);
            bytes.extend_from_slice(&len.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    Ok(())
}
