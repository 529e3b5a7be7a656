//! What can go wrong while printing.

use arrow::array::{Array, ArrayRef};
use cairn_query::Type;

/// Why a batch could not be printed: always a mistake of ours, never of the data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FormatError {
    /// The array is not the physical form of the column's type.
    #[error("a column of type `{ty}` arrived as Arrow `{arrow}`")]
    Unexpected {
        /// The ClickHouse type.
        ty: String,
        /// The Arrow type.
        arrow: String,
    },
    /// A type names a zone that does not exist.
    #[error("unknown time zone `{0}`")]
    UnknownZone(String),
    /// A batch has another number of columns than the answer.
    #[error("a batch of {found} columns in an answer of {expected}")]
    ColumnCount {
        /// Columns of the answer.
        expected: usize,
        /// Columns of the batch.
        found: usize,
    },
    /// The format cannot express the rows, or its library failed.
    #[error("cannot write the result in this format: {0}")]
    Encode(String),
    /// The format has to keep the whole result back, and it is too large for that.
    #[error("the result is larger than {0} bytes, which this format has to hold at once")]
    TooLarge(usize),
}

impl From<arrow::error::ArrowError> for FormatError {
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Encode(error.to_string())
    }
}

impl FormatError {
    pub(super) fn unexpected(ty: &Type, array: &ArrayRef) -> Self {
        Self::Unexpected {
            ty: ty.to_string(),
            arrow: array.data_type().to_string(),
        }
    }
}
