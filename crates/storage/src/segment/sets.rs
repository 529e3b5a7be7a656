//! Sets of attributes that many rows share, as texts: a JSON object each. Written by the flush, expanded again as they
//! are read, once per dictionary and not once per row.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, MapArray, RecordBatch, StringArray};
use arrow::array::{StringBuilder, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::gather::{gather_error, out_of_range};
use crate::error::{Error, Result};
use crate::schema::attributes_type;

/// The text of a set.
pub(super) fn set_text(pairs: &[(&str, &str)]) -> Result<String> {
    serde_json::to_string(&Written(pairs)).map_err(|error| Error::Internal {
        what: format!("a set of attributes has no text: {error}"),
    })
}

struct Written<'a>(&'a [(&'a str, &'a str)]);

impl Serialize for Written<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

/// The pairs of a set in the order of its text, repeated keys too.
struct Pairs(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Pairs;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Pairs, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// The sets behind `texts`; none when one of them is not the text of a set.
pub(super) fn parse_sets(texts: &StringArray) -> Result<Option<MapArray>> {
    let (mut keys, mut values) = (StringBuilder::new(), StringBuilder::new());
    let mut offsets = vec![0_i32];
    let mut entries = 0_i32;
    for text in texts {
        let Ok(Pairs(pairs)) = serde_json::from_str(text.unwrap_or_default()) else {
            return Ok(None);
        };
        for (key, value) in pairs {
            keys.append_value(key);
            values.append_value(value);
            entries = entries.checked_add(1).ok_or_else(out_of_range)?;
        }
        offsets.push(entries);
    }
    map_of(offsets, &keys.finish(), &values.finish()).map(Some)
}

/// A map column of `attributes_type`.
pub(super) fn map_of(
    offsets: Vec<i32>,
    keys: &StringArray,
    values: &StringArray,
) -> Result<MapArray> {
    let DataType::Map(field, sorted) = attributes_type() else {
        return Err(out_of_range());
    };
    let DataType::Struct(fields) = field.data_type() else {
        return Err(out_of_range());
    };
    let columns: Vec<ArrayRef> = vec![Arc::new(keys.clone()), Arc::new(values.clone())];
    let entries = StructArray::try_new(fields.clone(), columns, None).map_err(gather_error)?;
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    MapArray::try_new(field, offsets, entries, None, sorted).map_err(gather_error)
}

/// Expands the set columns of batches that come from one row group.
#[derive(Debug)]
pub(super) struct SetExpander {
    /// Names of the columns.
    names: Vec<String>,
    /// The dictionaries that were expanded last, one per column. Holding the texts keeps their address unique.
    seen: Vec<(StringArray, ArrayRef)>,
}

impl SetExpander {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            names: names.map(str::to_owned).collect(),
            seen: Vec::new(),
        }
    }

    /// The batch with maps, shared by rows, in place of texts; none when a text is not that of a set.
    pub(super) fn expand(&mut self, batch: RecordBatch) -> Result<Option<RecordBatch>> {
        let has_sets = |field: &Arc<Field>| self.names.iter().any(|name| name == field.name());
        if !batch.schema().fields().iter().any(has_sets) {
            return Ok(Some(batch));
        }
        let mut fields = Vec::with_capacity(batch.num_columns());
        let mut columns = Vec::with_capacity(batch.num_columns());
        for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
            let texts = column.as_dictionary_opt::<Int32Type>();
            let Some(texts) = texts.filter(|_| self.names.contains(field.name())) else {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
                continue;
            };
            let Some(sets) = self.sets_of(fields.len(), texts.values())? else {
                return Ok(None);
            };
            let shared =
                DictionaryArray::try_new(texts.keys().clone(), sets).map_err(gather_error)?;
            let data_type = shared.data_type().clone();
            fields.push(Arc::new(Field::new(field.name(), data_type, false)));
            columns.push(Arc::new(shared));
        }
        let schema = Arc::new(Schema::new(fields));
        RecordBatch::try_new(schema, columns)
            .map(Some)
            .map_err(gather_error)
    }

    fn sets_of(&mut self, column: usize, texts: &ArrayRef) -> Result<Option<ArrayRef>> {
        let texts = texts.as_string_opt::<i32>().ok_or_else(out_of_range)?;
        let same = |seen: &StringArray| {
            seen.value_data().as_ptr() == texts.value_data().as_ptr() && seen.len() == texts.len()
        };
        if let Some((seen, sets)) = self.seen.get(column)
            && same(seen)
        {
            return Ok(Some(Arc::clone(sets)));
        }
        let Some(sets) = parse_sets(texts)? else {
            return Ok(None);
        };
        let sets: ArrayRef = Arc::new(sets);
        let nothing = || (StringArray::new_null(0), Arc::clone(&sets));
        self.seen
            .resize_with(self.seen.len().max(column.saturating_add(1)), nothing);
        if let Some(slot) = self.seen.get_mut(column) {
            *slot = (texts.clone(), Arc::clone(&sets));
        }
        Ok(Some(sets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let texts = StringArray::from(vec![set_text(pairs).unwrap()]);
        let map = parse_sets(&texts).unwrap().unwrap();
        let (keys, values) = (map.keys().as_string::<i32>(), map.values());
        let values = values.as_string::<i32>();
        (0..keys.len())
            .map(|n| (keys.value(n).to_owned(), values.value(n).to_owned()))
            .collect()
    }

    #[test]
    fn any_set_comes_back_as_it_was() {
        let sets: [&[(&str, &str)]; 4] = [
            &[],
            &[("", "")],
            &[("a", "1"), ("a", "2"), ("b", "")],
            &[("k.e\"y\\", "\u{0}\n\u{1F600}é{}"), ("null", "null")],
        ];
        for set in sets {
            let expected: Vec<_> = set
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            assert_eq!(round_trip(set), expected);
        }
    }

    #[test]
    fn what_is_not_a_set_is_told_apart() {
        for text in [
            "",
            "null",
            "[]",
            "{\"a\":1}",
            "{\"a\":\"1\"",
            "{\"a\":null}",
        ] {
            let texts = StringArray::from(vec![text]);
            assert!(parse_sets(&texts).unwrap().is_none(), "{text}");
        }
    }
}
