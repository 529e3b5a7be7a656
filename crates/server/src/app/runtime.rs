//! Two runtimes: one for sockets and ingest, one for queries at a lower priority, so that a heavy query
//! never holds up a sender.

use tokio::runtime::{Builder, Runtime};

use super::error::AppError;

/// Threads for sockets and ingest: one can decode while the other answers.
const IO_THREADS: usize = 2;
/// Threads for calls that block, such as opening the store.
const IO_BLOCKING_THREADS: usize = 32;
/// Threads for file reads of queries, for each query thread.
const BLOCKING_PER_QUERY_THREAD: usize = 4;
/// Plans are recursive; the default of 2 MiB is for shallow tasks.
const QUERY_STACK_BYTES: usize = 8 << 20;
/// How much nicer query threads are than ingest: about a third of its share of a contended core.
const QUERY_NICENESS: i32 = 5;

pub(super) fn io() -> Result<Runtime, AppError> {
    Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .max_blocking_threads(IO_BLOCKING_THREADS)
        .thread_name("cairn-io")
        .enable_all()
        .build()
        .map_err(|source| AppError::Runtime {
            what: "the ingest threads",
            source,
        })
}

pub(super) fn query(threads: usize) -> Result<Runtime, AppError> {
    Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(threads.saturating_mul(BLOCKING_PER_QUERY_THREAD))
        .thread_name("cairn-query")
        .thread_stack_size(QUERY_STACK_BYTES)
        .on_thread_start(be_nice)
        .enable_all()
        .build()
        .map_err(|source| AppError::Runtime {
            what: "the query threads",
            source,
        })
}

/// On Linux a priority belongs to a thread; a kernel that refuses leaves it as it was.
fn be_nice() {
    if let Err(error) = rustix::process::setpriority_process(None, QUERY_NICENESS) {
        tracing::debug!(%error, "query threads keep the normal priority");
    }
}
