//! What goes into the engine and what comes out: plain data, no behaviour.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::record_batch::RecordBatch;
use futures::stream::BoxStream;

use crate::control::Progress;
use crate::error::{ErrorCode, QueryError};
use crate::types::Type;

/// One statement as a client sent it.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// SQL text.
    pub text: String,
    /// Id that `queryID()` answers; must be unique among running queries to be useful.
    pub query_id: String,
    /// Database of the request; `None` = `default`.
    pub database: Option<String>,
    /// Settings of the request, in order.
    pub settings: Vec<(String, String)>,
    /// Values of `{name:Type}`, in their escaped text form.
    pub parameters: Vec<(String, String)>,
    /// Who asks.
    pub user: String,
    /// What it may do.
    pub access: Access,
    /// The most it may take, whatever its settings say.
    pub ceiling: Ceiling,
    /// Counters that grow while it runs; whoever asks keeps a clone.
    pub progress: Arc<Progress>,
}

/// Bounds that settings can lower but not raise; none where only the engine's own hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// Over `max_execution_time`.
    pub execution: Option<Duration>,
    /// Over `max_memory_usage`.
    pub memory_bytes: Option<u64>,
    /// Over `max_result_rows`.
    pub result_rows: Option<u64>,
}

/// What a statement may do. Reading is always allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Everything.
    #[default]
    Full,
    /// `readonly = 2`: no writes, every setting but `readonly`.
    ReadOnly,
    /// `readonly = 1`: no writes and no settings.
    Frozen,
}

/// How KILL QUERY is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KillMode {
    /// Answer at once.
    Asynchronous,
    /// Answer when the queries have ended.
    Synchronous,
    /// Only say which queries it would be.
    Test,
}

/// Tells the engine that its answer was not wanted after all, and why. Without a word a dropped answer counts as
/// cancelled.
#[derive(Clone, Default)]
pub struct Refusal(pub(crate) Option<Arc<dyn Fn(ErrorCode) + Send + Sync>>);

impl Refusal {
    /// The answer could not be used: there is no such format, or it cannot be printed.
    pub fn refuse(&self, code: ErrorCode) {
        if let Some(tell) = &self.0 {
            tell(code);
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refusal")
    }
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerColumn {
    /// Name as clients see it; may repeat.
    pub name: String,
    /// ClickHouse type; batches hold [`Type::arrow`] of it.
    pub ty: Type,
}

/// The result of a statement: columns first, rows as they come.
pub struct Answer {
    /// Columns of every batch.
    pub columns: Vec<AnswerColumn>,
    /// Whether the statement has a result set (false for `SET`, `USE`).
    pub has_result: bool,
    /// Format named by a FORMAT clause.
    pub format: Option<String>,
    /// Settings in force, the statement's own SETTINGS clause included.
    pub settings: Vec<(String, String)>,
    /// Batches. Dropping the stream stops the query.
    pub rows: BoxStream<'static, Result<RecordBatch, QueryError>>,
    /// The row of WITH TOTALS, with the same columns.
    pub totals: Option<RecordBatch>,
    /// Counters, growing while `rows` is read.
    pub progress: Arc<Progress>,
    /// Whether the outer query has a LIMIT.
    pub limited: bool,
    /// What SET and USE change in the session (`USE` is the setting `database`).
    pub session: Vec<(String, String)>,
    /// The rows are queries to stop: `kill_status`, `query_id`, `user`, `query`.
    pub kill: Option<KillMode>,
    /// To say that the answer cannot be used.
    pub refusal: Refusal,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("columns", &self.columns)
            .field("has_result", &self.has_result)
            .field("format", &self.format)
            .field("settings", &self.settings)
            .field("limited", &self.limited)
            .finish_non_exhaustive()
    }
}

/// Configuration of an [`Engine`](crate::Engine): values only.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Memory for all running queries together. Operators are granted half of it: as much again is spent unaccounted.
    pub memory_bytes: usize,
    /// Directory for sorts and groupings that do not fit; its contents are ours.
    pub spill_dir: PathBuf,
    /// Most bytes of spill files at one time.
    pub spill_bytes: u64,
    /// Longest a query may run, whatever it asks for.
    pub max_execution_ms: u64,
    /// Threads of one query, and how many queries run at once.
    pub threads: usize,
    /// Zone of `DateTime` columns without one, and of `timezone()`.
    pub server_timezone: String,
    /// Folder of the data, as system tables show it.
    pub data_path: String,
    /// What `displayName()` answers.
    pub display_name: String,
    /// What `hostName()` answers.
    pub host_name: String,
    /// Queries that wait for their turn.
    pub max_queued: usize,
    /// How long they wait.
    pub queue_wait_ms: u64,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 640 * 1024 * 1024,
            spill_dir: std::env::temp_dir().join("cairn-spill"),
            spill_bytes: 1024 * 1024 * 1024,
            max_execution_ms: 300_000,
            threads: 2,
            server_timezone: "UTC".to_owned(),
            data_path: String::new(),
            display_name: "cairn".to_owned(),
            host_name: "cairn".to_owned(),
            max_queued: 64,
            queue_wait_ms: 30_000,
        }
    }
}

/// Counters of an engine since it was made, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EngineStats {
    /// Queries that began.
    pub started: u64,
    /// Queries whose last row was handed out.
    pub finished: u64,
    /// Queries that ended with an error of any kind.
    pub failed: u64,
    /// Failed ones that were stopped by a client or an operator.
    pub cancelled: u64,
    /// Failed ones that ran out of time.
    pub timed_out: u64,
    /// Queries refused because too many ran and waited.
    pub refused: u64,
    /// Queries running now.
    pub running: u64,
    /// Queries waiting now.
    pub queued: u64,
    /// Rows that scans returned.
    pub read_rows: u64,
    /// Bytes that scans returned.
    pub read_bytes: u64,
    /// Memory that running operators hold.
    pub memory_bytes: u64,
    /// Planning threads that did not come back within their deadline and still run.
    pub lost_planners: u64,
}
