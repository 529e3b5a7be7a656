//! The value of a scan column for every row of a batch, whichever physical form the batch has: write types of memtables,
//! reader types of segments, keys looked up in maps.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Int32Array, MapArray,
    StringArray, StringViewArray, TimestampNanosecondArray, UInt8Array, UInt64Array, make_view,
};
use arrow::buffer::{BooleanBuffer, Buffer, ScalarBuffer};
use arrow::datatypes::{DataType, Int32Type};

use super::kernel_error;
use crate::error::{Error, Result};
use crate::predicate::ScanColumn;

/// A column of values.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// Nanoseconds since 1970.
    Times(TimestampNanosecondArray),
    /// Small numbers.
    Bytes(UInt8Array),
    /// Large numbers.
    Numbers(UInt64Array),
    /// Ids; NULL = absent.
    Ids(FixedSizeBinaryArray),
    /// Texts.
    Texts(Texts),
    /// Whether a key is there.
    Flags(BooleanBuffer),
}

/// Texts in one of the forms that occur.
#[derive(Debug, Clone)]
pub(super) enum Texts {
    /// Offsets into one buffer.
    Plain(StringArray),
    /// Views; NULL stands for `''`.
    Viewed(StringViewArray),
    /// Codes of few distinct texts.
    Coded(Int32Array, Box<Self>),
}

impl Texts {
    /// The texts of an array.
    pub(super) fn of(array: &ArrayRef) -> Result<Self> {
        if let Some(texts) = array.as_string_opt::<i32>() {
            return Ok(Self::Plain(texts.clone()));
        }
        if let Some(texts) = array.as_string_view_opt() {
            return Ok(Self::Viewed(texts.clone()));
        }
        if let Some(coded) = array.as_dictionary_opt::<Int32Type>() {
            let values = Self::of(coded.values())?;
            return Ok(Self::Coded(coded.keys().clone(), Box::new(values)));
        }
        Err(unexpected(array))
    }

    /// As scans return them.
    pub(super) fn into_views(self) -> Result<ArrayRef> {
        match self {
            Self::Plain(texts) => cast_to_views(&texts),
            Self::Viewed(texts) => Ok(Arc::new(texts)),
            Self::Coded(codes, values) => {
                let values = values.into_views()?;
                arrow::compute::take(&values, &codes, None)
                    .map_err(|source| kernel_error("expanding labels", source))
            }
        }
    }
}

fn cast_to_views(texts: &StringArray) -> Result<ArrayRef> {
    arrow::compute::cast(texts, &DataType::Utf8View)
        .map_err(|source| kernel_error("reading texts", source))
}

/// The values of `column`, given the array of its stored column.
pub(super) fn operand(column: &ScanColumn, array: &ArrayRef) -> Result<Operand> {
    match column {
        ScanColumn::MapValue { key, .. } => Ok(Operand::Texts(look_up(array, key)?)),
        ScanColumn::MapContains { key, .. } => Ok(Operand::Flags(contains(array, key)?)),
        ScanColumn::Stored(_) => stored_operand(array),
    }
}

fn stored_operand(array: &ArrayRef) -> Result<Operand> {
    if let Some(times) = array.as_primitive_opt() {
        return Ok(Operand::Times(times.clone()));
    }
    if let Some(bytes) = array.as_primitive_opt() {
        return Ok(Operand::Bytes(bytes.clone()));
    }
    if let Some(numbers) = array.as_primitive_opt() {
        return Ok(Operand::Numbers(numbers.clone()));
    }
    if let Some(ids) = array.as_fixed_size_binary_opt() {
        return Ok(Operand::Ids(ids.clone()));
    }
    Ok(Operand::Texts(Texts::of(array)?))
}

fn look_up(array: &ArrayRef, key: &str) -> Result<Texts> {
    // Sets shared by rows are looked into once, not once per row.
    if let Some(shared) = array.as_dictionary_opt::<Int32Type>() {
        let values = look_up(shared.values(), key)?;
        return Ok(Texts::Coded(shared.keys().clone(), Box::new(values)));
    }
    let map = array.as_map_opt().ok_or_else(|| unexpected(array))?;
    let entries = entries_of(map, key)?;
    if let Some(values) = map.values().as_string_view_opt() {
        let views = values.views();
        let view = |entry: Option<usize>| entry.and_then(|entry| views.get(entry)).copied();
        // The view of the empty text is zero.
        let found: Vec<u128> = entries.map(|entry| view(entry).unwrap_or(0)).collect();
        return text_views(found, values.data_buffers().to_vec());
    }
    let values = map
        .values()
        .as_string_opt::<i32>()
        .ok_or_else(|| unexpected(map.values()))?;
    let found: Vec<u128> = entries
        .map(|entry| entry.map_or(Ok(0), |entry| view_of(values, entry)))
        .collect::<Result<_>>()?;
    text_views(found, vec![values.values().clone()])
}

fn view_of(values: &StringArray, entry: usize) -> Result<u128> {
    let start = values
        .value_offsets()
        .get(entry)
        .copied()
        .unwrap_or_default();
    let start = u32::try_from(start).map_err(|_| Error::Internal {
        what: "a text offset is negative".to_owned(),
    })?;
    Ok(make_view(values.value(entry).as_bytes(), 0, start))
}

/// As many empty texts.
pub(super) fn blank_texts(rows: usize) -> Result<Texts> {
    text_views(vec![0; rows], Vec::new())
}

/// The texts with `''` for NULL: what SQL says of a key that a map does not have.
pub(super) fn without_nulls(texts: &ArrayRef) -> Result<ArrayRef> {
    let views = texts
        .as_string_view_opt()
        .ok_or_else(|| unexpected(texts))?;
    let Some(nulls) = views.nulls().filter(|nulls| nulls.null_count() > 0) else {
        return Ok(Arc::clone(texts));
    };
    let present = views.views().iter().zip(nulls.iter());
    let filled = present.map(|(view, present)| if present { *view } else { 0 });
    text_views(filled.collect(), views.data_buffers().to_vec())?.into_views()
}

fn text_views(views: Vec<u128>, buffers: Vec<Buffer>) -> Result<Texts> {
    StringViewArray::try_new(ScalarBuffer::from(views), buffers, None)
        .map(Texts::Viewed)
        .map_err(|source| kernel_error("looking up a key", source))
}

fn contains(array: &ArrayRef, key: &str) -> Result<BooleanBuffer> {
    if let Some(shared) = array.as_dictionary_opt::<Int32Type>() {
        let values = contains(shared.values(), key)?;
        return Ok(decode_flags(shared.keys(), &values));
    }
    let map = array.as_map_opt().ok_or_else(|| unexpected(array))?;
    Ok(entries_of(map, key)?.map(|entry| entry.is_some()).collect())
}

/// The answer of each row from the answer of its code.
pub(super) fn decode_flags(codes: &Int32Array, values: &BooleanBuffer) -> BooleanBuffer {
    let known: Vec<bool> = values.iter().collect();
    let codes = codes.values();
    BooleanBuffer::collect_bool(codes.len(), |row| {
        let code = codes.get(row).and_then(|code| usize::try_from(*code).ok());
        code.and_then(|code| known.get(code))
            .copied()
            .unwrap_or(false)
    })
}

/// The first entry with `key` of each row.
fn entries_of<'a>(
    map: &'a MapArray,
    key: &'a str,
) -> Result<impl Iterator<Item = Option<usize>> + 'a> {
    let keys = Keys::of(map.keys(), key)?;
    let offsets = map.value_offsets();
    Ok(offsets.windows(2).map(move |window| match window {
        [start, end] => {
            let start = usize::try_from(*start).ok()?;
            let end = usize::try_from(*end).ok()?;
            (start..end).find(|entry| keys.is_at(*entry))
        }
        _ => None,
    }))
}

/// The keys of a map, compared with one key.
enum Keys<'a> {
    Plain(&'a StringArray, &'a [u8]),
    /// A key of at most 12 bytes is one number in the views.
    Short(&'a [u128], u128),
    Long(&'a StringViewArray, &'a [u8]),
}

impl<'a> Keys<'a> {
    fn of(keys: &'a ArrayRef, key: &'a str) -> Result<Self> {
        if let Some(keys) = keys.as_string_opt::<i32>() {
            return Ok(Self::Plain(keys, key.as_bytes()));
        }
        let views = keys.as_string_view_opt().ok_or_else(|| unexpected(keys))?;
        Ok(if key.len() <= 12 {
            Self::Short(views.views(), make_view(key.as_bytes(), 0, 0))
        } else {
            Self::Long(views, key.as_bytes())
        })
    }

    fn is_at(&self, entry: usize) -> bool {
        match self {
            Self::Plain(keys, key) => keys.value(entry).as_bytes() == *key,
            Self::Short(views, key) => views.get(entry) == Some(key),
            Self::Long(keys, key) => keys.value(entry).as_bytes() == *key,
        }
    }
}

/// The values as a scan returns them.
pub(super) fn into_read_form(column: &ScanColumn, array: &ArrayRef) -> Result<ArrayRef> {
    if let ScanColumn::Stored(_) = column {
        return stored_read_form(array);
    }
    match operand(column, array)? {
        Operand::Flags(flags) => Ok(Arc::new(BooleanArray::new(flags, None))),
        Operand::Texts(texts) => texts.into_views(),
        Operand::Times(_) | Operand::Bytes(_) | Operand::Numbers(_) | Operand::Ids(_) => {
            Err(unexpected(array))
        }
    }
}

fn stored_read_form(array: &ArrayRef) -> Result<ArrayRef> {
    if let Some(ids) = array.as_fixed_size_binary_opt() {
        return hex_views(ids);
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return cast_to_views(texts);
    }
    if let Some(shared) = array.as_dictionary_opt::<Int32Type>() {
        if shared.values().as_map_opt().is_none() {
            return Texts::of(array)?.into_views();
        }
        return arrow::compute::take(shared.values(), shared.keys(), None)
            .map_err(|source| kernel_error("expanding shared attributes", source));
    }
    Ok(Arc::clone(array))
}

/// Ids as lower-case hex; an absent one is `''`.
fn hex_views(ids: &FixedSizeBinaryArray) -> Result<ArrayRef> {
    let mut text: Vec<u8> = Vec::with_capacity(ids.values().len().saturating_mul(2));
    let mut views = Vec::with_capacity(ids.len());
    for id in ids.iter() {
        let Some(id) = id else {
            views.push(0);
            continue;
        };
        let start = text.len();
        for byte in id {
            text.extend_from_slice(&hex_pair(*byte));
        }
        let offset = u32::try_from(start).map_err(|_| Error::Internal {
            what: "a batch of ids is too large".to_owned(),
        })?;
        views.push(make_view(text.get(start..).unwrap_or_default(), 0, offset));
    }
    let buffers = vec![Buffer::from_vec(text)];
    text_views(views, buffers)?.into_views()
}

/// The two lower-case hex digits of a byte.
pub(super) fn hex_pair(byte: u8) -> [u8; 2] {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' - 10 + nibble
        }
    };
    [digit(byte >> 4), digit(byte & 0xf)]
}

fn unexpected(array: &ArrayRef) -> Error {
    Error::Internal {
        what: format!("a column has the unexpected type `{}`", array.data_type()),
    }
}
