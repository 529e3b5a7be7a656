//! What a writer knows of its answer: columns and settings.

use arrow::record_batch::RecordBatch;
use cairn_query::{AnswerColumn, Type};

use super::column::Column;
use super::{FormatError, FormatSettings};

/// The lines before the rows of a text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    None,
    Names,
    NamesAndTypes,
}

/// Columns and settings of an answer.
pub(super) struct Schema {
    pub(super) columns: Vec<AnswerColumn>,
    pub(super) settings: FormatSettings,
}

impl Schema {
    /// The columns of a batch.
    pub(super) fn bind<'a>(
        &'a self,
        batch: &'a RecordBatch,
    ) -> Result<Vec<Column<'a>>, FormatError> {
        if batch.num_columns() != self.columns.len() {
            return Err(FormatError::ColumnCount {
                expected: self.columns.len(),
                found: batch.num_columns(),
            });
        }
        self.columns
            .iter()
            .zip(batch.columns())
            .map(|(column, array)| Column::bind(&column.ty, array, &self.settings))
            .collect()
    }
}

/// Whether tables show the type right-aligned: numbers, dates and times.
pub(super) fn is_right_aligned(ty: &Type) -> bool {
    match ty {
        Type::Nullable(inner) | Type::LowCardinality(inner) => is_right_aligned(inner),
        Type::UInt8
        | Type::UInt16
        | Type::UInt32
        | Type::UInt64
        | Type::Int8
        | Type::Int16
        | Type::Int32
        | Type::Int64
        | Type::Float32
        | Type::Float64
        | Type::Decimal(..)
        | Type::Date
        | Type::Date32
        | Type::DateTime(_)
        | Type::DateTime64(..)
        | Type::Interval(_) => true,
        Type::Bool
        | Type::String
        | Type::FixedString(_)
        | Type::Uuid
        | Type::Enum8(_)
        | Type::Array(_)
        | Type::Tuple(_)
        | Type::Map(..)
        | Type::Nothing => false,
    }
}
