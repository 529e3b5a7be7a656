//! Joins the query engine to the SQL port, and measures every query from its arrival to its last row.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use arrow::record_batch::RecordBatch;
use axum::Router;
use cairn_query::{Answer, Cancel, Engine, EngineConfig, Query, QueryError};
use cairn_storage::{Store, SystemClock};
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
    store: &Arc<Store>,
    queries: &Runtime,
    sources: &Arc<Sources>,
) -> Result<Router, AppError> {
    let _in_queries = queries.enter();
    let engine = Engine::new(
        Arc::clone(store),
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
        runner: Arc::new(Runner { engine, latency }),
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
}

impl RunQuery for Runner {
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
