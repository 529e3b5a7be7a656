//! What only the process around the engine knows and system tables show: running and finished queries, formats, figures,
//! disks. Plain data behind one trait, so that this crate knows no wire format and no HTTP.

use std::fmt;

/// The process around the engine, asked when a query names one of its tables. Every answer is a copy of a moment.
pub trait ServerFacts: Send + Sync + fmt::Debug {
    /// `system.processes`
    fn running(&self) -> Vec<RunningFact> {
        Vec::new()
    }

    /// `system.query_log`, oldest first.
    fn logged(&self) -> Vec<LoggedFact> {
        Vec::new()
    }

    /// `system.formats`
    fn formats(&self) -> Vec<FormatFact> {
        Vec::new()
    }

    /// `system.events`, `system.metrics` and `system.asynchronous_metrics`
    fn figures(&self) -> Vec<FigureFact> {
        Vec::new()
    }

    /// `system.disks`
    fn disks(&self) -> Vec<DiskFact> {
        Vec::new()
    }

    /// `system.build_options`: name and value.
    fn build_options(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// `system.users`: the names.
    fn users(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A process of which nothing is known.
impl ServerFacts for () {}

/// Who sent a query, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SenderFact {
    /// Its user.
    pub user: String,
    /// Address of the connection's other end, as text.
    pub address: String,
    /// Port of the connection's other end.
    pub port: u16,
    /// The method's name, upper case.
    pub http_method: String,
    /// `User-Agent`
    pub user_agent: String,
    /// `Referer`
    pub referer: String,
    /// `X-Forwarded-For`
    pub forwarded_for: String,
}

/// What a query has done so far, or did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkFact {
    /// Rows that scans returned.
    pub read_rows: u64,
    /// Bytes of them.
    pub read_bytes: u64,
    /// Rows that may be read, known when it starts.
    pub total_rows: u64,
    /// Rows written.
    pub written_rows: u64,
    /// Bytes written.
    pub written_bytes: u64,
    /// Rows of the answer.
    pub result_rows: u64,
    /// Bytes of the answer.
    pub result_bytes: u64,
    /// Memory of its operators, at most.
    pub memory_bytes: u64,
}

/// One running query.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunningFact {
    /// Its id.
    pub query_id: String,
    /// Its text.
    pub query: String,
    /// `Select`, `Insert`, `Show`, …
    pub query_kind: String,
    /// Its database.
    pub database: String,
    /// Who sent it.
    pub sender: SenderFact,
    /// Seconds since it began.
    pub elapsed_s: f64,
    /// Whether it is being stopped.
    pub is_cancelled: bool,
    /// What it did.
    pub work: WorkFact,
    /// Settings of the request.
    pub settings: Vec<(String, String)>,
}

/// What a line of the query log is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LoggedKind {
    /// The query began.
    #[default]
    QueryStart,
    /// It ended well.
    QueryFinish,
    /// It failed before it began to run.
    ExceptionBeforeStart,
    /// It failed while running.
    ExceptionWhileProcessing,
}

/// One line of the query log.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoggedFact {
    /// What happened.
    pub kind: LoggedKind,
    /// When it happened, nanoseconds since 1970.
    pub at_ns: i64,
    /// When the query began, nanoseconds since 1970.
    pub started_ns: i64,
    /// How long it ran.
    pub duration_ms: u64,
    /// Its id.
    pub query_id: String,
    /// Its text.
    pub query: String,
    /// `Select`, `Insert`, `Show`, …
    pub query_kind: String,
    /// Its database.
    pub database: String,
    /// Who sent it.
    pub sender: SenderFact,
    /// What it did.
    pub work: WorkFact,
    /// Number of its error, 0 when there was none.
    pub exception_code: i32,
    /// Text of its error.
    pub exception: String,
    /// Settings of the request.
    pub settings: Vec<(String, String)>,
}

/// A format of the SQL port.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormatFact {
    /// Its canonical name.
    pub name: String,
    /// INSERT reads it.
    pub is_input: bool,
    /// Answers can be in it.
    pub is_output: bool,
    /// `Content-Type` of answers.
    pub content_type: String,
}

/// A counter or a gauge of the process.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FigureFact {
    /// Its name, with labels if it has any.
    pub name: String,
    /// What it says.
    pub description: String,
    /// Its value now.
    pub value: f64,
    /// It only grows: an event, not a metric.
    pub is_counter: bool,
}

/// A place for data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskFact {
    /// Its name.
    pub name: String,
    /// The folder.
    pub path: String,
    /// Bytes free for us.
    pub free_bytes: u64,
    /// Its size.
    pub total_bytes: u64,
    /// Bytes kept free.
    pub keep_free_bytes: u64,
}
