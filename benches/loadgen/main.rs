//! `loadgen`: sends made-up telemetry to an OTLP endpoint as fast as asked and reports what it saw.

mod acked;
mod arguments;
mod report;
mod run;
mod send;

use clap::Parser;

use crate::arguments::Arguments;

fn main() -> anyhow::Result<()> {
    let plan = Arguments::parse().plan()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(plan.threads)
        .enable_all()
        .build()?;
    runtime.block_on(run::run(plan))
}
