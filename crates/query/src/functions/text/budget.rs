//! A bound on what a batch of an amplifying function may make, before it is made.

use datafusion::error::{DataFusionError, Result as DfResult};

use crate::error::{ErrorCode, QueryError};
use crate::limits::{MAX_BATCH_BYTES, MAX_VALUE_BYTES};

pub(super) fn too_large() -> DataFusionError {
    QueryError::new(
        ErrorCode::TooLargeStringSize,
        format!("the text would be longer than {MAX_VALUE_BYTES} bytes"),
    )
    .external()
}

/// Counts the bytes of a batch that an amplifying function makes, before they are made.
pub(super) struct Budget {
    left: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self {
            left: MAX_BATCH_BYTES,
        }
    }

    pub(super) fn spend(&mut self, bytes: Option<usize>) -> DfResult<()> {
        let bytes = bytes
            .filter(|b| *b <= MAX_VALUE_BYTES)
            .ok_or_else(too_large)?;
        self.left = self.left.checked_sub(bytes).ok_or_else(too_large)?;
        Ok(())
    }
}
