//! Statistics of rows on their way into a file: bounds of numbers and ids, exact sets of labels and attribute keys.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, StringArray};
use arrow::datatypes::{Int32Type, UInt8Type, UInt64Type};

use super::columns::FlushColumn;
use super::gather::{Location, downcast, primitive};
use super::meta::{ColumnStats, MAX_BOUND_BYTES, MAX_LISTED_KEYS, MAX_LISTED_LABELS};
use crate::error::Result;
use crate::schema::{Column, ColumnKind, TableDef, hex_text};

/// Gathers the statistics of one row group.
#[derive(Debug)]
pub(super) struct StatsBuilder {
    columns: Vec<(&'static Column, Seen)>,
}

/// What was seen of a column.
#[derive(Debug)]
enum Seen {
    /// Nothing is kept of this kind.
    Ignored,
    Numbers(Option<(u64, u64)>),
    /// Bounds of ids by their bytes, and whether one was absent.
    Ids(Option<(Vec<u8>, Vec<u8>)>, bool),
    /// Used codes of the flush's dictionary, and that dictionary.
    Codes(Vec<bool>, Option<StringArray>),
    /// Rows of each key, by the flush's code of it.
    Keys(Vec<u64>),
    /// Whether every text so far is empty.
    Empty(bool),
}

impl StatsBuilder {
    pub(super) fn new(table: &TableDef, flushed: &[FlushColumn]) -> Self {
        let columns = table.columns.iter().zip(flushed).map(|(column, flushed)| {
            let keys = flushed.keys().map(|keys| Seen::Keys(vec![0; keys.len()]));
            (column, keys.unwrap_or_else(|| Seen::of(column.kind)))
        });
        Self {
            columns: columns.collect(),
        }
    }

    /// Adds rows: where they are in the flush, and gathered, one array per column of the table first.
    pub(super) fn add(
        &mut self,
        flushed: &[FlushColumn],
        rows: &[Location],
        arrays: &[ArrayRef],
    ) -> Result<()> {
        for (((_, seen), flushed), array) in self.columns.iter_mut().zip(flushed).zip(arrays) {
            match seen {
                Seen::Keys(counts) => flushed.count_keys(rows, counts)?,
                Seen::Ignored
                | Seen::Numbers(_)
                | Seen::Ids(..)
                | Seen::Codes(..)
                | Seen::Empty(_) => seen.add(array)?,
            }
        }
        Ok(())
    }

    pub(super) fn finish(self, flushed: &[FlushColumn]) -> BTreeMap<String, ColumnStats> {
        self.columns
            .into_iter()
            .zip(flushed)
            .filter_map(|((column, seen), flushed)| {
                let stats = match (seen, flushed.keys()) {
                    (Seen::Keys(counts), Some(keys)) => key_stats(&counts, keys),
                    (seen, _) => seen.finish(),
                };
                stats.map(|stats| (column.name.to_owned(), stats))
            })
            .collect()
    }
}

impl Seen {
    fn of(kind: ColumnKind) -> Self {
        match kind {
            ColumnKind::UInt8 | ColumnKind::UInt64 => Self::Numbers(None),
            ColumnKind::TraceId | ColumnKind::SpanId => Self::Ids(None, false),
            ColumnKind::Label => Self::Codes(Vec::new(), None),
            ColumnKind::Text => Self::Empty(true),
            // The time range stands in the metadata itself.
            ColumnKind::Timestamp
            | ColumnKind::SharedAttributes
            | ColumnKind::Attributes
            | ColumnKind::Seconds
            | ColumnKind::Number(_)
            | ColumnKind::TimestampList
            | ColumnKind::SecondsList
            | ColumnKind::NumberList(_)
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList => Self::Ignored,
        }
    }

    fn add(&mut self, array: &ArrayRef) -> Result<()> {
        match self {
            Self::Ignored | Self::Keys(_) => {}
            Self::Numbers(bounds) => {
                if let Some((min, max)) = number_bounds(array)? {
                    let (low, high) = bounds.unwrap_or((min, max));
                    *bounds = Some((low.min(min), high.max(max)));
                }
            }
            Self::Ids(bounds, absent) => {
                let ids = array.as_fixed_size_binary();
                *absent = *absent || ids.null_count() > 0;
                let present = ids.iter().flatten();
                if let Some((low, high)) = present.clone().min().zip(present.max()) {
                    let (min, max) = bounds.get_or_insert_with(|| (low.to_vec(), high.to_vec()));
                    *min = low.to_vec().min(std::mem::take(min));
                    *max = high.to_vec().max(std::mem::take(max));
                }
            }
            Self::Codes(used, values) => mark_codes(array, used, values)?,
            Self::Empty(all) => {
                let texts: &StringArray = downcast(array)?;
                let bounds = texts.value_offsets();
                *all = *all && bounds.first() == bounds.last();
            }
        }
        Ok(())
    }

    fn finish(self) -> Option<ColumnStats> {
        match self {
            Self::Ignored | Self::Keys(_) | Self::Empty(false) => None,
            Self::Empty(true) => Some(ColumnStats::Labels(vec![String::new()])),
            Self::Numbers(bounds) => bounds.map(|(min, max)| ColumnStats::Numbers { min, max }),
            Self::Ids(None, _) => Some(ColumnStats::Labels(vec![String::new()])),
            Self::Ids(Some((min, max)), absent) => {
                let (mut low, mut high) = (String::new(), String::new());
                if !absent {
                    hex_text(&min, &mut low);
                }
                hex_text(&max, &mut high);
                Some(ColumnStats::Text {
                    min: low,
                    max: Some(high),
                })
            }
            Self::Codes(used, values) => {
                let mut texts: Vec<&str> = Vec::new();
                if let Some(values) = &values {
                    let codes = used.iter().enumerate().filter(|(_, used)| **used);
                    texts.extend(codes.map(|(code, _)| values.value(code)));
                }
                texts.sort_unstable();
                Some(label_stats(&texts))
            }
        }
    }
}

fn number_bounds(array: &ArrayRef) -> Result<Option<(u64, u64)>> {
    if let Some(bytes) = array.as_primitive_opt::<UInt8Type>() {
        let values = bytes.values().iter();
        let bounds = values.clone().min().zip(values.max());
        return Ok(bounds.map(|(min, max)| (u64::from(*min), u64::from(*max))));
    }
    let values = primitive::<UInt64Type>(array)?.values().iter();
    Ok(values.clone().min().copied().zip(values.max().copied()))
}

/// Marks the codes that a label column uses.
fn mark_codes(
    array: &ArrayRef,
    used: &mut Vec<bool>,
    values: &mut Option<StringArray>,
) -> Result<()> {
    let dictionary: &DictionaryArray<Int32Type> = downcast(array)?;
    if values.is_none() {
        let texts: &StringArray = downcast(dictionary.values())?;
        *used = vec![false; texts.len()];
        *values = Some(texts.clone());
    }
    for code in dictionary.keys().values() {
        if let Some(slot) = usize::try_from(*code)
            .ok()
            .and_then(|code| used.get_mut(code))
        {
            *slot = true;
        }
    }
    Ok(())
}

fn key_stats(counts: &[u64], keys: &StringArray) -> Option<ColumnStats> {
    let used = counts.iter().enumerate().filter(|(_, rows)| **rows > 0);
    let rows = used
        .map(|(code, rows)| (keys.value(code).to_owned(), *rows))
        .collect();
    bounded_keys(rows)
}

/// The keys, none when there are too many or one is too long.
fn bounded_keys(rows: BTreeMap<String, u64>) -> Option<ColumnStats> {
    let short = rows.keys().all(|key| key.len() <= MAX_BOUND_BYTES);
    (short && rows.len() <= MAX_LISTED_KEYS).then_some(ColumnStats::KeyRows(rows))
}

fn listed(sorted: &[&str], limit: usize) -> Option<Vec<String>> {
    let short = sorted.iter().all(|text| text.len() <= MAX_BOUND_BYTES);
    (short && sorted.len() <= limit).then(|| sorted.iter().map(|text| (*text).to_owned()).collect())
}

fn label_stats(sorted: &[&str]) -> ColumnStats {
    listed(sorted, MAX_LISTED_LABELS).map_or_else(
        || ColumnStats::Text {
            min: lower_bound(sorted.first().copied().unwrap_or_default()),
            max: sorted
                .last()
                .filter(|text| text.len() <= MAX_BOUND_BYTES)
                .map(|text| (*text).to_owned()),
        },
        ColumnStats::Labels,
    )
}

/// The text, or its beginning, which is never above it.
fn lower_bound(text: &str) -> String {
    let end = (0..=MAX_BOUND_BYTES)
        .rev()
        .find(|end| text.is_char_boundary(*end))
        .unwrap_or_default();
    text.get(..end.min(text.len()))
        .unwrap_or_default()
        .to_owned()
}

/// Statistics that hold for two sets of rows together. A column that is unknown in one is unknown in both.
pub(super) fn union(
    left: &BTreeMap<String, ColumnStats>,
    right: &BTreeMap<String, ColumnStats>,
) -> BTreeMap<String, ColumnStats> {
    left.iter()
        .filter_map(|(name, stats)| {
            let both = union_of(stats, right.get(name)?)?;
            Some((name.clone(), both))
        })
        .collect()
}

fn union_of(left: &ColumnStats, right: &ColumnStats) -> Option<ColumnStats> {
    match (left, right) {
        (
            ColumnStats::Numbers { min, max },
            ColumnStats::Numbers {
                min: min2,
                max: max2,
            },
        ) => Some(ColumnStats::Numbers {
            min: *min.min(min2),
            max: *max.max(max2),
        }),
        (ColumnStats::Labels(left), ColumnStats::Labels(right)) => {
            let both: BTreeSet<&str> = left.iter().chain(right).map(String::as_str).collect();
            let sorted: Vec<&str> = both.into_iter().collect();
            Some(label_stats(&sorted))
        }
        (ColumnStats::Keys(left), ColumnStats::Keys(right)) => {
            let both: BTreeSet<&str> = left.iter().chain(right).map(String::as_str).collect();
            let sorted: Vec<&str> = both.into_iter().collect();
            listed(&sorted, MAX_LISTED_KEYS).map(ColumnStats::Keys)
        }
        (ColumnStats::KeyRows(left), ColumnStats::KeyRows(right)) => {
            let mut both = left.clone();
            for (key, rows) in right {
                *both.entry(key.clone()).or_default() += rows;
            }
            bounded_keys(both)
        }
        (
            ColumnStats::Labels(_) | ColumnStats::Text { .. },
            ColumnStats::Labels(_) | ColumnStats::Text { .. },
        ) => {
            let (min, max) = text_bounds(left)?;
            let (min2, max2) = text_bounds(right)?;
            Some(ColumnStats::Text {
                min: min.min(min2).to_owned(),
                max: max.zip(max2).map(|(max, max2)| max.max(max2).to_owned()),
            })
        }
        _ => None,
    }
}

fn text_bounds(stats: &ColumnStats) -> Option<(&str, Option<&str>)> {
    match stats {
        ColumnStats::Text { min, max } => Some((min, max.as_deref())),
        ColumnStats::Labels(labels) => {
            Some((labels.first()?.as_str(), labels.last().map(String::as_str)))
        }
        ColumnStats::Numbers { .. } | ColumnStats::Keys(_) | ColumnStats::KeyRows(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(texts: &[&str]) -> ColumnStats {
        label_stats(texts)
    }

    #[test]
    fn few_short_labels_are_listed_and_many_become_bounds() {
        assert_eq!(
            labels(&["a", "b"]),
            ColumnStats::Labels(vec!["a".into(), "b".into()])
        );
        let many: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(
            labels(&many),
            ColumnStats::Text {
                min: "000".into(),
                max: Some("099".into())
            }
        );
    }

    #[test]
    fn long_texts_are_bounded_from_below_and_open_above() {
        let long = "é".repeat(100);
        let ColumnStats::Text { min, max } = labels(&["b", &long]) else {
            panic!()
        };
        assert_eq!((min.as_str(), max), ("b", None));
        let ColumnStats::Text { min, .. } = labels(&[&long]) else {
            panic!()
        };
        assert!(min.len() <= MAX_BOUND_BYTES && long.starts_with(&min) && !min.is_empty());
    }

    #[test]
    fn a_union_holds_for_both_sides() {
        let both = union_of(&labels(&["a"]), &labels(&["c"]));
        assert_eq!(
            both,
            Some(ColumnStats::Labels(vec!["a".into(), "c".into()]))
        );
        let bounds = ColumnStats::Text {
            min: "b".into(),
            max: None,
        };
        assert_eq!(
            union_of(&labels(&["a", "z"]), &bounds),
            Some(ColumnStats::Text {
                min: "a".into(),
                max: None
            })
        );
        assert_eq!(
            union_of(&labels(&["a"]), &ColumnStats::Numbers { min: 0, max: 1 }),
            None
        );
    }
}
