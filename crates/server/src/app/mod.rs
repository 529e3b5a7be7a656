//! Wires the parts together and owns the order in which they start and stop. No protocol and no algorithm
//! lives here.

mod error;
mod facts;
mod healthcheck;
mod listen;
mod runtime;
mod scratch;
mod server;
mod signals;
mod sql;
mod storage;
mod tools;

pub use error::AppError;
pub use healthcheck::healthcheck;
pub use tools::run_tool;

use cairn_storage::{Clock, SystemClock};

use crate::config::Config;
use crate::demo::Demo;
use crate::telemetry;
use listen::Binding;
use scratch::Scratch;
use server::Server;
use signals::Signals;

/// Runs the server until SIGTERM or Ctrl-C.
///
/// # Errors
/// When it cannot start; the message says what to do.
pub fn run_server(config: &Config) -> Result<(), AppError> {
    let (server, signals) = start(config, Binding::Exact)?;
    server.run_until(signals);
    Ok(())
}

/// Runs the server with a made-up shop until SIGTERM or Ctrl-C, or until the questions are answered once.
///
/// # Errors
/// When it cannot start, or the shop cannot talk to it.
pub fn run_demo(mut config: Config, keeps_data: bool, once: bool) -> Result<(), AppError> {
    let scratch = if keeps_data {
        None
    } else {
        Some(Scratch::new()?)
    };
    if let Some(scratch) = &scratch {
        config.data_dir = scratch.path().to_owned();
    }
    let (server, mut signals) = start(&config, Binding::OrFree)?;
    let addresses = server.addresses();
    let demo = Demo {
        clickhouse: addresses.clickhouse,
        otlp_http: addresses.otlp_http,
        otlp_grpc: addresses.otlp_grpc,
        ops: addresses.ops,
        data_dir: config.data_dir,
        keeps_data,
        once,
    };
    let shop = server.runtime().spawn(demo.run(SystemClock.now().0));
    let ended = server.runtime().block_on(async {
        tokio::select! {
            ended = shop => Some(ended),
            _ = signals.next() => None,
        }
    });
    server.runtime().spawn(signals.exit_at_next());
    server.stop();
    match ended {
        None | Some(Ok(Ok(()))) => Ok(()),
        Some(Ok(Err(error))) => Err(AppError::Demo(error.to_string())),
        Some(Err(error)) => Err(AppError::Demo(error.to_string())),
    }
}

fn start(config: &Config, binding: Binding) -> Result<(Server, Signals), AppError> {
    telemetry::init(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let io = runtime::io()?;
    let mut signals = io.block_on(async { Signals::listen() })?;
    let server = Server::start(config, io, &mut signals, binding)?;
    Ok((server, signals))
}
