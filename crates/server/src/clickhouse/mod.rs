//! The ClickHouse HTTP interface: requests in, formatted results or ClickHouse's errors out.

mod auth;
mod body;
mod exception;
mod format;
mod frames;
mod handler;
mod input;
mod insert;
mod kill;
mod limits;
mod multipart;
mod processes;
mod produce;
mod progress;
mod reply;
mod request;
mod routes;
mod runner;
mod sessions;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;

pub use handler::ClickHouseState;
pub(crate) use input::format_facts;
pub(crate) use processes::Processes;
pub use runner::RunQuery;

/// The routes of the ClickHouse port.
pub fn router(state: ClickHouseState) -> Router {
    Router::new()
        .fallback(handler::handle)
        .with_state(Arc::new(handler::Port::new(state)))
}
