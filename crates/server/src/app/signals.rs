//! SIGTERM and Ctrl-C. The first asks for a graceful stop, the second ends the process at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::error::AppError;

/// Exit status after the second signal, as shells expect of an interrupted program.
const INTERRUPTED_STATUS: i32 = 130;
/// SIGXFSZ: writing past a file-size limit must be an error of that write, not the end of the process.
const SIGXFSZ: i32 = 25;

/// The signals we listen to.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Never read: being listened to is what keeps it from killing us. SIGPIPE is ignored by the runtime of Rust.
    _file_size: Signal,
}

impl Signals {
    /// Must be called inside a runtime.
    pub(super) fn listen() -> Result<Self, AppError> {
        let listen = |kind: SignalKind| {
            signal(kind).map_err(|source| AppError::Runtime {
                what: "the signal handlers",
                source,
            })
        };
        Ok(Self {
            terminate: listen(SignalKind::terminate())?,
            interrupt: listen(SignalKind::interrupt())?,
            _file_size: listen(SignalKind::from_raw(SIGXFSZ))?,
        })
    }

    /// Waits for the next signal and returns its name.
    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }

    /// Waits for one more signal, then ends the process.
    pub(super) async fn exit_at_next(mut self) {
        let name = self.next().await;
        tracing::warn!(signal = name, "second signal, stopping at once");
        std::process::exit(INTERRUPTED_STATUS);
    }
}
