//! The columns of a flush, prepared so that any run of rows can be gathered cheaply: labels and attribute keys become
//! codes of one dictionary for the whole flush, attribute sets are split into what the file holds.

use arrow::array::{Array, ArrayRef, RecordBatch, StringArray};

use super::gather::{Location, gather_error, index, out_of_range};
use super::labels::LabelColumn;
use super::maps::{MapColumn, Promoted, SetColumn};
use super::promote::PromoteLimits;
use crate::error::Result;
use crate::schema::{Column, ColumnKind};

/// Distinct sets of a shared column that are always few enough to be stored as sets. With more of them, so many rows must
/// share one as the limits say: a scan that looks for a key looks at the sets one by one.
const FEW_SETS: usize = 16;

/// A column of all batches of a flush.
#[derive(Debug)]
pub(super) enum FlushColumn {
    /// Gathered as it is.
    Plain(Vec<ArrayRef>),
    /// Text with few distinct values.
    Label(LabelColumn),
    /// Key-value sets of rows, some keys apart from the others.
    Map(MapColumn),
    /// Key-value sets that many rows share.
    Sets(SetColumn),
}

/// How a column lies in a file, as far as there is a choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ColumnPlan {
    /// A map column: as texts of sets that rows share.
    pub(super) sets: bool,
    /// A map column: keys that have columns of their own, in order.
    pub(super) promoted: Vec<Promoted>,
}

/// Who decides how columns lie in the file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Choice<'a> {
    /// The rows do: there are no others.
    Free(PromoteLimits),
    /// It is decided, for each column of the table: these are some rows of many.
    Made(&'a [ColumnPlan]),
}

impl FlushColumn {
    pub(super) fn prepare(
        column: &Column,
        index: usize,
        batches: &[RecordBatch],
        choice: Choice<'_>,
    ) -> Result<Self> {
        let arrays = batches.iter().map(|batch| batch.column(index));
        Ok(match column.kind {
            ColumnKind::Label => Self::Label(LabelColumn::prepare(arrays)?),
            ColumnKind::SharedAttributes | ColumnKind::Attributes => {
                let map = MapColumn::prepare(arrays)?;
                match choice {
                    Choice::Free(limits) => {
                        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
                        Self::choose(map, rows, limits)?
                    }
                    Choice::Made(plans) => Self::follow(map, plans.get(index))?,
                }
            }
            ColumnKind::Timestamp
            | ColumnKind::Seconds
            | ColumnKind::TraceId
            | ColumnKind::SpanId
            | ColumnKind::Text
            | ColumnKind::UInt8
            | ColumnKind::UInt64
            | ColumnKind::Number(_)
            | ColumnKind::TimestampList
            | ColumnKind::SecondsList
            | ColumnKind::NumberList(_)
            | ColumnKind::LabelList
            | ColumnKind::TextList
            | ColumnKind::AttributesList => Self::Plain(arrays.cloned().collect()),
        })
    }

    fn choose(mut map: MapColumn, rows: usize, limits: PromoteLimits) -> Result<Self> {
        let max_sets = FEW_SETS.max(rows / limits.rows_per_set.max(1));
        if limits.max_keys > 0
            && let Some(sets) = map.as_sets(max_sets)?
        {
            return Ok(Self::Sets(sets));
        }
        map.promote(limits)?;
        Ok(Self::Map(map))
    }

    fn follow(mut map: MapColumn, plan: Option<&ColumnPlan>) -> Result<Self> {
        let plan = plan.ok_or_else(out_of_range)?;
        if plan.sets {
            let sets = map.as_sets(usize::MAX)?;
            return sets.map(Self::Sets).ok_or_else(out_of_range);
        }
        map.promote_as(&plan.promoted);
        Ok(Self::Map(map))
    }

    /// How it lies in the file.
    pub(super) fn plan(&self) -> ColumnPlan {
        ColumnPlan {
            sets: matches!(self, Self::Sets(_)),
            promoted: match self {
                Self::Map(map) => map.promoted().to_vec(),
                Self::Plain(_) | Self::Label(_) | Self::Sets(_) => Vec::new(),
            },
        }
    }

    /// The column as labels.
    pub(super) fn as_label(&self) -> Option<&LabelColumn> {
        match self {
            Self::Label(labels) => Some(labels),
            Self::Plain(_) | Self::Map(_) | Self::Sets(_) => None,
        }
    }

    /// All keys of a map column, by code.
    pub(super) fn keys(&self) -> Option<&StringArray> {
        match self {
            Self::Map(map) => Some(map.keys()),
            Self::Sets(sets) => Some(sets.keys()),
            Self::Plain(_) | Self::Label(_) => None,
        }
    }

    /// Adds the rows of each key among the rows at `locations`.
    pub(super) fn count_keys(&self, locations: &[Location], counts: &mut [u64]) -> Result<()> {
        match self {
            Self::Map(map) => map.count_keys(locations, counts),
            Self::Sets(sets) => sets.count_keys(locations, counts),
            Self::Plain(_) | Self::Label(_) => Ok(()),
        }
    }

    /// The rows at `locations` as the file holds them; columns of single keys are appended to `promoted`.
    pub(super) fn gather(
        &self,
        locations: &[Location],
        promoted: &mut Vec<ArrayRef>,
    ) -> Result<ArrayRef> {
        match self {
            Self::Plain(arrays) => {
                let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
                let indices: Vec<(usize, usize)> = locations
                    .iter()
                    .map(|(batch, row)| (index(*batch), index(*row)))
                    .collect();
                arrow::compute::interleave(&arrays, &indices).map_err(gather_error)
            }
            Self::Label(labels) => labels.gather(locations),
            Self::Map(map) => map.gather(locations, promoted),
            Self::Sets(sets) => sets.gather(locations),
        }
    }
}
