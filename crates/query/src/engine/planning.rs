//! From text to a physical plan, on a thread of its own: planning recurses over the query, so it gets a large stack,
//! and it cannot be interrupted, so it gets a deadline after which nobody waits for it any more.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use cairn_storage::{Clock, Nanos, Snapshot, Store};
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use futures::executor::block_on;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::settings::{Effective, check_changes, last};
use crate::analyze::{AnalyzeContext, Analyzed, KnownRows, TypedStatement, analyze};
use crate::answer::{Access, AnswerColumn, EngineConfig, KillMode, Query};
use crate::catalog::{self, Moment};
use crate::control::{Cancel, Progress};
use crate::error::{ErrorCode, QueryError, Result};
use crate::facts::ServerFacts;
use crate::functions;
use crate::lower::lower;
use crate::scan::{QueryScans, ReadLimits, ScanShared};
use crate::syntax::{KillSpeed, Statement, parse};
use crate::types::Type;

/// Stack of a planning thread; the bounds on nesting and chains were chosen to fit many times over. Pages that are not
/// touched cost nothing.
const PLANNER_STACK_BYTES: usize = 64 * 1024 * 1024;
/// Planning threads that nobody waits for any more, at most; beyond it new queries are refused.
const MAX_LOST_PLANNERS: u64 = 4;
const NANOS_PER_SECOND: i64 = 1_000_000_000;

type Plan = Arc<dyn ExecutionPlan>;

/// What a statement became.
pub(super) enum Planned {
    /// Rows.
    Run {
        plan: Arc<dyn ExecutionPlan>,
        totals: Option<Arc<dyn ExecutionPlan>>,
        effective: Effective,
    },
    /// Small subqueries must run first.
    First {
        subqueries: Vec<Subquery>,
        effective: Effective,
    },
    /// The plan itself is asked for.
    Explain {
        plan: Arc<dyn ExecutionPlan>,
        effective: Effective,
    },
    /// `USE`, `SET`: no rows.
    Session(Effective),
}

/// A subquery to run before the statement can be planned.
pub(super) struct Subquery {
    /// Its number in the statement.
    pub(super) id: u32,
    pub(super) plan: Plan,
    pub(super) types: Vec<Type>,
    /// Most rows that are wanted; one more tells that there are more.
    pub(super) most: usize,
}

/// Plans statements.
pub(super) struct Planner {
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    session: SessionState,
    config: EngineConfig,
    started: Nanos,
    lost: Arc<AtomicU64>,
    /// Set once, by the process that has this engine.
    server: OnceLock<Arc<dyn ServerFacts>>,
}

/// One statement on its way.
struct Job {
    query: Query,
    cancel: Cancel,
    progress: Arc<Progress>,
    known: Arc<KnownRows>,
}

impl Planner {
    pub(super) fn new(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        session: SessionState,
        config: EngineConfig,
    ) -> Self {
        let started = clock.now();
        Self {
            store,
            clock,
            session,
            config,
            started,
            lost: Arc::default(),
            server: OnceLock::new(),
        }
    }

    /// Who answers for the process from now on; the first one stays.
    pub(super) fn describe_server(&self, server: Arc<dyn ServerFacts>) {
        self.server.get_or_init(|| server);
    }

    pub(super) fn lost_planners(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Plans `query` on a thread of its own and waits for it until the deadline.
    pub(super) async fn plan(
        self: &Arc<Self>,
        (query, known): (Query, Arc<KnownRows>),
        cancel: &Cancel,
        progress: &Arc<Progress>,
        deadline: Instant,
    ) -> Result<Planned> {
        if self.lost_planners() >= MAX_LOST_PLANNERS {
            return Err(QueryError::new(
                ErrorCode::TooManySimultaneousQueries,
                "Too many simultaneous queries: earlier ones are still being planned",
            ));
        }
        let job = Job {
            query,
            cancel: cancel.clone(),
            progress: Arc::clone(progress),
            known,
        };
        let (answer, planned) = oneshot::channel();
        let planner = Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name("cairn-plan".to_owned())
            .stack_size(PLANNER_STACK_BYTES)
            .spawn(move || {
                let planned = catch_unwind(AssertUnwindSafe(|| planner.plan_here(&job)));
                let planned = planned.unwrap_or_else(|_| {
                    let what = "planning panicked; the query was stopped, nothing else is affected";
                    Err(QueryError::new(ErrorCode::LogicalError, what))
                });
                if answer.send(planned).is_err() {
                    // Nobody waits any more: then this thread was counted as lost.
                    planner.lost.fetch_sub(1, Ordering::Relaxed);
                }
            });
        if let Err(error) = thread {
            let what = format!("cannot start a planning thread: {error}");
            return Err(QueryError::new(ErrorCode::TooManySimultaneousQueries, what));
        }
        let mut waiting = Waiting {
            lost: Arc::clone(&self.lost),
            planned,
            done: false,
        };
        tokio::select! {
            planned = waiting.wait() => planned,
            () = cancel.cancelled() => {
                cancel.check()?;
                Err(QueryError::new(ErrorCode::QueryWasCancelled, "Query was cancelled"))
            }
            () = tokio::time::sleep_until(deadline) => {
                cancel.time_out();
                cancel.check()?;
                Err(QueryError::new(ErrorCode::TimeoutExceeded, "Timeout exceeded"))
            }
        }
    }

    fn plan_here(&self, job: &Job) -> Result<Planned> {
        if let Some(name) = job.query.database.as_deref()
            && !catalog::database(name)
        {
            return Err(QueryError::new(
                ErrorCode::UnknownDatabase,
                format!("Database {name} does not exist"),
            ));
        }
        let parsed = parse(&job.query.text, &job.query.parameters)?;
        let mut settings = job.query.settings.clone();
        let own = parsed.outer_settings();
        check_changes(job.query.access, &settings, &own)?;
        settings.extend(own);
        let mut effective = Effective::new(settings)?;
        effective.lower_to(job.query.ceiling);
        effective.format.clone_from(&parsed.format);
        if matches!(parsed.statement, Statement::Define(_)) && job.query.access != Access::Full {
            return Err(QueryError::new(
                ErrorCode::Readonly,
                "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. You should \
                 use method POST for modifying queries",
            ));
        }
        let snapshot = self.store.snapshot();
        let mut context = self.context(&job.query, &effective, snapshot.clone());
        context.known = Arc::clone(&job.known);
        let (statement, explain) = match analyze(&parsed, &context)? {
            Analyzed::Query(statement) => (statement, false),
            Analyzed::Explain(statement) => (statement, true),
            Analyzed::Session { settings, .. } => {
                check_changes(job.query.access, &effective.settings, &settings)?;
                effective.session = settings;
                return Ok(Planned::Session(effective));
            }
        };
        effective.kill = kill_mode(&parsed.statement);
        effective.columns = columns(&statement);
        effective.limited = statement.query.limited;
        effective.fill.clone_from(&statement.fill);
        effective.reads_storage = !statement.scans.is_empty();
        if !explain && !statement.wanted.is_empty() {
            let mut subqueries = Vec::new();
            for wanted in &statement.wanted {
                let plans = self.physical(
                    &wanted.statement,
                    job,
                    snapshot.clone(),
                    effective.read_limits,
                )?;
                let output = wanted.statement.query.output.iter();
                subqueries.push(Subquery {
                    id: wanted.id,
                    plan: plans.0,
                    types: output.map(|column| column.ty.clone()).collect(),
                    most: wanted.most,
                });
            }
            return Ok(Planned::First {
                subqueries,
                effective,
            });
        }
        let (plan, totals) = self.physical(&statement, job, snapshot, effective.read_limits)?;
        Ok(match explain {
            true => Planned::Explain { plan, effective },
            false => Planned::Run {
                plan,
                totals,
                effective,
            },
        })
    }

    fn physical(
        &self,
        statement: &TypedStatement,
        job: &Job,
        snapshot: Snapshot,
        limits: ReadLimits,
    ) -> Result<(Plan, Option<Plan>)> {
        let scans = QueryScans::new(ScanShared {
            snapshot,
            cancel: job.cancel.clone(),
            progress: Arc::clone(&job.progress),
            threads: self.config.threads,
            limits,
        });
        let lowered = lower(statement, &scans, &job.cancel)?;
        let physical = |plan| block_on(self.session.create_physical_plan(plan));
        let totals = lowered.totals.as_ref().map(physical).transpose()?;
        Ok((physical(&lowered.plan)?, totals))
    }

    fn context(&self, query: &Query, effective: &Effective, snapshot: Snapshot) -> AnalyzeContext {
        let now = self.clock.now();
        let database = query
            .database
            .clone()
            .unwrap_or_else(|| "default".to_owned());
        let server = &self.config.server_timezone;
        let timezone =
            last(&effective.settings, "session_timezone").filter(|zone| !zone.is_empty());
        let uptime = now.since(self.started) / NANOS_PER_SECOND;
        AnalyzeContext {
            functions: functions::Context {
                now_ns: now.0,
                timezone: timezone.unwrap_or(server).to_owned(),
                server_timezone: server.clone(),
                query_id: query.query_id.clone(),
                database: database.clone(),
                user: query.user.clone(),
                host_name: self.config.host_name.clone(),
                display_name: self.config.display_name.clone(),
                uptime_s: u32::try_from(uptime).unwrap_or(u32::MAX),
            },
            database,
            known: Arc::default(),
            moment: Moment {
                snapshot,
                settings: effective.settings.clone(),
                server: self
                    .server
                    .get()
                    .map_or_else(|| Arc::new(()) as _, Arc::clone),
                data_path: self.config.data_path.clone(),
                started_s: u64::try_from(self.started.0 / NANOS_PER_SECOND).unwrap_or(0),
            },
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "only one kind of statement stops queries"
)]
fn kill_mode(statement: &Statement) -> Option<KillMode> {
    match statement {
        Statement::Kill(_, KillSpeed::Async) => Some(KillMode::Asynchronous),
        Statement::Kill(_, KillSpeed::Sync) => Some(KillMode::Synchronous),
        Statement::Kill(_, KillSpeed::Test) => Some(KillMode::Test),
        _ => None,
    }
}

fn columns(statement: &TypedStatement) -> Vec<AnswerColumn> {
    let output = statement.query.output.iter();
    output
        .map(|column| AnswerColumn {
            name: column.name.clone(),
            ty: column.ty.clone(),
        })
        .collect()
}

/// Somebody waits for a planning thread. Who leaves early leaves a lost thread behind.
struct Waiting {
    lost: Arc<AtomicU64>,
    planned: oneshot::Receiver<Result<Planned>>,
    done: bool,
}

impl Waiting {
    async fn wait(&mut self) -> Result<Planned> {
        let planned = (&mut self.planned).await;
        self.done = true;
        planned.unwrap_or_else(|_| {
            let what = "the planning thread ended without an answer";
            Err(QueryError::new(ErrorCode::LogicalError, what))
        })
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.done {
            return;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.planned.close();
        // It answered in between: then it is not lost.
        if self.planned.try_recv().is_ok() {
            self.lost.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
