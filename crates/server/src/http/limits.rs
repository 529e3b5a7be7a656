//! The bounds of every HTTP port, with the reason of each.

use std::time::Duration;

/// Connections of one port at the same time: each costs up to 24 KiB when idle.
pub(crate) const MAX_CONNECTIONS: usize = 10_000;

/// Connections of one address on one port, so that one client cannot take all of them.
pub(crate) const MAX_CONNECTIONS_PER_ADDRESS: usize = 512;

/// Time from the first byte of a request head to its last one.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// Time an idle connection is kept for its next request; also what the `Keep-Alive` header
/// announces.
pub(crate) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// Time within which a client must take at least one byte of what is waiting for it.
pub(crate) const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Time between two pieces of a request body.
pub(crate) const BODY_IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause of the accept loop after an error such as "too many open files".
pub(crate) const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// How often certificate files are looked at.
pub(crate) const TLS_RELOAD: Duration = Duration::from_secs(10);

/// Certificates of one file; a chain has three or four, a list of roots about 150.
pub(crate) const MAX_CERTIFICATES: usize = 1_000;

/// Header fields of one request.
pub(crate) const MAX_HEADERS: usize = 100;

/// Bytes of one HTTP/1 request head, and of what waits to be written on one connection.
pub(crate) const MAX_HEAD_BYTES: usize = 256 * 1024;

/// Bytes of the header list of one HTTP/2 request.
pub(crate) const MAX_HEADER_LIST_BYTES: u32 = 16 * 1024;

/// Requests at the same time on one HTTP/2 connection.
pub(crate) const MAX_STREAMS: u32 = 128;

/// Silence after which an HTTP/2 peer is asked whether it is still there, and the time for its
/// answer.
pub(crate) const PING_INTERVAL: Duration = Duration::from_secs(30);

/// Time for the answer to such a question.
pub(crate) const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// The largest window of a zstd stream that is decoded: 2^23 = 8 MiB.
pub(crate) const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// What a brotli coder keeps of its input at a time.
pub(crate) const BROTLI_BUFFER_BYTES: usize = 64 * 1024;

/// Brotli's effort, 0 to 11: results are made once and read once, so speed counts.
pub(crate) const BROTLI_QUALITY: u32 = 2;

/// The window of a brotli stream that we write, 2^18 = 256 KiB: bounds the memory of one response.
pub(crate) const BROTLI_WINDOW_LOG: u32 = 18;

/// The bounds of one listener. The defaults are right for every port; tests make them smaller.
#[derive(Debug, Clone, Copy)]
pub struct ServeLimits {
    /// Connections at the same time.
    pub connections: usize,
    /// Connections of one address at the same time.
    pub connections_per_address: usize,
    /// From the first to the last byte of a request head.
    pub header_timeout: Duration,
    /// How long an idle connection is kept.
    pub keep_alive_timeout: Duration,
    /// How long a client may read nothing while bytes wait for it.
    pub write_timeout: Duration,
    /// How long running requests may go on after the stop signal.
    pub drain_timeout: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: MAX_CONNECTIONS,
            connections_per_address: MAX_CONNECTIONS_PER_ADDRESS,
            header_timeout: HEADER_TIMEOUT,
            keep_alive_timeout: KEEP_ALIVE_TIMEOUT,
            write_timeout: WRITE_TIMEOUT,
            drain_timeout: Duration::from_secs(8),
        }
    }
}
