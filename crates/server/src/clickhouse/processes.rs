//! Which queries run, and which ran: for `system.processes`, `system.query_log`, `KILL QUERY` and
//! the uniqueness of query ids. It stops queries only through their own signal.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cairn_query::{
    Cancel, ErrorCode, LoggedFact, LoggedKind, Progress, RunningFact, SenderFact, WorkFact,
};
use cairn_storage::{Clock, Nanos, SystemClock};
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::exception::Exception;
use super::limits::{MAX_LOGGED_BYTES, MAX_LOGGED_QUERIES, REPLACE_WAIT};

/// One query as the log knows it.
#[derive(Debug, Clone, Default)]
pub(super) struct Statement {
    /// Its id.
    pub(super) query_id: String,
    /// Its text.
    pub(super) text: String,
    /// Its database.
    pub(super) database: String,
    /// Settings of the request.
    pub(super) settings: Vec<(String, String)>,
    /// Who sent it.
    pub(super) sender: SenderFact,
}

impl Statement {
    fn bytes(&self) -> usize {
        let settings: usize = self.settings.iter().map(|(a, b)| a.len() + b.len()).sum();
        self.text.len() + settings + self.sender.user_agent.len()
    }

    fn setting(&self, name: &str) -> Option<&str> {
        let found = self.settings.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// A running query.
#[derive(Debug)]
pub(super) struct Process {
    /// What it is.
    pub(super) statement: Statement,
    /// When it began.
    pub(super) started: Nanos,
    /// The same on the clock that only runs forward.
    pub(super) began: Instant,
    /// Stops it.
    pub(super) cancel: Cancel,
    /// What it has done.
    pub(super) progress: Arc<Progress>,
}

impl Process {
    fn work(&self) -> WorkFact {
        let progress = &self.progress;
        WorkFact {
            read_rows: progress.read_rows(),
            read_bytes: progress.read_bytes(),
            total_rows: progress.total_rows_to_read(),
            written_rows: progress.written_rows(),
            written_bytes: progress.written_bytes(),
            result_rows: progress.result_rows(),
            result_bytes: progress.result_bytes(),
            memory_bytes: progress.memory_bytes(),
        }
    }

    fn fact(&self) -> RunningFact {
        let statement = &self.statement;
        RunningFact {
            query_id: statement.query_id.clone(),
            query: statement.text.clone(),
            query_kind: kind(&statement.text),
            database: statement.database.clone(),
            sender: statement.sender.clone(),
            elapsed_s: self.began.elapsed().as_secs_f64(),
            is_cancelled: self.cancel.is_cancelled(),
            work: self.work(),
            settings: statement.settings.clone(),
        }
    }
}

/// `Select`, `Insert`, `Show`, …: the first word, as ClickHouse spells the kinds.
fn kind(text: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphabetic();
    let word = text.trim_start_matches(|c: char| !is_word(c));
    let end = word.find(|c: char| !is_word(c)).unwrap_or(word.len());
    let word = word[..end].to_ascii_lowercase();
    match word.as_str() {
        "select" | "with" | "from" => "Select".to_owned(),
        "describe" | "desc" => "Describe".to_owned(),
        "kill" => "KillQuery".to_owned(),
        other => {
            let mut letters = other.chars();
            let first = letters.next().map(|c| c.to_ascii_uppercase());
            first.into_iter().chain(letters).collect()
        }
    }
}

/// How a query ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// With its last row.
    Finished,
    /// With an error before it ran.
    Refused(i32, String),
    /// With an error while it ran.
    Failed(i32, String),
}

/// A query that ended.
#[derive(Debug)]
pub(super) struct Ended {
    /// What it was.
    pub(super) process: Arc<Process>,
    /// When it ended.
    pub(super) at: Nanos,
    /// How long it ran.
    pub(super) took: Duration,
    /// How it ended.
    pub(super) outcome: Outcome,
}

impl Ended {
    /// The line of its beginning, unless it never ran, and the line of its end.
    fn facts(&self) -> impl Iterator<Item = LoggedFact> + use<> {
        let (kind, code, exception) = match &self.outcome {
            Outcome::Finished => (LoggedKind::QueryFinish, 0, String::new()),
            Outcome::Refused(code, text) => (LoggedKind::ExceptionBeforeStart, *code, text.clone()),
            Outcome::Failed(code, text) => {
                (LoggedKind::ExceptionWhileProcessing, *code, text.clone())
            }
        };
        let process = &self.process;
        let statement = &process.statement;
        let end = LoggedFact {
            kind,
            at_ns: self.at.0,
            started_ns: process.started.0,
            duration_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
            query_id: statement.query_id.clone(),
            query: statement.text.clone(),
            query_kind: self::kind(&statement.text),
            database: statement.database.clone(),
            sender: statement.sender.clone(),
            work: process.work(),
            exception_code: code,
            exception,
            settings: statement.settings.clone(),
        };
        let ran = kind != LoggedKind::ExceptionBeforeStart;
        let begin = ran.then(|| LoggedFact {
            kind: LoggedKind::QueryStart,
            at_ns: process.started.0,
            duration_ms: 0,
            work: WorkFact::default(),
            exception_code: 0,
            exception: String::new(),
            ..end.clone()
        });
        begin.into_iter().chain([end])
    }
}

#[derive(Debug, Default)]
struct Log {
    ended: VecDeque<Ended>,
    bytes: usize,
}

/// All queries of the port.
#[derive(Debug)]
pub(crate) struct Processes {
    clock: Arc<dyn Clock>,
    running: Mutex<HashMap<String, Arc<Process>>>,
    log: Mutex<Log>,
    /// Told whenever a query ends.
    ended: Notify,
}

impl Default for Processes {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            running: Mutex::default(),
            log: Mutex::default(),
            ended: Notify::new(),
        }
    }
}

impl Processes {
    /// `system.processes`, in no order.
    pub(crate) fn running_facts(&self) -> Vec<RunningFact> {
        let running = self.running.lock();
        running.values().map(|process| process.fact()).collect()
    }

    /// `system.query_log`, oldest end first.
    pub(crate) fn logged_facts(&self) -> Vec<LoggedFact> {
        let log = self.log.lock();
        log.ended.iter().flat_map(Ended::facts).collect()
    }

    /// Makes a query known under its id. With `replace_running_query=1` one of the same id and user
    /// is stopped first.
    ///
    /// # Errors
    /// When a query of that id runs and does not go away.
    pub(super) async fn begin(
        self: &Arc<Self>,
        statement: Statement,
        cancel: Cancel,
        progress: Arc<Progress>,
    ) -> Result<Registration, Exception> {
        let process = Arc::new(Process {
            statement,
            started: self.clock.now(),
            began: Instant::now(),
            cancel,
            progress,
        });
        let replace = matches!(
            process.statement.setting("replace_running_query"),
            Some("1" | "true")
        );
        let deadline = Instant::now() + REPLACE_WAIT;
        loop {
            let told = self.ended.notified();
            let Some(other) = self.insert(&process) else {
                return Ok(Registration {
                    processes: Arc::clone(self),
                    process,
                    outcome: None,
                });
            };
            let own = other.statement.sender.user == process.statement.sender.user;
            if replace && own {
                other.cancel.cancel();
                if tokio::time::timeout_at(deadline, told).await.is_ok() {
                    continue;
                }
            }
            return Err(Exception::new(
                ErrorCode::QueryWithSameIdIsAlreadyRunning,
                format!(
                    "Query with id = {} is already running",
                    process.statement.query_id
                ),
            ));
        }
    }

    /// Answers the query that has the id already.
    fn insert(&self, process: &Arc<Process>) -> Option<Arc<Process>> {
        let mut running = self.running.lock();
        let id = &process.statement.query_id;
        if let Some(other) = running.get(id) {
            return Some(Arc::clone(other));
        }
        running.insert(id.clone(), Arc::clone(process));
        None
    }

    /// Stops a query.
    ///
    /// # Errors
    /// When it belongs to somebody else.
    pub(super) fn kill(&self, query_id: &str, user: &str) -> Result<(), Exception> {
        let Some(process) = self.running.lock().get(query_id).map(Arc::clone) else {
            return Ok(());
        };
        if process.statement.sender.user != user {
            return Err(Exception::new(
                ErrorCode::AccessDenied,
                format!(
                    "{user}: Not enough privileges. To kill queries of others, it's necessary to have the grant KILL QUERY ON *.*"
                ),
            ));
        }
        process.cancel.cancel();
        Ok(())
    }

    /// Waits until none of the queries runs any more; answers whether that came before the deadline.
    pub(super) async fn all_ended(&self, query_ids: &[String], deadline: Instant) -> bool {
        loop {
            let told = self.ended.notified();
            let left = {
                let running = self.running.lock();
                query_ids.iter().any(|id| running.contains_key(id))
            };
            if !left {
                return true;
            }
            if tokio::time::timeout_at(deadline, told).await.is_err() {
                return false;
            }
        }
    }

    fn end(&self, process: &Arc<Process>, outcome: Outcome) {
        self.running.lock().remove(&process.statement.query_id);
        self.ended.notify_waiters();
        if matches!(
            process.statement.setting("log_queries"),
            Some("0" | "false")
        ) {
            return;
        }
        let mut log = self.log.lock();
        log.bytes += process.statement.bytes();
        log.ended.push_back(Ended {
            process: Arc::clone(process),
            at: self.clock.now(),
            took: process.began.elapsed(),
            outcome,
        });
        while log.ended.len() > MAX_LOGGED_QUERIES || log.bytes > MAX_LOGGED_BYTES {
            let Some(oldest) = log.ended.pop_front() else {
                return;
            };
            log.bytes -= oldest.process.statement.bytes();
        }
    }
}

/// A query is known as running as long as this lives.
#[derive(Debug)]
pub(super) struct Registration {
    processes: Arc<Processes>,
    process: Arc<Process>,
    outcome: Option<Outcome>,
}

impl Registration {
    pub(super) fn finish(&mut self) {
        self.outcome = Some(Outcome::Finished);
    }

    /// It failed; `ran` tells whether it had begun to run.
    pub(super) fn fail(&mut self, exception: &Exception, ran: bool) {
        let (number, text) = (i32::from(exception.error.number), exception.text());
        self.outcome = Some(match ran {
            true => Outcome::Failed(number, text),
            false => Outcome::Refused(number, text),
        });
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let outcome = self.outcome.take().unwrap_or_else(|| {
            let gone = "the client closed the connection";
            let exception = Exception::new(ErrorCode::QueryWasCancelled, gone);
            Outcome::Failed(i32::from(exception.error.number), exception.text())
        });
        self.processes.end(&self.process, outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(query_id: &str, user: &str) -> Statement {
        Statement {
            query_id: query_id.to_owned(),
            text: "SELECT 1".to_owned(),
            sender: SenderFact {
                user: user.to_owned(),
                ..SenderFact::default()
            },
            ..Statement::default()
        }
    }

    async fn begin(processes: &Arc<Processes>, statement: Statement) -> Result<Registration, u16> {
        let begun = processes.begin(statement, Cancel::new(), Arc::default());
        begun.await.map_err(|exception| exception.error.number)
    }

    #[tokio::test]
    async fn ids_are_unique_while_they_run() {
        let processes = Arc::<Processes>::default();
        let mut first = begin(&processes, statement("a", "u")).await.unwrap();
        assert_eq!(
            begin(&processes, statement("a", "u")).await.err(),
            Some(216)
        );
        assert_eq!(processes.running_facts().len(), 1);
        first.finish();
        drop(first);
        drop(begin(&processes, statement("a", "u")).await.unwrap());
        assert!(processes.running_facts().is_empty());
        let logged = processes.logged_facts();
        let lines: Vec<_> = logged.iter().map(|l| (l.kind, l.exception_code)).collect();
        assert_eq!(
            lines,
            [
                (LoggedKind::QueryStart, 0),
                (LoggedKind::QueryFinish, 0),
                (LoggedKind::QueryStart, 0),
                (LoggedKind::ExceptionWhileProcessing, 394),
            ]
        );
        assert_eq!(logged[0].query_kind, "Select");
    }

    #[tokio::test]
    async fn a_query_can_replace_its_predecessor_of_the_same_user() {
        let processes = Arc::<Processes>::default();
        let cancel = Cancel::new();
        let begun = processes.begin(statement("a", "u"), cancel.clone(), Arc::default());
        let first = begun.await.unwrap();
        tokio::spawn(async move {
            cancel.cancelled().await;
            drop(first);
        });
        let mut replacing = statement("a", "u");
        replacing.settings = vec![("replace_running_query".to_owned(), "1".to_owned())];
        let other = Statement {
            sender: SenderFact::default(),
            ..replacing.clone()
        };
        assert_eq!(begin(&processes, other).await.err(), Some(216));
        drop(begin(&processes, replacing).await.unwrap());
    }

    #[tokio::test]
    async fn only_own_queries_can_be_killed_and_their_end_awaited() {
        let processes = Arc::<Processes>::default();
        let cancel = Cancel::new();
        let begun = processes.begin(statement("a", "u"), cancel.clone(), Arc::default());
        let running = begun.await.unwrap();
        assert!(processes.kill("a", "other").is_err());
        assert!(!cancel.is_cancelled());
        processes.kill("unknown", "u").unwrap();
        processes.kill("a", "u").unwrap();
        assert!(cancel.is_cancelled());
        let ids = ["a".to_owned()];
        assert!(!processes.all_ended(&ids, Instant::now()).await);
        drop(running);
        assert!(processes.all_ended(&ids, Instant::now()).await);
    }

    #[tokio::test]
    async fn the_log_is_bounded_and_can_be_avoided() {
        let processes = Arc::<Processes>::default();
        let mut quiet = statement("quiet", "u");
        quiet.settings = vec![("log_queries".to_owned(), "0".to_owned())];
        drop(begin(&processes, quiet).await.unwrap());
        assert!(processes.logged_facts().is_empty());
        for number in 0..MAX_LOGGED_QUERIES + 5 {
            drop(
                begin(&processes, statement(&number.to_string(), "u"))
                    .await
                    .unwrap(),
            );
        }
        assert_eq!(processes.logged_facts().len(), 2 * MAX_LOGGED_QUERIES);
        let mut large = statement("large", "u");
        large.text = "x".repeat(MAX_LOGGED_BYTES);
        drop(begin(&processes, large).await.unwrap());
        assert!(processes.logged_facts().len() < 2 * MAX_LOGGED_QUERIES);
    }
}
