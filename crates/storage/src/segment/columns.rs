//! The columns of a flush, prepared so that any run of rows can be gathered cheaply: labels and attribute keys become
//! codes of one dictionary for the whole flush, shared attribute sets stay shared until their rows are written.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, DictionaryArray, Int32Array, MapArray,
    PrimitiveArray, RecordBatch, StringArray, StructArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Int32Type};
use rustc_hash::FxHashMap;

use crate::error::{Error, Result};
use crate::schema::{Column, ColumnKind};

/// Where a row is: batch and row inside it.
pub(super) type Location = (u32, u32);

/// A column of all batches of a flush.
#[derive(Debug)]
pub(super) enum FlushColumn {
    /// Gathered as it is.
    Plain(Vec<ArrayRef>),
    /// Text with few distinct values.
    Label(LabelColumn),
    /// Key-value sets, one per row or shared by rows.
    Map(MapColumn),
}

/// A label column as codes of one dictionary.
#[derive(Debug)]
pub(super) struct LabelColumn {
    codes: Vec<Vec<i32>>,
    values: StringArray,
}

/// A map column: rows refer to sets, sets are runs of entries, keys are codes of one dictionary.
#[derive(Debug)]
pub(super) struct MapColumn {
    batches: Vec<MapBatch>,
    keys: StringArray,
    field: FieldRef,
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

impl FlushColumn {
    pub(super) fn prepare(column: &Column, index: usize, batches: &[RecordBatch]) -> Result<Self> {
        let arrays = batches.iter().map(|batch| batch.column(index));
        Ok(match column.kind {
            ColumnKind::Label => Self::Label(LabelColumn::prepare(arrays)?),
            ColumnKind::SharedAttributes | ColumnKind::Attributes => {
                Self::Map(MapColumn::prepare(arrays)?)
            }
            ColumnKind::Timestamp
            | ColumnKind::TraceId
            | ColumnKind::SpanId
            | ColumnKind::Text
            | ColumnKind::UInt8
            | ColumnKind::UInt64
            | ColumnKind::TimestampList
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList => Self::Plain(arrays.cloned().collect()),
        })
    }

    /// The column as labels.
    pub(super) fn as_label(&self) -> Option<&LabelColumn> {
        match self {
            Self::Label(labels) => Some(labels),
            Self::Plain(_) | Self::Map(_) => None,
        }
    }

    /// The rows at `locations`, as the file holds them.
    pub(super) fn gather(&self, locations: &[Location]) -> Result<ArrayRef> {
        match self {
            Self::Plain(arrays) => {
                let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                let indices: Vec<(usize, usize)> = locations
                    .iter()
                    .map(|(batch, row)| (index(*batch), index(*row)))
                    .collect();
                arrow::compute::interleave(&arrays, &indices).map_err(|source| Error::Arrow {
                    what: "gathering the rows of a segment",
                    source,
                })
            }
            Self::Label(labels) => labels.gather(locations),
            Self::Map(map) => map.gather(locations),
        }
    }
}

impl LabelColumn {
    fn prepare<'a>(arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<Self> {
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

    fn gather(&self, locations: &[Location]) -> Result<ArrayRef> {
        let codes: Vec<i32> = locations
            .iter()
            .map(|(batch, row)| {
                let batch = self.codes.get(index(*batch));
                batch
                    .and_then(|codes| codes.get(index(*row)))
                    .copied()
                    .ok_or_else(out_of_range)
            })
            .collect::<Result<_>>()?;
        dictionary(codes, &self.values)
    }
}

impl MapColumn {
    fn prepare<'a>(arrays: impl Iterator<Item = &'a ArrayRef>) -> Result<Self> {
        let mut interner = Interner::default();
        let batches = arrays
            .map(|array| MapBatch::prepare(array, &mut interner))
            .collect::<Result<_>>()?;
        Ok(Self {
            batches,
            keys: interner.into_values(),
            field: file_map_entries(),
        })
    }

    fn gather(&self, locations: &[Location]) -> Result<ArrayRef> {
        let mut offsets = Vec::with_capacity(locations.len().saturating_add(1));
        offsets.push(0_i32);
        let mut key_codes = Vec::new();
        let mut value_bytes = Vec::new();
        let mut value_offsets = vec![0_i32];
        for (batch, row) in locations {
            let batch = self.batches.get(index(*batch)).ok_or_else(out_of_range)?;
            let entries = batch.entries(index(*row))?;
            key_codes.extend_from_slice(
                batch
                    .key_codes
                    .get(entries.clone())
                    .ok_or_else(out_of_range)?,
            );
            append_texts(&batch.values, entries, &mut value_bytes, &mut value_offsets)?;
            offsets.push(i32::try_from(key_codes.len()).map_err(|_| out_of_range())?);
        }
        let values = StringArray::try_new(
            OffsetBuffer::new(ScalarBuffer::from(value_offsets)),
            Buffer::from_vec(value_bytes),
            None,
        )
        .map_err(gather_error)?;
        let keys = dictionary(key_codes, &self.keys)?;
        let DataType::Struct(fields) = self.field.data_type() else {
            return Err(out_of_range());
        };
        let entries = StructArray::try_new(fields.clone(), vec![keys, Arc::new(values)], None)
            .map_err(gather_error)?;
        let map = MapArray::try_new(
            Arc::clone(&self.field),
            OffsetBuffer::new(ScalarBuffer::from(offsets)),
            entries,
            None,
            false,
        )
        .map_err(gather_error)?;
        Ok(Arc::new(map))
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

    fn entries(&self, row: usize) -> Result<std::ops::Range<usize>> {
        let set = match &self.sets {
            Some(sets) => index(*sets.get(row).ok_or_else(out_of_range)?),
            None => row,
        };
        match self.offsets.get(set..set.saturating_add(2)) {
            Some([start, end]) => Ok(index_i32(*start)?..index_i32(*end)?),
            _ => Err(out_of_range()),
        }
    }
}

/// Distinct texts, numbered in the order of their first appearance.
#[derive(Debug, Default)]
struct Interner {
    codes: FxHashMap<String, i32>,
}

impl Interner {
    fn intern(&mut self, text: &str) -> Result<i32> {
        if let Some(code) = self.codes.get(text) {
            return Ok(*code);
        }
        let code = i32::try_from(self.codes.len()).map_err(|_| out_of_range())?;
        self.codes.insert(text.to_owned(), code);
        Ok(code)
    }

    fn into_values(self) -> StringArray {
        let mut texts: Vec<(i32, String)> = self
            .codes
            .into_iter()
            .map(|(text, code)| (code, text))
            .collect();
        texts.sort_unstable();
        texts.into_iter().map(|(_, text)| Some(text)).collect()
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

fn dictionary(codes: Vec<i32>, values: &StringArray) -> Result<ArrayRef> {
    let array =
        DictionaryArray::<Int32Type>::try_new(Int32Array::from(codes), Arc::new(values.clone()))
            .map_err(gather_error)?;
    Ok(Arc::new(array))
}

/// Appends the texts at `entries`, whose bytes are contiguous.
fn append_texts(
    texts: &StringArray,
    entries: std::ops::Range<usize>,
    bytes: &mut Vec<u8>,
    offsets: &mut Vec<i32>,
) -> Result<()> {
    let end = entries.end.saturating_add(1);
    let Some(bounds @ [first, .., last]) = texts.value_offsets().get(entries.start..end) else {
        return Ok(());
    };
    let base = i32::try_from(bytes.len()).map_err(|_| out_of_range())?;
    let run = texts
        .value_data()
        .get(index_i32(*first)?..index_i32(*last)?);
    bytes.extend_from_slice(run.ok_or_else(out_of_range)?);
    offsets.extend(bounds.iter().skip(1).map(|bound| base + (bound - first)));
    Ok(())
}

fn text_at(values: &StringArray, row: usize) -> &str {
    if values.is_null(row) {
        ""
    } else {
        values.value(row)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn index_i32(number: i32) -> Result<usize> {
    usize::try_from(number).map_err(|_| out_of_range())
}

fn out_of_range() -> Error {
    Error::Internal {
        what: "a row or offset of a flush is out of range".to_owned(),
    }
}

fn gather_error(source: arrow::error::ArrowError) -> Error {
    Error::Arrow {
        what: "gathering the rows of a segment",
        source,
    }
}
