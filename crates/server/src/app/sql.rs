//! Joins the query engine to the SQL port, and measures every query from its arrival to its last row.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use axum::Router;
use cairn_ingest::{Admission, Decoder, IngestError, rows_record};
use cairn_query::{Answer, Cancel, Engine, EngineConfig, ErrorCode, Query, QueryError};
use cairn_storage::{Clock as _, Store, SystemClock, TableId};
use chrono_tz::Tz;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use futures::{FutureExt, Stream, StreamExt};
use tokio::runtime::Runtime;

use super::error::AppError;
use super::facts::ProcessFacts;
use super::storage::spill_bytes;
use crate::access::Users;
use crate::clickhouse::{self, ClickHouseState, Processes, RunQuery};
use crate::config::Config;
use crate::ops::Sources;
use crate::telemetry::Histogram;

/// What responses name as the server.
const DISPLAY_NAME: &str = "cairn";

/// Starts the engine over `store`; its queries run on `queries`.
pub(super) fn open(
    config: &Config,
    inserts: Inserts,
    queries: &Runtime,
    sources: &Arc<Sources>,
) -> Result<Router, AppError> {
    let _in_queries = queries.enter();
    let engine = Engine::new(
        Arc::clone(&inserts.store),
        Arc::new(SystemClock),
        engine_config(config),
    )
    .map_err(|error| AppError::Engine(error.message))?;
    let engine = Arc::new(engine);
    let processes = Arc::<Processes>::default();
    let users = Arc::new(Users::new(config.users.clone(), config.anonymous));
    let facts = ProcessFacts::new(config, sources, Arc::clone(&processes), users.names());
    engine.describe_server(Arc::new(facts));
    let latency = Arc::new(Histogram::default());
    sources.open_queries(Arc::clone(&engine), Arc::clone(&latency));
    Ok(clickhouse::router(ClickHouseState {
        runner: Arc::new(Runner {
            engine,
            latency,
            inserts,
        }),
        queries: queries.handle().clone(),
        display_name: DISPLAY_NAME.to_owned(),
        timezone: Tz::UTC,
        users,
        processes,
    }))
}

fn engine_config(config: &Config) -> EngineConfig {
    EngineConfig {
        memory_bytes: usize::try_from(config.memory.queries_bytes).unwrap_or(usize::MAX),
        spill_dir: config.data_dir.join("spill"),
        spill_bytes: spill_bytes(config, EngineConfig::default().spill_bytes),
        max_execution_ms: u64::try_from(config.max_execution.as_millis()).unwrap_or(u64::MAX),
        threads: config.query_threads,
        data_path: config.data_dir.display().to_string(),
        display_name: DISPLAY_NAME.to_owned(),
        ..EngineConfig::default()
    }
}

/// The engine as the SQL port sees it.
#[derive(Debug)]
struct Runner {
    engine: Arc<Engine>,
    latency: Arc<Histogram>,
    inserts: Inserts,
}

/// Rows on their way from SQL to storage.
#[derive(Debug)]
pub(super) struct Inserts {
    /// Where they become durable.
    pub(super) store: Arc<Store>,
    /// The decoder that replays them too.
    pub(super) decoder: Arc<Decoder>,
    /// Memory of requests in flight, shared with the OTLP ports.
    pub(super) admission: Admission,
}

impl Inserts {
    async fn insert(
        &self,
        table: TableId,
        columns: Vec<(String, ArrayRef)>,
        bytes: u64,
    ) -> Result<(), QueryError> {
        let mut permit = self
            .admission
            .try_admit(bytes)
            .map_err(|error| refused(&error))?;
        let record =
            rows_record(table, &columns, SystemClock.now()).map_err(|error| refused(&error))?;
        drop(columns);
        let decoded = self
            .decoder
            .decode_admitted(&record, &mut permit)
            .map_err(|error| refused(&error))?;
        self.store.append(record, decoded.batches).await?;
        Ok(())
    }
}

fn refused(error: &IngestError) -> QueryError {
    let code = match error {
        IngestError::Malformed(_) | IngestError::UnsupportedEncoding(_) => ErrorCode::IncorrectData,
        IngestError::TooLarge { .. } => ErrorCode::QueryIsTooLarge,
        IngestError::Overloaded { .. } => ErrorCode::TooManySimultaneousQueries,
        IngestError::Internal(_) => ErrorCode::LogicalError,
    };
    QueryError::new(code, error.to_string())
}

impl RunQuery for Runner {
    fn insert(
        &self,
        table: TableId,
        columns: Vec<(String, ArrayRef)>,
        bytes: u64,
    ) -> BoxFuture<'_, Result<(), QueryError>> {
        self.inserts.insert(table, columns, bytes).boxed()
    }

    fn run(&self, query: Query, cancel: Cancel) -> BoxFuture<'_, Result<Answer, QueryError>> {
        let watch = Watch {
            began: Instant::now(),
            latency: Arc::clone(&self.latency),
        };
        let answer = self.engine.run(query, cancel);
        async move {
            let answer = answer.await?;
            let rows = Timed {
                rows: answer.rows,
                _watch: watch,
            };
            Ok(Answer {
                rows: rows.boxed(),
                ..answer
            })
        }
        .boxed()
    }
}

/// Records when it is dropped: at the last row, at an error, or when the client has gone.
#[derive(Debug)]
struct Watch {
    began: Instant,
    latency: Arc<Histogram>,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.latency.record(self.began.elapsed());
    }
}

struct Timed {
    rows: BoxStream<'static, Result<RecordBatch, QueryError>>,
    _watch: Watch,
}

impl Stream for Timed {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().rows.poll_next_unpin(cx)
    }
}
