//! `cairn demo`: a made-up shop that sends real OTLP requests to a running server and asks it questions over
//! HTTP. A client like any other: it knows addresses, not the server's insides.

mod client;
mod otlp;
mod questions;
mod screen;
mod shop;
mod traffic;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use client::Client;
use screen::Screen;
use traffic::Traffic;

/// Where the server is and what to tell about it.
#[derive(Debug, Clone)]
pub(crate) struct Demo {
    /// SQL over HTTP.
    pub(crate) clickhouse: SocketAddr,
    /// OTLP/HTTP.
    pub(crate) otlp_http: SocketAddr,
    /// OTLP/gRPC.
    pub(crate) otlp_grpc: SocketAddr,
    /// Probes and metrics.
    pub(crate) ops: SocketAddr,
    /// Where the data lies.
    pub(crate) data_dir: PathBuf,
    /// Whether the data stays when the demo ends.
    pub(crate) keeps_data: bool,
    /// Answer the questions once and stop.
    pub(crate) once: bool,
}

/// What went wrong between the demo and its server.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    /// No answer, or a broken one.
    #[error("cannot talk to `{addr}`: {what}")]
    Talk {
        /// The port.
        addr: SocketAddr,
        /// What happened.
        what: String,
    },
    /// The server refused telemetry.
    #[error("the server refused telemetry with status {status}: {body}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// The server's words.
        body: String,
    },
    /// The terminal is gone.
    #[error("cannot print: {0}")]
    Print(#[from] std::io::Error),
}

impl Demo {
    /// Fills the store, asks the questions, and goes on sending until dropped.
    pub(crate) async fn run(self, now_nanos: i64) -> Result<(), DemoError> {
        let screen = Screen::new();
        screen.title(&self)?;
        let client = Client::new();
        let mut traffic = Traffic::new(client.clone(), self.otlp_http);
        let began = Instant::now();
        traffic.backfill(now_nanos).await?;
        screen.stored(traffic.sent(), began.elapsed())?;
        questions::ask_all(&client, self.clickhouse, &screen).await?;
        screen.invitation(&self)?;
        if self.once {
            return Ok(());
        }
        traffic.go_on(now_nanos).await
    }
}
