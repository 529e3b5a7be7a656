//! The operator's port: probes and metrics. Nothing here waits for storage or queries.

mod exposition;
mod health;
mod metrics;
mod process;
mod query_metrics;
mod store_metrics;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

pub(crate) use health::{Health, Phase};
pub(crate) use metrics::Sources;

const PROMETHEUS_TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The routes of port 9363.
pub(crate) fn router(health: Arc<Health>, sources: Arc<Sources>) -> Router {
    Router::new()
        // Alive is whoever answers: a restart would not mend a disk, and restart loops hide the cause.
        .route("/livez", get(|| async { "alive\n" }))
        .route("/readyz", get(move || readyz(health)))
        .route("/metrics", get(move || metrics(sources)))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                "no such path; there are /livez, /readyz and /metrics\n",
            )
        })
}

async fn readyz(health: Arc<Health>) -> (StatusCode, &'static str) {
    match health.phase() {
        Phase::Starting => (StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
        Phase::Ready => (StatusCode::OK, "ready\n"),
        Phase::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "stopping\n"),
    }
}

async fn metrics(sources: Arc<Sources>) -> ([(http::HeaderName, &'static str); 1], String) {
    ([(CONTENT_TYPE, PROMETHEUS_TEXT)], sources.render())
}
