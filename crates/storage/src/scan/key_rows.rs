//! Which keys the maps of matching rows have, and in how many rows: from metadata where every row matches, otherwise by
//! reading what tells keys and as little as possible of the values.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, MapArray};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::Int32Type;
use rustc_hash::FxHashMap;

use super::memtable_unit::MemtableUnit;
use super::plan::{ScanUnit, Source};
use super::segment_unit::SegmentUnit;
use crate::error::{Error, Result};
use crate::segment::{ColumnStats, ReadForm};

/// Rows by key.
pub type KeyRows = BTreeMap<String, u64>;

impl ScanUnit {
    /// How many of the rows that the unit returns have each key of the map column `column`.
    ///
    /// # Errors
    /// Of reading: [`Error::Corrupt`] for a damaged segment; [`Error::Invalid`] when the column is not a map.
    pub fn key_rows(&self, column: &str) -> Result<KeyRows> {
        match self.source() {
            Source::Segment(unit) => {
                if self.is_exact()
                    && let Some(known) = known_keys(unit, column)
                {
                    return Ok(known.clone());
                }
                super::plan::guarded(unit, || read_segment(unit, column))
            }
            Source::Memtable(unit) => read_memtable(unit, column),
        }
    }
}

fn known_keys<'a>(unit: &'a SegmentUnit, column: &str) -> Option<&'a KeyRows> {
    let group = unit.segment.meta().row_groups.get(unit.row_group)?;
    match group.columns.get(column)? {
        ColumnStats::KeyRows(keys) => Some(keys),
        ColumnStats::Keys(_)
        | ColumnStats::Numbers { .. }
        | ColumnStats::Text { .. }
        | ColumnStats::Labels(_) => None,
    }
}

fn read_segment(unit: &SegmentUnit, column: &str) -> Result<KeyRows> {
    let selected = unit.select(None)?;
    let mut counts = KeyRows::new();
    if selected.is_empty() {
        return Ok(counts);
    }
    let footer = unit.segment.footer()?;
    let index = unit
        .job
        .table
        .index_of(column)
        .ok_or_else(|| no_map(column))?;
    let shape = footer.shape();
    let promoted: Vec<(&str, usize)> = shape.promoted(index).collect();
    let mut roots: BTreeSet<usize> = promoted.iter().map(|(_, root)| *root).collect();
    roots.insert(index);
    for batch in unit.reader(&footer, &roots, ReadForm::LookUp, &selected)? {
        let batch = batch?;
        for (key, root) in &promoted {
            let values = batch.column_by_name(shape.name(*root));
            let rows = values.map_or(0, |values| values.len() - values.null_count());
            add(&mut counts, key, rows);
        }
        let rest = batch.column_by_name(shape.name(index));
        count_keys(rest.ok_or_else(|| no_map(column))?, None, &mut counts)?;
    }
    counts.retain(|_, rows| *rows > 0);
    Ok(counts)
}

fn read_memtable(unit: &MemtableUnit, column: &str) -> Result<KeyRows> {
    let mut counts = KeyRows::new();
    let maps = unit.column(column).ok_or_else(|| no_map(column))?;
    count_keys(maps, Some(&unit.matching(None)?), &mut counts)?;
    Ok(counts)
}

/// Adds the keys of the rows in `mask`, or of all rows.
fn count_keys(maps: &ArrayRef, mask: Option<&BooleanBuffer>, counts: &mut KeyRows) -> Result<()> {
    let chosen = |row: usize| mask.is_none_or(|mask| mask.value(row));
    if let Some(shared) = maps.as_dictionary_opt::<Int32Type>() {
        let mut uses = vec![0_usize; shared.values().len()];
        for (row, set) in shared.keys().iter().enumerate() {
            let set = set.and_then(|set| usize::try_from(set).ok());
            if let Some(uses) = set.and_then(|set| uses.get_mut(set))
                && chosen(row)
            {
                *uses += 1;
            }
        }
        return count_entries(
            as_map(shared.values())?,
            |set| uses.get(set).copied(),
            counts,
        );
    }
    count_entries(as_map(maps)?, |row| Some(usize::from(chosen(row))), counts)
}

fn as_map(array: &ArrayRef) -> Result<&MapArray> {
    array.as_map_opt().ok_or_else(|| Error::Internal {
        what: format!("`{}` is not a map", array.data_type()),
    })
}

/// Adds the keys of map n once for each of its `uses_of(n)` rows.
fn count_entries(
    maps: &MapArray,
    uses_of: impl Fn(usize) -> Option<usize>,
    counts: &mut KeyRows,
) -> Result<()> {
    let viewed = maps.keys().as_string_view_opt();
    let plain = maps.keys().as_string_opt::<i32>();
    let key_at = |entry: usize| match (viewed, plain) {
        (Some(keys), _) => Some(keys.value(entry)),
        (None, keys) => keys.map(|keys| keys.value(entry)),
    };
    let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
    for (map, window) in maps.value_offsets().windows(2).enumerate() {
        let uses = uses_of(map).unwrap_or_default();
        let [start, end] = window else { continue };
        let range = usize::try_from(*start).ok().zip(usize::try_from(*end).ok());
        let Some((start, end)) = range.filter(|_| uses > 0) else {
            continue;
        };
        let mut last = None;
        for key in (start..end).filter_map(key_at) {
            // Keys are sorted: a repeated one, which counts once, follows itself.
            if last.replace(key) != Some(key) {
                *seen.entry(key).or_default() += uses;
            }
        }
    }
    for (key, rows) in seen {
        add(counts, key, rows);
    }
    Ok(())
}

fn add(counts: &mut KeyRows, key: &str, rows: usize) {
    let rows = u64::try_from(rows).unwrap_or(u64::MAX);
    match counts.get_mut(key) {
        Some(count) => *count += rows,
        None => drop(counts.insert(key.to_owned(), rows)),
    }
}

fn no_map(column: &str) -> Error {
    Error::Invalid(format!("there is no map column `{column}`"))
}
