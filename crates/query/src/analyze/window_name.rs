//! Names of functions that exist only over windows.

use crate::error::{ErrorCode, QueryError};

/// Functions that exist only over windows.
const NAMES: [&str; 15] = [
    "cume_dist",
    "cumeDist",
    "dense_rank",
    "denseRank",
    "lag",
    "lagInFrame",
    "lead",
    "leadInFrame",
    "nth_value",
    "ntile",
    "percent_rank",
    "percentRank",
    "rank",
    "row_number",
    "nonNegativeDerivative",
];

/// Whether a function exists only over windows.
pub(super) fn is_window_function(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The error of such a function without OVER.
pub(super) fn misses_over(name: &str) -> QueryError {
    QueryError::new(
        ErrorCode::BadArguments,
        format!(
            "The function '{name}' can only be used as a window function, not as an aggregate function"
        ),
    )
}
