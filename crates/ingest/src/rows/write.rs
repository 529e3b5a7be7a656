//! Columns of the WAL as the types that memtables keep.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use cairn_storage::{Column, ColumnKind};

use crate::batch::{AttributesColumn, IdColumn, SharedAttributesColumn};
use crate::error::{IngestError, Result};
use crate::notes::Notes;

/// A column in its table's type on the way in.
pub(super) fn to_write(column: &Column, array: &ArrayRef, notes: &mut Notes) -> Result<ArrayRef> {
    let malformed = |what: &str| IngestError::Malformed(format!("column {}: {what}", column.name));
    if array.null_count() > 0 {
        return Err(malformed("NULL in a column that has none"));
    }
    match column.kind {
        ColumnKind::TraceId => ids::<16>(array, notes).map_err(|what| malformed(&what)),
        ColumnKind::SpanId => ids::<8>(array, notes).map_err(|what| malformed(&what)),
        ColumnKind::SharedAttributes => {
            let map = array
                .as_map_opt()
                .ok_or_else(|| malformed("it is no map"))?;
            shared(map, notes)
        }
        ColumnKind::Attributes => {
            let map = array
                .as_map_opt()
                .ok_or_else(|| malformed("it is no map"))?;
            let mut sets = AttributesColumn::new();
            for row in 0..map.len() {
                push_set(&set_of(map, row), &mut sets);
            }
            sets.finish(notes)
        }
        ColumnKind::AttributesList => {
            let lists = array
                .as_list_opt::<i32>()
                .ok_or_else(|| malformed("it is no list"))?;
            let maps = lists
                .values()
                .as_map_opt()
                .ok_or_else(|| malformed("it holds no maps"))?;
            let mut sets = AttributesColumn::new();
            for row in 0..maps.len() {
                push_set(&set_of(maps, row), &mut sets);
            }
            let DataType::List(item) = column.kind.write_type() else {
                return Err(malformed("it is no list"));
            };
            let offsets = lists.offsets().clone();
            Ok(Arc::new(ListArray::try_new(
                item,
                offsets,
                sets.finish(notes)?,
                None,
            )?))
        }
        ColumnKind::Timestamp
        | ColumnKind::Seconds
        | ColumnKind::Label
        | ColumnKind::Text
        | ColumnKind::UInt8
        | ColumnKind::UInt64
        | ColumnKind::Number(_)
        | ColumnKind::TimestampList
        | ColumnKind::SecondsList
        | ColumnKind::NumberList(_)
        | ColumnKind::LabelList
        | ColumnKind::TextList => {
            let to = column.kind.write_type();
            if *array.data_type() == to {
                return Ok(Arc::clone(array));
            }
            cast(array, &to).map_err(|error| malformed(&error.to_string()))
        }
    }
}

/// A set of pairs: keys sorted, of equal keys the first, as SQL finds it.
type Set<'a> = BTreeMap<&'a str, &'a str>;

fn set_of(map: &MapArray, row: usize) -> Set<'_> {
    let (Some(keys), Some(values)) = (
        map.keys().as_string_opt::<i32>(),
        map.values().as_string_opt::<i32>(),
    ) else {
        return Set::new();
    };
    let offset = |at: usize| map.value_offsets().get(at).copied().unwrap_or_default();
    let begin = usize::try_from(offset(row)).unwrap_or_default();
    let end = usize::try_from(offset(row + 1)).unwrap_or_default();
    let mut set = Set::new();
    for at in begin..end.min(keys.len()) {
        set.entry(keys.value(at))
            .or_insert_with(|| values.value(at));
    }
    set
}

fn push_set(set: &Set<'_>, column: &mut AttributesColumn) {
    for (key, value) in set {
        column
            .begin_pair(key.as_bytes())
            .extend_from_slice(value.as_bytes());
        column.end_pair();
    }
    column.end_set();
}

/// Equal sets are kept once.
fn shared(map: &MapArray, notes: &mut Notes) -> Result<ArrayRef> {
    let mut column = SharedAttributesColumn::new();
    let mut known: HashMap<Set<'_>, i32> = HashMap::new();
    for row in 0..map.len() {
        let set = set_of(map, row);
        let key = match known.get(&set) {
            Some(key) => *key,
            None => {
                let key = i32::try_from(column.sets().len()).unwrap_or(i32::MAX);
                push_set(&set, column.sets());
                known.insert(set, key);
                key
            }
        };
        column.push_key(key);
    }
    column.finish(notes)
}

/// Hex digits as bytes; an empty text is an absent id.
fn ids<const N: usize>(array: &ArrayRef, notes: &mut Notes) -> Result<ArrayRef, String> {
    let texts = array.as_string_opt::<i32>().ok_or("it is no text")?;
    let mut column = IdColumn::<N>::new();
    for text in texts.iter().flatten() {
        if text.is_empty() {
            column.push(&[], notes);
            continue;
        }
        let id: [u8; N] = id_of(text.as_bytes())
            .ok_or_else(|| format!("`{text}` is no id: {} hex digits or nothing", N * 2))?;
        column.push(&id, notes);
    }
    column.finish().map_err(|error| error.to_string())
}

fn id_of<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    if text.len() != N * 2 {
        return None;
    }
    let mut id = [0; N];
    for (byte, digits) in id.iter_mut().zip(text.chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).ok()?;
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(id)
}
