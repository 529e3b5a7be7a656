//! The command line, and the plan it stands for.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use benches::{GeneratorConfig, Timeline};
use cairn_storage::{Clock, SystemClock};
use clap::{Parser, ValueEnum};

/// Sends made-up logs and traces over OTLP and reports rows per second, latencies and refusals.
///
/// The same seed and sizes give the same telemetry. Examples:
///
///   loadgen --rows 4000000 --batch 5000 --spread 24h
///   loadgen --signal both --protocol grpc --rate 20000 --seconds 60
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, verbatim_doc_comment)]
pub(crate) struct Arguments {
    /// What to send.
    #[arg(long, value_enum, default_value = "logs")]
    signal: SignalChoice,
    /// Stop after this many records (of each signal).
    #[arg(long, conflicts_with = "seconds")]
    rows: Option<u64>,
    /// Stop after this many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Records per second over all connections; 0 = as fast as they are taken.
    #[arg(long, default_value_t = 0)]
    rate: u64,
    /// Records in one request.
    #[arg(long, default_value_t = 1000)]
    batch: u64,
    /// Requests under way at the same time.
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Threads that make and send requests.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    #[arg(long, value_enum, default_value = "http")]
    protocol: Protocol,
    #[arg(long, value_enum, default_value = "none")]
    compression: Compression,
    /// Where to send [default: http://127.0.0.1:4318, for gRPC http://127.0.0.1:4317].
    #[arg(long)]
    endpoint: Option<String>,
    /// Number of services, three instances each.
    #[arg(long, default_value_t = 12)]
    services: u64,
    /// Number of different users and orders.
    #[arg(long, default_value_t = 10_000)]
    cardinality: u64,
    /// Everything random follows from this number.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Time of the first record in seconds since 1970 [default: now minus the spread].
    #[arg(long)]
    start: Option<u64>,
    /// Time from the first to the last record, such as 90s, 15m, 24h or 7d. Needs --rows.
    #[arg(long, value_parser = duration, requires = "rows")]
    spread: Option<Duration>,
    /// Append the number of each acknowledged batch to this file; records then carry the
    /// attributes `load.batch` and `load.index`.
    #[arg(long)]
    acked_file: Option<PathBuf>,
    /// Begin with this batch number, to continue an earlier run.
    #[arg(long, default_value_t = 0)]
    first_batch: u64,
    /// Make the requests but send nothing: measures the generator.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignalChoice {
    Logs,
    Traces,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Protocol {
    Http,
    Grpc,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Compression {
    None,
    Gzip,
    Zstd,
}

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    Batches(u64),
    Elapsed(Duration),
}

/// What to do, checked.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) generator: GeneratorConfig,
    pub(crate) signal: SignalChoice,
    pub(crate) until: Until,
    pub(crate) rate: u64,
    pub(crate) concurrency: usize,
    pub(crate) threads: usize,
    pub(crate) protocol: Protocol,
    pub(crate) compression: Compression,
    pub(crate) endpoint: String,
    pub(crate) acked_file: Option<PathBuf>,
    pub(crate) first_batch: u64,
    pub(crate) dry_run: bool,
}

impl Arguments {
    pub(crate) fn plan(self) -> Result<Plan> {
        if self.batch == 0 || self.concurrency == 0 || self.threads == 0 {
            bail!("`--batch`, `--concurrency` and `--threads` must be at least 1");
        }
        let until = match (self.rows, self.seconds) {
            (Some(rows), _) => Until::Batches(rows.div_ceil(self.batch)),
            (None, seconds) => Until::Elapsed(Duration::from_secs(seconds.unwrap_or(10))),
        };
        let default_port = match self.protocol {
            Protocol::Http => 4318,
            Protocol::Grpc => 4317,
        };
        Ok(Plan {
            generator: GeneratorConfig {
                seed: self.seed,
                batch_rows: self.batch,
                services: self.services,
                cardinality: self.cardinality.max(1),
                marked: self.acked_file.is_some(),
                timeline: self.timeline()?,
            },
            signal: self.signal,
            until,
            rate: self.rate,
            concurrency: self.concurrency,
            threads: self.threads,
            protocol: self.protocol,
            compression: self.compression,
            endpoint: self
                .endpoint
                .unwrap_or_else(|| format!("http://127.0.0.1:{default_port}")),
            acked_file: self.acked_file,
            first_batch: self.first_batch,
            dry_run: self.dry_run,
        })
    }

    fn timeline(&self) -> Result<Timeline> {
        let spread_ns = u64::try_from(self.spread.unwrap_or_default().as_nanos())?;
        let rows = self.rows.unwrap_or(0).max(1);
        let now_ns = u64::try_from(SystemClock.now().0).context("the clock is before 1970")?;
        let start_ns = match self.start {
            Some(seconds) => seconds.saturating_mul(1_000_000_000),
            None => now_ns.saturating_sub(spread_ns),
        };
        // Without a spread records are as far apart as the rate says, or 10 µs.
        let live_ns = 1_000_000_000_u64.checked_div(self.rate).unwrap_or(10_000);
        let step_ns = if spread_ns > 0 {
            spread_ns / rows
        } else {
            live_ns
        };
        Ok(Timeline { start_ns, step_ns })
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err("end it with s, m, h or d".to_owned()),
    };
    let number: u64 = number
        .parse()
        .map_err(|_| "a whole number before the unit".to_owned())?;
    number
        .checked_mul(seconds)
        .map(Duration::from_secs)
        .ok_or_else(|| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("24h"), Ok(Duration::from_secs(86_400)));
        for bad in ["", "5", "h", "1.5h", "99999999999999999999d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_run_of_rows_is_spread_over_the_window() {
        let line = [
            "loadgen", "--rows", "1000", "--spread", "10s", "--start", "100",
        ];
        let plan = Arguments::try_parse_from(line).unwrap().plan().unwrap();
        assert_eq!(plan.generator.timeline.at(0), 100_000_000_000);
        assert_eq!(plan.generator.timeline.at(1000), 110_000_000_000);
        assert!(matches!(plan.until, Until::Batches(1)));
    }
}
