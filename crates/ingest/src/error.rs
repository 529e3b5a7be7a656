//! Why a request is refused, by what the sender may do about it.

use cairn_storage::ErrorKind;

/// The result of an ingest operation.
pub(crate) type Result<T, E = IngestError> = std::result::Result<T, E>;

/// A request that is refused whole. Records refused one by one are counted in
/// [`Decoded`](crate::Decoded) instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// The bytes are not what they claim to be; sending them again will not help.
    #[error("malformed request: {0}")]
    Malformed(String),
    /// The request passes a bound; send it in smaller parts.
    #[error("{what} exceed the limit of {limit}; send smaller batches")]
    TooLarge {
        /// What was counted.
        what: &'static str,
        /// The bound.
        limit: u64,
    },
    /// The content type or content encoding is not supported.
    #[error("{0}")]
    UnsupportedEncoding(String),
    /// Too many bytes in flight; try again later.
    #[error("ingest is at its limit ({used_bytes} of {limit_bytes} bytes in flight); retry later")]
    Overloaded {
        /// Bytes in flight.
        used_bytes: u64,
        /// The bound.
        limit_bytes: u64,
    },
    /// A bug of ours.
    #[error("internal error: {0}")]
    Internal(String),
}

impl IngestError {
    /// What the caller may do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Malformed(_) | Self::TooLarge { .. } => ErrorKind::Invalid,
            Self::UnsupportedEncoding(_) => ErrorKind::Unsupported,
            Self::Overloaded { .. } => ErrorKind::Overloaded,
            Self::Internal(_) => ErrorKind::Internal,
        }
    }
}

impl From<arrow::error::ArrowError> for IngestError {
    /// Builders hand over consistent columns, so what Arrow refuses is our mistake.
    fn from(error: arrow::error::ArrowError) -> Self {
        Self::Internal(error.to_string())
    }
}

impl From<IngestError> for cairn_storage::Error {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Internal(what) => Self::Internal { what },
            IngestError::Overloaded {
                used_bytes,
                limit_bytes,
            } => Self::Overloaded {
                what: "ingest memory",
                used_bytes,
                limit_bytes,
            },
            IngestError::Malformed(_)
            | IngestError::TooLarge { .. }
            | IngestError::UnsupportedEncoding(_) => Self::Invalid(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_says_whether_a_retry_can_help() {
        let overloaded = IngestError::Overloaded {
            used_bytes: 2,
            limit_bytes: 1,
        };
        assert_eq!(overloaded.kind(), ErrorKind::Overloaded);
        let stored: cairn_storage::Error = overloaded.into();
        assert_eq!(stored.kind(), ErrorKind::Overloaded);
        let stored: cairn_storage::Error = IngestError::Malformed("x".to_owned()).into();
        assert_eq!(stored.kind(), ErrorKind::Invalid);
        assert_eq!(stored.to_string(), "malformed request: x");
    }
}
