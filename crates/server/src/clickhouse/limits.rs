//! The bounds of the ClickHouse port, with the reason of each.

use std::time::Duration;

/// Bytes of a request body after decoding. Statements are far smaller; this is for parameters in
/// forms.
pub(super) const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// Bytes of a frame of `compress=1` before it is compressed, as ClickHouse writes them.
pub(super) const FRAME_RAW_BYTES: usize = 1024 * 1024;

/// Parts of one multipart form.
pub(super) const MAX_FORM_PARTS: usize = 1000;

/// Formatted bytes from which a piece is handed to the connection.
pub(super) const FLUSH_BYTES: usize = 64 * 1024;

/// Rows that are formatted at first; how wide they are decides about the next ones.
pub(super) const FIRST_STEP_ROWS: usize = 64;

/// Bytes that one step of formatting should take: bounds what wide rows pile up.
pub(super) const STEP_BYTES: usize = 1024 * 1024;

/// Most rows of one step, and so of one block of Native.
pub(super) const MAX_STEP_ROWS: usize = 65_409;

/// How long the first rows are kept back, so that an error soon after them still gets its own
/// status.
pub(super) const FIRST_FLUSH_DELAY: Duration = Duration::from_millis(100);

/// Pieces that wait for a client that reads slowly; the query pauses when they are full.
pub(super) const WAITING_PIECES: usize = 2;

/// Bytes that `wait_end_of_query` keeps back; a longer result is streamed after all.
pub(super) const MAX_BUFFERED_BYTES: usize = 32 * 1024 * 1024;

/// Bytes of the exception block at the end of a broken stream: clients look no further back.
pub(super) const MAX_EXCEPTION_BYTES: usize = 16 * 1024;

/// Bytes of a query id, a user name or a database name.
pub(super) const MAX_NAME_BYTES: usize = 1024;

/// Seconds after which a client that was refused for load should come back.
pub(super) const RETRY_AFTER_SECONDS: u32 = 1;

/// Sessions at the same time; an idle one costs its settings.
pub(super) const MAX_SESSIONS: usize = 2_000;

/// Settings that a session keeps.
pub(super) const MAX_SESSION_SETTINGS: usize = 200;

/// How long a session waits for its next request unless it says so itself.
pub(super) const DEFAULT_SESSION_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest `session_timeout`.
pub(super) const MAX_SESSION_TIMEOUT: Duration = Duration::from_secs(3600);

/// Queries in the log: enough to see what happened, and a bound on its memory with the next one.
pub(super) const MAX_LOGGED_QUERIES: usize = 2_000;

/// Bytes of statements and settings in the log.
pub(super) const MAX_LOGGED_BYTES: usize = 4 * 1024 * 1024;

/// How long `replace_running_query` waits for the query that it replaces, and KILL QUERY … SYNC for
/// the ones it stops.
pub(super) const REPLACE_WAIT: Duration = Duration::from_secs(5);

/// `X-ClickHouse-Progress` lines of one response.
pub(super) const MAX_PROGRESS_HEADERS: usize = 50;

/// Extra response headers that a request may ask for.
pub(super) const MAX_EXTRA_HEADERS: usize = 20;

/// Rows of VALUES that are not literals: each is a query of its own.
pub(super) const MAX_EXPRESSION_ROWS: usize = 1_000;

/// Rows that INSERT … SELECT writes at once: they are in memory until they are durable.
pub(super) const MAX_INSERT_SELECT_ROWS: usize = 200_000;
