//! Why the process cannot start. Each message stands alone: it is the last line a person sees.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::http::TlsError;
use crate::telemetry::TelemetryError;

/// A reason to end with a non-zero exit status.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Logging could not be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The kernel refused threads or signal handlers.
    #[error("cannot start {what}: {source}")]
    Runtime {
        /// What was being started.
        what: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// A port cannot be opened.
    #[error(
        "cannot listen on `{addr}`: {source}; choose another address with `{flag}` (port 0 takes a free one)"
    )]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// The setting that names it.
        flag: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The data directory cannot be opened: locked by another process, not writable, or not ours.
    #[error("cannot open the store: {0}")]
    Open(#[source] cairn_storage::Error),
    /// The demo's folder cannot be made.
    #[error("cannot create the demo's folder `{path}`: {source}; name one with `--data-dir`")]
    Scratch {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The query engine did not start.
    #[error("cannot start the query engine: {0}")]
    Engine(String),
    /// A signal came while the data directory was being opened.
    #[error("stopped by a signal while starting")]
    Interrupted,
    /// The thread that opens the store died.
    #[error("the start failed: {0}")]
    Broken(String),
    /// A tool could not do what it was asked to.
    #[error("{0}")]
    Tool(#[source] cairn_storage::Error),
    /// A check found damage.
    #[error("{count} segments are damaged; `cairn check --repair` takes them out")]
    Damaged {
        /// How many.
        count: usize,
    },
    /// What a tool says cannot be written.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The server does not answer, or says that it is not ready.
    #[error("not healthy: {0}")]
    Unhealthy(String),
    /// The demo could not talk to its own server.
    #[error("the demo failed: {0}")]
    Demo(String),
}
