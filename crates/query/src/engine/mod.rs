//! The façade: a statement in, an answer out. Orders the steps (plan, wait for a turn, run) and bounds each; what a
//! statement means is decided below.

mod admission;
mod counters;
mod filled;
mod memory;
mod planning;
mod rows;
mod settings;
mod side;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use cairn_storage::{Clock, Store};
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use futures::{StreamExt, stream};
use tokio::time::Instant;

use self::admission::{Admission, Turn};
use self::counters::{Counters, Running};
use self::filled::filled;
use self::memory::QueryMemory;
use self::planning::{Planned, Planner};
use self::rows::AnswerRows;
use self::settings::Effective;
use self::side::{Bounds, first_answers, side_answer};
use crate::analyze::KnownRows;
use crate::answer::{Answer, AnswerColumn, EngineConfig, EngineStats, Query, Refusal};
use crate::control::{Cancel, Progress};
use crate::error::{ErrorCode, QueryError, Result};
use crate::facts::ServerFacts;
use crate::session::build_session;
use crate::types::Type;

/// Answers ClickHouse SQL over a store. Cheap to share; every query runs on the runtime that polls its answer.
pub struct Engine {
    planner: Arc<Planner>,
    session: SessionState,
    pool: Arc<dyn MemoryPool>,
    admission: Admission,
    counters: Arc<Counters>,
    config: EngineConfig,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over `store`. Creates the spill directory.
    ///
    /// # Errors
    /// When the spill directory cannot be used.
    pub fn new(store: Arc<Store>, clock: Arc<dyn Clock>, config: EngineConfig) -> Result<Self> {
        let (session, pool) = build_session(&config)?;
        let counters = Arc::<Counters>::default();
        let planner = Planner::new(store, clock, session.clone(), config.clone());
        Ok(Self {
            planner: Arc::new(planner),
            session,
            pool,
            admission: Admission::new(
                config.threads.max(1),
                config.max_queued,
                Duration::from_millis(config.queue_wait_ms),
            ),
            counters,
            config,
        })
    }

    /// Runs a statement. The answer's rows come while it is read; dropping it, or `cancel`, stops the query.
    ///
    /// # Errors
    /// What is wrong with the statement, or that it cannot run now. Errors while running come with the rows.
    pub async fn run(&self, query: Query, cancel: Cancel) -> Result<Answer> {
        let running = Running::start(Arc::clone(&self.counters));
        let result = self.answer(query, &cancel, running.clone()).await;
        if let Err(error) = &result {
            running.fail(error.code);
        }
        result
    }

    async fn answer(&self, query: Query, cancel: &Cancel, running: Running) -> Result<Answer> {
        let progress = Arc::clone(&query.progress);
        let limit = Duration::from_millis(self.config.max_execution_ms);
        let deadline = Instant::now() + limit;
        let bounds = Bounds { cancel, deadline };
        let (planned, mut turn) = self.planned(query, &progress, bounds, limit).await?;
        let (plan, totals, mut effective) = match planned {
            Planned::First { .. } => {
                let what = "subqueries were left after the last round";
                return Err(QueryError::new(ErrorCode::LogicalError, what));
            }
            Planned::Run {
                plan,
                totals,
                effective,
            } => (plan, totals, effective),
            Planned::Explain { plan, effective } => {
                return explained(&plan, effective, progress, &running);
            }
            Planned::Session(effective) => {
                running.finish();
                return Ok(answer_of(effective, progress, Vec::new()));
            }
        };
        let deadline = effective.deadline(deadline, limit);
        // Statements without stored rows (what clients ask when they connect) never wait behind scans.
        if turn.is_none() && effective.reads_storage {
            turn = Some(self.admission.wait(cancel, deadline).await?);
        }
        let (context, memory) = self.memory_bounded(effective.memory_bytes)?;
        let refusal = refusal(&running);
        let totals = match totals {
            Some(totals) => {
                let bounds = Bounds { cancel, deadline };
                Some(side_answer(totals, Arc::clone(&context), bounds, 1).await?)
            }
            None => None,
        };
        let batches = execute_stream(plan, context)?;
        let batches = match effective.fill.take() {
            Some(fill) => {
                let types = effective.columns.iter().map(|column| column.ty.clone());
                filled(batches, fill, types.collect())
            }
            None => batches,
        };
        let rows = AnswerRows {
            batches,
            cancel: cancel.clone(),
            deadline,
            progress: Arc::clone(&progress),
            running,
            memory,
            limits: effective.limits,
            turn,
        };
        let rows = rows.into_stream();
        let mut answer = answer_of(effective, progress, Vec::new());
        answer.has_result = true;
        answer.rows = rows;
        answer.refusal = refusal;
        answer.totals = totals;
        Ok(answer)
    }

    /// Plans until every small subquery has run; what is nested deepest runs first, and each round knows more.
    async fn planned(
        &self,
        query: Query,
        progress: &Arc<Progress>,
        bounds: Bounds<'_>,
        limit: Duration,
    ) -> Result<(Planned, Option<Turn>)> {
        let cancel = bounds.cancel;
        let mut known = KnownRows::default();
        let mut turn = None;
        loop {
            let job = (query.clone(), Arc::new(known.clone()));
            let planning = self.planner.plan(job, cancel, progress, bounds.deadline);
            let (subqueries, effective) = match planning.await? {
                Planned::First {
                    subqueries,
                    effective,
                } => (subqueries, effective),
                planned @ (Planned::Run { .. } | Planned::Explain { .. } | Planned::Session(_)) => {
                    return Ok((planned, turn));
                }
            };
            let deadline = effective.deadline(bounds.deadline, limit);
            if turn.is_none() && effective.reads_storage {
                turn = Some(self.admission.wait(cancel, deadline).await?);
            }
            let (context, _memory) = self.memory_bounded(effective.memory_bytes)?;
            let bounds = Bounds { cancel, deadline };
            known.extend(first_answers(subqueries, &context, bounds).await?);
        }
    }

    /// Who answers for the process in system tables; the first one given stays.
    pub fn describe_server(&self, server: Arc<dyn ServerFacts>) {
        self.planner.describe_server(server);
    }

    /// The context of one query, whose operators take memory through an account of its own.
    fn memory_bounded(&self, limit_bytes: usize) -> Result<(Arc<TaskContext>, Arc<QueryMemory>)> {
        let memory = Arc::new(QueryMemory::new(Arc::clone(&self.pool), limit_bytes));
        let context = TaskContext::from(&self.session);
        let runtime = RuntimeEnvBuilder::from_runtime_env(&context.runtime_env())
            .with_memory_pool(Arc::<QueryMemory>::clone(&memory))
            .build_arc()?;
        Ok((Arc::new(context.with_runtime(runtime)), memory))
    }

    /// Counters for metrics.
    #[must_use]
    pub fn stats(&self) -> EngineStats {
        let memory = u64::try_from(self.pool.reserved()).unwrap_or(u64::MAX);
        let queued = self.admission.waiting();
        self.counters
            .stats(queued, memory, self.planner.lost_planners())
    }
}

/// Counts a query as failed when its answer is refused.
fn refusal(running: &Running) -> Refusal {
    let running = running.clone();
    Refusal(Some(Arc::new(move |code| running.fail(code))))
}

fn answer_of(effective: Effective, progress: Arc<Progress>, rows: Vec<RecordBatch>) -> Answer {
    Answer {
        has_result: !effective.columns.is_empty(),
        columns: effective.columns,
        format: effective.format,
        settings: effective.settings,
        rows: stream::iter(rows.into_iter().map(Ok)).boxed(),
        progress,
        limited: effective.limited,
        session: effective.session,
        kill: effective.kill,
        refusal: Refusal::default(),
        totals: None,
    }
}

/// The plan as text, one row a line.
fn explained(
    plan: &Arc<dyn ExecutionPlan>,
    mut effective: Effective,
    progress: Arc<Progress>,
    running: &Running,
) -> Result<Answer> {
    let text = displayable(plan.as_ref()).indent(false).to_string();
    let lines: ArrayRef = Arc::new(StringViewArray::from_iter_values(text.lines()));
    let field = Field::new("explain", DataType::Utf8View, false);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![lines])
        .map_err(|error| QueryError::new(ErrorCode::LogicalError, error.to_string()))?;
    effective.columns = vec![AnswerColumn {
        name: "explain".to_owned(),
        ty: Type::String,
    }];
    running.finish();
    Ok(answer_of(effective, progress, vec![batch]))
}
