//! What can go wrong in the storage engine, by situation, and what the caller may do about it.

use std::io;
use std::path::PathBuf;

/// The result of a storage operation.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the *caller* may do. Shared by every crate; the server translates it once per protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The request is wrong; sending it again will not help.
    Invalid,
    /// The thing asked for does not exist.
    NotFound,
    /// We do not do that.
    Unsupported,
    /// Too much at once; try again later.
    Overloaded,
    /// The disk or the disk budget is full; try again when space is back.
    DiskFull,
    /// It took longer than allowed.
    Timeout,
    /// Somebody stopped it.
    Cancelled,
    /// Not possible now (starting, stopping, read-only after a disk error); try again later.
    Unavailable,
    /// Stored data is damaged; named and quarantined.
    Corrupt,
    /// A bug of ours.
    Internal,
}

/// An error of the storage engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A disk operation failed.
    #[error("{op} `{path}`: {source}")]
    Io {
        /// What was tried: `create`, `write`, `fsync`, …
        op: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Bytes on disk are not what was written.
    #[error("`{path}` is damaged: {what}")]
    Corrupt {
        /// The damaged file.
        path: PathBuf,
        /// What does not fit, and where.
        what: String,
    },
    /// Reading or writing Parquet failed.
    #[error("{what}: {source}")]
    Parquet {
        /// What was being done, with the file's name.
        what: String,
        /// Why it failed.
        source: parquet::errors::ParquetError,
    },
    /// An Arrow kernel refused its input.
    #[error("{what}: {source}")]
    Arrow {
        /// What was being done.
        what: &'static str,
        /// Why it failed.
        source: arrow::error::ArrowError,
    },
    /// Another process uses the data directory, or took it over.
    #[error(
        "the data directory `{path}` is in use by another cairn process ({holder}); stop it, or choose another --data-dir"
    )]
    Locked {
        /// The data directory.
        path: PathBuf,
        /// What is known of the other process.
        holder: String,
    },
    /// The WAL no longer accepts writes after a failed fsync; reads go on.
    #[error("writes are refused since the disk failed: {reason}")]
    ReadOnly {
        /// The first failure.
        reason: String,
    },
    /// Admission refused: budget or queue is full.
    #[error("{what} is full ({used_bytes} of {limit_bytes} bytes); retry later")]
    Overloaded {
        /// Which bound.
        what: &'static str,
        /// Bytes in use.
        used_bytes: u64,
        /// The bound.
        limit_bytes: u64,
    },
    /// Segments come faster than they are merged.
    #[error("{segment_count} unmerged segments of a day ({limit_count} are allowed); retry later")]
    Backlog {
        /// How many there are.
        segment_count: u64,
        /// The bound.
        limit_count: u64,
    },
    /// The disk budget or the disk itself is full.
    #[error("no space: {what}; free space or raise --max-disk-bytes")]
    DiskFull {
        /// Which write, and which bound it met.
        what: String,
    },
    /// A batch or request does not fit the table.
    #[error("{0}")]
    Invalid(String),
    /// The acknowledgement did not come in time; the outcome is unknown.
    #[error("not durable within {deadline_ms} ms; the disk is slow, retry later")]
    Timeout {
        /// The bound.
        deadline_ms: u64,
    },
    /// The store is shutting down or a background task has died.
    #[error("the store is not available: {0}")]
    Unavailable(String),
    /// A broken invariant: a bug of ours.
    #[error("internal error: {what}")]
    Internal {
        /// What was found.
        what: String,
    },
}

impl Error {
    /// What the caller may do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                ErrorKind::DiskFull
            }
            Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                ErrorKind::NotFound
            }
            Self::Io { .. }
            | Self::ReadOnly { .. }
            | Self::Unavailable(_)
            | Self::Locked { .. } => ErrorKind::Unavailable,
            Self::Corrupt { .. } | Self::Parquet { .. } => ErrorKind::Corrupt,
            Self::Arrow { .. } | Self::Internal { .. } => ErrorKind::Internal,
            Self::Overloaded { .. } | Self::Backlog { .. } => ErrorKind::Overloaded,
            Self::DiskFull { .. } => ErrorKind::DiskFull,
            Self::Invalid(_) => ErrorKind::Invalid,
            Self::Timeout { .. } => ErrorKind::Timeout,
        }
    }
}
