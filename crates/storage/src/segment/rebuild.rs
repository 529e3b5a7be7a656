//! Whole maps from what the file holds of them: promoted keys and the rest, merged in the order of their keys.

use arrow::array::{Array, AsArray, MapArray, StringArray, StringBuilder, StringViewArray};

use super::gather::{index_i32, out_of_range};
use super::sets::map_of;
use crate::error::Result;

/// The maps of some rows. `promoted` is in the order of its keys; where a value is NULL the map does not have the key.
pub(crate) fn rebuild(rest: &MapArray, promoted: &[(&str, &StringViewArray)]) -> Result<MapArray> {
    if promoted.is_empty() {
        return Ok(rest.clone());
    }
    let mut entries = Entries {
        rest_keys: rest.keys().as_string_opt().ok_or_else(out_of_range)?,
        rest_values: rest.values().as_string_opt().ok_or_else(out_of_range)?,
        keys: StringBuilder::new(),
        values: StringBuilder::new(),
        count: 0,
    };
    let mut offsets = Vec::with_capacity(rest.len().saturating_add(1));
    offsets.push(0_i32);
    for (row, window) in rest.value_offsets().windows(2).enumerate() {
        let [start, end] = window else { continue };
        let mut left = index_i32(*start)?..index_i32(*end)?;
        for (key, values) in promoted {
            if values.is_null(row) {
                continue;
            }
            while left.start < left.end && entries.rest_keys.value(left.start) < *key {
                entries.push_rest(left.start);
                left.start += 1;
            }
            entries.push(key, values.value(row));
        }
        for entry in left {
            entries.push_rest(entry);
        }
        offsets.push(i32::try_from(entries.count).map_err(|_| out_of_range())?);
    }
    map_of(offsets, &entries.keys.finish(), &entries.values.finish())
}

struct Entries<'a> {
    rest_keys: &'a StringArray,
    rest_values: &'a StringArray,
    keys: StringBuilder,
    values: StringBuilder,
    count: usize,
}

impl Entries<'_> {
    fn push(&mut self, key: &str, value: &str) {
        self.keys.append_value(key);
        self.values.append_value(value);
        self.count += 1;
    }

    fn push_rest(&mut self, entry: usize) {
        let (key, value) = (self.rest_keys.value(entry), self.rest_values.value(entry));
        self.keys.append_value(key);
        self.values.append_value(value);
        self.count += 1;
    }
}
