//! Where the values of a scan column lie in one row group of a segment, and what they are there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray};
use arrow::buffer::BooleanBuffer;

use super::condition::Condition;
use super::evaluate::Columns;
use super::job::{Cost, column_cost, cost};
use super::operand::{Operand, Texts, blank_texts, into_read_form, operand, without_nulls};
use crate::error::{Error, Result};
use crate::predicate::ScanColumn;
use crate::schema::TableDef;
use crate::segment::{ColumnStats, RowGroupMeta, Shape, rebuild};

/// Where values come from. Numbers are root columns of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A column that is stored as it is.
    Stored(usize),
    /// A map: its root column, and one for each promoted key.
    WholeMap(usize),
    /// A key that has a column of its own.
    Promoted(usize),
    /// A key that has to be looked up.
    InMap(usize),
    /// A key that no row of the row group has.
    Absent,
}

/// Finds columns in a row group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places<'a> {
    pub(super) table: &'static TableDef,
    pub(super) shape: &'a Shape,
    pub(super) group: Option<&'a RowGroupMeta>,
}

impl Places<'_> {
    /// The place of `column`.
    pub(super) fn of(&self, column: &ScanColumn) -> Result<Place> {
        let index = self.table.index_of(column.source());
        let index = index.ok_or_else(|| Error::Internal {
            what: format!("column `{column}` vanished from `{}`", self.table.id),
        })?;
        let column_def = self.table.columns.get(index);
        let is_map = column_def.is_some_and(|column| column.kind.is_map());
        Ok(match column {
            ScanColumn::Stored(_) if is_map => Place::WholeMap(index),
            ScanColumn::Stored(_) => Place::Stored(index),
            ScanColumn::MapValue { key, .. } | ScanColumn::MapContains { key, .. } => {
                if self.lacks(column.source(), key) {
                    return Ok(Place::Absent);
                }
                let promoted = self.shape.root_of_key(index, key);
                promoted.map_or(Place::InMap(index), Place::Promoted)
            }
        })
    }

    fn lacks(&self, column: &str, key: &str) -> bool {
        let stats = self.group.and_then(|group| group.columns.get(column));
        match stats {
            Some(ColumnStats::Keys(keys)) => keys
                .binary_search_by(|known| known.as_str().cmp(key))
                .is_err(),
            Some(ColumnStats::KeyRows(keys)) => !keys.contains_key(key),
            Some(
                ColumnStats::Numbers { .. } | ColumnStats::Text { .. } | ColumnStats::Labels(_),
            )
            | None => false,
        }
    }

    /// Adds the root columns that have to be read for `column`.
    pub(super) fn add_roots(&self, column: &ScanColumn, roots: &mut BTreeSet<usize>) -> Result<()> {
        match self.of(column)? {
            Place::Stored(root) | Place::Promoted(root) | Place::InMap(root) => {
                roots.insert(root);
            }
            Place::WholeMap(root) => {
                roots.insert(root);
                roots.extend(self.shape.promoted(root).map(|(_, root)| root));
            }
            Place::Absent => {}
        }
        Ok(())
    }

    /// What it costs to read the columns of a condition here.
    pub(super) fn cost(&self, condition: &Condition) -> Cost {
        cost(condition, &|column| match self.of(column) {
            Ok(Place::Promoted(_) | Place::Absent) => Cost::Small,
            Ok(Place::InMap(root)) if self.shape.is_sets(root) => Cost::Small,
            Ok(Place::Stored(_) | Place::WholeMap(_) | Place::InMap(_)) | Err(_) => {
                column_cost(self.table, column)
            }
        })
    }
}

/// Decoded rows of a row group.
#[derive(Debug, Clone, Copy)]
pub(super) struct FileRows<'a> {
    pub(super) places: Places<'a>,
    /// How many.
    pub(super) rows: usize,
    /// Root columns that were read now.
    pub(super) batch: Option<&'a RecordBatch>,
    /// Root columns that were read before, and where the rows begin in them.
    pub(super) kept: Option<(&'a BTreeMap<usize, ArrayRef>, usize)>,
}

impl FileRows<'_> {
    fn array(&self, root: usize) -> Result<ArrayRef> {
        if let Some((kept, from)) = self.kept
            && let Some(array) = kept.get(&root)
        {
            return Ok(array.slice(from, self.rows));
        }
        let name = self.places.shape.name(root);
        let array = self.batch.and_then(|batch| batch.column_by_name(name));
        array.cloned().ok_or_else(|| Error::Internal {
            what: format!("column `{name}` was not read"),
        })
    }

    /// The values of `column` as a scan returns them.
    pub(super) fn read(&self, column: &ScanColumn) -> Result<ArrayRef> {
        match self.places.of(column)? {
            Place::WholeMap(root) => into_read_form(column, &self.whole_map(root)?),
            Place::Stored(root) | Place::InMap(root) => into_read_form(column, &self.array(root)?),
            Place::Promoted(_) | Place::Absent => match self.operand(column)? {
                Operand::Texts(texts) => without_nulls(&texts.into_views()?),
                Operand::Flags(flags) => Ok(Arc::new(BooleanArray::new(flags, None))),
                Operand::Times(_) | Operand::Bytes(_) | Operand::Numbers(_) | Operand::Ids(_) => {
                    Err(Error::Internal {
                        what: format!("`{column}` is not a text"),
                    })
                }
            },
        }
    }

    fn whole_map(&self, root: usize) -> Result<ArrayRef> {
        let rest = self.array(root)?;
        let promoted: Vec<(&str, ArrayRef)> = self
            .places
            .shape
            .promoted(root)
            .map(|(key, root)| Ok((key, self.array(root)?)))
            .collect::<Result<_>>()?;
        let views: Vec<(&str, &StringViewArray)> = promoted
            .iter()
            .filter_map(|(key, values)| Some((*key, values.as_string_view_opt()?)))
            .collect();
        match rest.as_map_opt() {
            Some(map) if views.len() == promoted.len() => Ok(Arc::new(rebuild(map, &views)?)),
            _ => Ok(rest),
        }
    }
}

impl Columns for FileRows<'_> {
    fn rows(&self) -> usize {
        self.rows
    }

    fn operand(&self, column: &ScanColumn) -> Result<Operand> {
        let wants_value = matches!(column, ScanColumn::MapValue { .. });
        match self.places.of(column)? {
            Place::Stored(root) | Place::WholeMap(root) | Place::InMap(root) => {
                operand(column, &self.array(root)?)
            }
            Place::Promoted(root) if wants_value => {
                Ok(Operand::Texts(Texts::of(&self.array(root)?)?))
            }
            Place::Promoted(root) => {
                let array = self.array(root)?;
                let present = array.nulls().map(|nulls| nulls.inner().clone());
                let present = present.unwrap_or_else(|| BooleanBuffer::new_set(array.len()));
                Ok(Operand::Flags(present))
            }
            Place::Absent if wants_value => Ok(Operand::Texts(blank_texts(self.rows)?)),
            Place::Absent => Ok(Operand::Flags(BooleanBuffer::new_unset(self.rows))),
        }
    }
}
