//! Map columns of a flush: rows refer to sets of entries, keys are codes of one dictionary, and keys that are worth it
//! are split off into columns of their own.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StringArray, StringBuilder, StructArray};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use rustc_hash::FxHashMap;

use super::gather::{
    Interner, Location, dictionary, downcast, gather_error, index, index_i32, out_of_range,
};
use super::labels::LabelColumn;
use super::promote::{KeyUse, PromoteLimits, Sample, choose};
use super::sets::set_text;
use crate::error::Result;

/// A map column of all batches of a flush.
#[derive(Debug)]
pub(super) struct MapColumn {
    batches: Vec<MapBatch>,
    keys: StringArray,
    /// In the order of their keys.
    promoted: Vec<Promoted>,
    /// Position in `promoted` by key code.
    slots: Vec<Option<usize>>,
}

/// A key that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Promoted {
    /// The key.
    pub(super) key: String,
    /// Whether its values repeat enough for a dictionary.
    pub(super) dictionary: bool,
}

/// Sets that rows share, each as one text.
#[derive(Debug)]
pub(super) struct SetColumn {
    texts: LabelColumn,
    /// Key codes of each set.
    keys_of: Vec<Vec<i32>>,
    keys: StringArray,
}

#[derive(Debug)]
struct MapBatch {
    /// The set of each row; none when row n has set n.
    sets: Option<Vec<u32>>,
    /// Entries of set n: `offsets[n]..offsets[n + 1]`.
    offsets: Vec<i32>,
    key_codes: Vec<i32>,
    values: StringArray,
}

impl MapColumn {
    /// The column with all its keys together.
    pub(super) fn prepare<'a>(arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<Self> {
        let mut interner = Interner::default();
        let batches = arrays
            .map(|array| MapBatch::prepare(array, &mut interner))
            .collect::<Result<_>>()?;
        Ok(Self {
            batches,
            keys: interner.into_values(),
            promoted: Vec::new(),
            slots: Vec::new(),
        })
    }

    /// Splits off the keys that are worth a column.
    pub(super) fn promote(&mut self, limits: PromoteLimits) -> Result<()> {
        let uses = self.key_uses()?;
        let rows: usize = self.batches.iter().map(MapBatch::rows).sum();
        let chosen = choose(&uses, &self.keys, rows, limits);
        let mut samples: Vec<Option<Sample>> = vec![None; self.keys.len()];
        for code in &chosen {
            if let Some(sample) = samples.get_mut(*code) {
                *sample = Some(Sample::default());
            }
        }
        if !chosen.is_empty() {
            self.sample(&mut samples)?;
        }
        self.slots = vec![None; self.keys.len()];
        for (place, code) in chosen.into_iter().enumerate() {
            let sample = samples.get(code).and_then(Option::as_ref);
            self.promoted.push(Promoted {
                key: self.keys.value(code).to_owned(),
                dictionary: sample.is_some_and(Sample::repeats),
            });
            if let Some(slot) = self.slots.get_mut(code) {
                *slot = Some(place);
            }
        }
        Ok(())
    }

    /// Splits off these keys, whether or not they are worth it for these rows.
    pub(super) fn promote_as(&mut self, promoted: &[Promoted]) {
        let places: FxHashMap<&str, usize> = (promoted.iter().enumerate())
            .map(|(place, promoted)| (promoted.key.as_str(), place))
            .collect();
        let place_of = |code| places.get(self.keys.value(code)).copied();
        self.slots = (0..self.keys.len()).map(place_of).collect();
        self.promoted = promoted.to_vec();
    }

    fn key_uses(&self) -> Result<Vec<KeyUse>> {
        let mut uses = vec![KeyUse::default(); self.keys.len()];
        let mut number = 0_usize;
        for batch in &self.batches {
            for (set, rows) in batch.uses().into_iter().enumerate() {
                number = number.saturating_add(1);
                if rows > 0 {
                    batch.add_uses(set, number, rows, &mut uses)?;
                }
            }
        }
        Ok(uses)
    }

    /// Looks at the values of the first rows.
    fn sample(&self, samples: &mut [Option<Sample>]) -> Result<()> {
        let mut left = Sample::ROWS;
        for batch in &self.batches {
            for set in 0..batch.sets_total().min(left) {
                batch.add_samples(set, samples)?;
            }
            left = left.saturating_sub(batch.sets_total());
            if left == 0 {
                break;
            }
        }
        Ok(())
    }

    /// The column with one text per distinct set; none when there are more than `max_sets` of them.
    pub(super) fn as_sets(&self, max_sets: usize) -> Result<Option<SetColumn>> {
        let mut interner = Interner::default();
        let mut keys_of = Vec::new();
        let mut codes = Vec::with_capacity(self.batches.len());
        for batch in &self.batches {
            let Some(sets) = &batch.sets else {
                return Ok(None);
            };
            let mut known = vec![None; batch.sets_total()];
            let mut rows = Vec::with_capacity(sets.len());
            for set in sets {
                let slot = known.get_mut(index(*set)).ok_or_else(out_of_range)?;
                let code = match *slot {
                    Some(code) => code,
                    None => *slot.insert(self.add_set(batch, *set, &mut interner, &mut keys_of)?),
                };
                rows.push(code);
            }
            if keys_of.len() > max_sets {
                return Ok(None);
            }
            codes.push(rows);
        }
        Ok(Some(SetColumn {
            texts: LabelColumn::new(codes, interner.into_values()),
            keys_of,
            keys: self.keys.clone(),
        }))
    }

    /// The number of a set by its text.
    fn add_set(
        &self,
        batch: &MapBatch,
        set: u32,
        texts: &mut Interner,
        keys_of: &mut Vec<Vec<i32>>,
    ) -> Result<i32> {
        let entries = batch.entries_of_set(index(set))?;
        let code = texts.intern(&self.text_of(batch, entries.clone())?)?;
        if index_i32(code)? == keys_of.len() {
            let keys = batch.key_codes.get(entries).ok_or_else(out_of_range)?;
            let mut keys = keys.to_vec();
            keys.dedup();
            keys_of.push(keys);
        }
        Ok(code)
    }

    fn text_of(&self, batch: &MapBatch, entries: Range<usize>) -> Result<String> {
        let pairs = entries
            .map(|entry| {
                let key = self.keys.value(batch.key_code(entry)?);
                Ok((key, batch.values.value(entry)))
            })
            .collect::<Result<Vec<_>>>()?;
        set_text(&pairs)
    }

    /// The keys that have columns of their own, in order.
    pub(super) fn promoted(&self) -> &[Promoted] {
        &self.promoted
    }

    /// All keys, by code.
    pub(super) fn keys(&self) -> &StringArray {
        &self.keys
    }

    /// Adds the rows of each key among the rows at `locations`.
    pub(super) fn count_keys(&self, locations: &[Location], counts: &mut [u64]) -> Result<()> {
        for location in locations {
            let (batch, entries) = self.entries_at(*location)?;
            let codes = batch.key_codes.get(entries).ok_or_else(out_of_range)?;
            let mut last = None;
            for code in codes {
                // Keys are sorted: a repeated one, which counts once, follows itself.
                if last.replace(*code) != Some(*code)
                    && let Some(count) = counts.get_mut(index_i32(*code)?)
                {
                    *count += 1;
                }
            }
        }
        Ok(())
    }

    /// What is left of the maps at `locations`; the columns of promoted keys are appended to `promoted`.
    pub(super) fn gather(
        &self,
        locations: &[Location],
        promoted: &mut Vec<ArrayRef>,
    ) -> Result<ArrayRef> {
        let mut offsets = Vec::with_capacity(locations.len().saturating_add(1));
        offsets.push(0_i32);
        let mut key_codes = Vec::new();
        let mut values = StringBuilder::new();
        let mut columns: Vec<StringBuilder> = Vec::new();
        columns.resize_with(self.promoted.len(), StringBuilder::new);
        for (row, location) in locations.iter().enumerate() {
            let (batch, entries) = self.entries_at(*location)?;
            for entry in entries {
                let code = batch.key_code(entry)?;
                let value = batch.values.value(entry);
                let slot = self.slots.get(code).copied().flatten();
                let column = slot.and_then(|slot| columns.get_mut(slot));
                // The second value of a repeated key stays in the map.
                match column.filter(|column| arrow::array::ArrayBuilder::len(*column) <= row) {
                    Some(column) => {
                        column.append_nulls(
                            row.saturating_sub(arrow::array::ArrayBuilder::len(column)),
                        );
                        column.append_value(value);
                    }
                    None => {
                        key_codes.push(i32::try_from(code).map_err(|_| out_of_range())?);
                        values.append_value(value);
                    }
                }
            }
            offsets.push(i32::try_from(key_codes.len()).map_err(|_| out_of_range())?);
        }
        for mut column in columns {
            let missing = locations
                .len()
                .saturating_sub(arrow::array::ArrayBuilder::len(&column));
            column.append_nulls(missing);
            promoted.push(Arc::new(column.finish()));
        }
        self.map_of(offsets, key_codes, &values.finish())
    }

    fn map_of(&self, offsets: Vec<i32>, codes: Vec<i32>, values: &StringArray) -> Result<ArrayRef> {
        let field = file_map_entries();
        let DataType::Struct(fields) = field.data_type() else {
            return Err(out_of_range());
        };
        let keys = dictionary(codes, &self.keys)?;
        let entries =
            StructArray::try_new(fields.clone(), vec![keys, Arc::new(values.clone())], None)
                .map_err(gather_error)?;
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let map = MapArray::try_new(field, offsets, entries, None, false).map_err(gather_error)?;
        Ok(Arc::new(map))
    }

    fn entries_at(&self, (batch, row): Location) -> Result<(&MapBatch, Range<usize>)> {
        let batch = self.batches.get(index(batch)).ok_or_else(out_of_range)?;
        Ok((batch, batch.entries(index(row))?))
    }
}

impl SetColumn {
    /// The texts of the sets at `locations`.
    pub(super) fn gather(&self, locations: &[Location]) -> Result<ArrayRef> {
        self.texts.gather(locations)
    }

    /// All keys, by code.
    pub(super) fn keys(&self) -> &StringArray {
        &self.keys
    }

    /// Adds the rows of each key among the rows at `locations`.
    pub(super) fn count_keys(&self, locations: &[Location], counts: &mut [u64]) -> Result<()> {
        let mut rows = vec![0_u64; self.keys_of.len()];
        for location in locations {
            if let Some(rows) = rows.get_mut(index_i32(self.texts.code(*location)?)?) {
                *rows += 1;
            }
        }
        for (keys, rows) in self.keys_of.iter().zip(rows) {
            for code in keys {
                if let Some(count) = counts.get_mut(index_i32(*code)?) {
                    *count += rows;
                }
            }
        }
        Ok(())
    }
}

impl MapBatch {
    fn prepare(array: &ArrayRef, interner: &mut Interner) -> Result<Self> {
        let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() else {
            let map: &MapArray = downcast(array)?;
            return Self::from_map(map, None, interner);
        };
        let map: &MapArray = downcast(dictionary.values())?;
        let sets = dictionary
            .keys()
            .iter()
            .map(|key| {
                key.and_then(|key| u32::try_from(key).ok())
                    .ok_or_else(out_of_range)
            })
            .collect::<Result<_>>()?;
        Self::from_map(map, Some(sets), interner)
    }

    fn from_map(map: &MapArray, sets: Option<Vec<u32>>, interner: &mut Interner) -> Result<Self> {
        let keys: &StringArray = downcast(map.keys())?;
        let values: &StringArray = downcast(map.values())?;
        // Records of the same kind have the same keys in the same places: compare before hashing.
        let mut key_codes = vec![0_i32; keys.len()];
        let mut shape: Vec<(i32, usize)> = Vec::new();
        for window in map.offsets().windows(2) {
            let [start, end] = window else { continue };
            let entries = index_i32(*start)?..index_i32(*end)?;
            for (place, entry) in entries.enumerate() {
                let key = keys.value(entry);
                let code = match shape.get(place) {
                    Some((code, seen)) if keys.value(*seen) == key => *code,
                    _ => interner.intern(key)?,
                };
                match shape.get_mut(place) {
                    Some(slot) => *slot = (code, entry),
                    None => shape.push((code, entry)),
                }
                if let Some(slot) = key_codes.get_mut(entry) {
                    *slot = code;
                }
            }
        }
        Ok(Self {
            sets,
            offsets: map.offsets().to_vec(),
            key_codes,
            values: values.clone(),
        })
    }

    fn sets_total(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    fn rows(&self) -> usize {
        self.sets
            .as_ref()
            .map_or_else(|| self.sets_total(), Vec::len)
    }

    /// How many rows have each set.
    fn uses(&self) -> Vec<u64> {
        let Some(sets) = &self.sets else {
            return vec![1; self.sets_total()];
        };
        let mut uses = vec![0; self.sets_total()];
        for set in sets {
            if let Some(uses) = uses.get_mut(index(*set)) {
                *uses += 1;
            }
        }
        uses
    }

    /// Counts the entries of set number `number`, which `rows` rows have.
    fn add_uses(&self, set: usize, number: usize, rows: u64, uses: &mut [KeyUse]) -> Result<()> {
        for entry in self.entries_of_set(set)? {
            let bytes = index_i32(self.values.value_length(entry))?;
            if let Some(key) = uses.get_mut(self.key_code(entry)?) {
                key.add(number, rows, bytes);
            }
        }
        Ok(())
    }

    fn add_samples(&self, set: usize, samples: &mut [Option<Sample>]) -> Result<()> {
        for entry in self.entries_of_set(set)? {
            if let Some(Some(sample)) = samples.get_mut(self.key_code(entry)?) {
                sample.add(self.values.value(entry));
            }
        }
        Ok(())
    }

    fn key_code(&self, entry: usize) -> Result<usize> {
        index_i32(*self.key_codes.get(entry).ok_or_else(out_of_range)?)
    }

    fn entries(&self, row: usize) -> Result<Range<usize>> {
        self.entries_of_set(match &self.sets {
            Some(sets) => index(*sets.get(row).ok_or_else(out_of_range)?),
            None => row,
        })
    }

    fn entries_of_set(&self, set: usize) -> Result<Range<usize>> {
        match self.offsets.get(set..set.saturating_add(2)) {
            Some([start, end]) => Ok(index_i32(*start)?..index_i32(*end)?),
            _ => Err(out_of_range()),
        }
    }
}

/// The Arrow type of a map column while it is being written: keys as codes.
pub(super) fn file_map_entries() -> FieldRef {
    let entry = Fields::from(vec![
        Field::new("key", label_type(), false),
        Field::new("value", DataType::Utf8, false),
    ]);
    Arc::new(Field::new("key_value", DataType::Struct(entry), false))
}

/// The Arrow type of a label column while it is being written.
pub(super) fn label_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}
