//! The run: workers take batch numbers from one counter, make the batch, send it until it is taken.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Result;
use benches::{Landscape, LogGenerator, SpanGenerator};
use bytes::Bytes;
use tokio::time::{Instant, sleep, sleep_until};

use crate::acked::AckedFile;
use crate::arguments::{Plan, SignalChoice, Until};
use crate::report::{Report, Tally};
use crate::send::{Outcome, Sender, Signal};

/// A request is given up after this many tries.
const MAX_TRIES: u32 = 20;
/// Wait before a second try when the server names no time; doubles up to [`MAX_BACKOFF_MS`].
const FIRST_BACKOFF_MS: u64 = 50;
const MAX_BACKOFF_MS: u64 = 5_000;

struct Shared {
    plan: Plan,
    landscape: Arc<Landscape>,
    next: AtomicU64,
    started: Instant,
    acked: Option<AckedFile>,
}

pub(crate) async fn run(plan: Plan) -> Result<()> {
    let shared = Arc::new(Shared {
        landscape: Arc::new(Landscape::new(&plan.generator)),
        next: AtomicU64::new(0),
        started: Instant::now(),
        acked: plan
            .acked_file
            .as_deref()
            .map(AckedFile::open)
            .transpose()?,
        plan,
    });
    let workers: Vec<_> = (0..shared.plan.concurrency)
        .map(|_| tokio::spawn(work(Arc::clone(&shared))))
        .collect();
    let mut tally = Tally::default();
    for worker in workers {
        tally.add(worker.await??);
    }
    tally.latencies.sort_unstable();
    let report = Report {
        tally,
        elapsed: shared.started.elapsed(),
    };
    write!(std::io::stdout(), "{report}")?;
    if report.tally.lost.is_empty() {
        Ok(())
    } else {
        anyhow::bail!("some requests were never acknowledged")
    }
}

async fn work(shared: Arc<Shared>) -> Result<Tally> {
    let plan = &shared.plan;
    let mut sender = Sender::new(plan)?;
    let mut logs = LogGenerator::new(plan.generator.clone(), Arc::clone(&shared.landscape));
    let mut spans = SpanGenerator::new(plan.generator.clone(), Arc::clone(&shared.landscape));
    let mut tally = Tally::default();
    let mut payload = Vec::new();
    while let Some((signal, batch)) = shared.take_batch().await {
        match signal {
            Signal::Logs => logs.write_batch(batch, &mut payload),
            Signal::Traces => spans.write_batch(batch, &mut payload),
        }
        let rows = plan.generator.batch_rows;
        let bytes = u64::try_from(payload.len())?;
        if plan.dry_run {
            tally.rows += rows;
            tally.bytes += bytes;
            tally.requests += 1;
            // Without this a dry run on one thread would never let another worker in.
            tokio::task::yield_now().await;
            continue;
        }
        let body = Bytes::copy_from_slice(&payload);
        if let Some(rejected) = deliver(&mut sender, signal, body, &mut tally).await {
            if let Some(acked) = &shared.acked {
                acked.note(signal, batch)?;
            }
            tally.requests += 1;
            tally.rows += rows - rejected.min(rows);
            tally.rejected_rows += rejected;
            tally.bytes += bytes;
        }
    }
    Ok(tally)
}

/// Sends until the request is acknowledged or hopeless; the rejected count when acknowledged.
async fn deliver(
    sender: &mut Sender,
    signal: Signal,
    body: Bytes,
    tally: &mut Tally,
) -> Option<u64> {
    let mut backoff_ms = FIRST_BACKOFF_MS;
    let mut last = String::new();
    for _ in 0..MAX_TRIES {
        let sent = Instant::now();
        let (wait_ms, reason) = match sender.send(signal, body.clone()).await {
            Outcome::Acknowledged { rejected } => {
                tally.latencies.push(sent.elapsed());
                return Some(rejected);
            }
            Outcome::Refused { reason } => {
                *tally.lost.entry(reason).or_default() += 1;
                return None;
            }
            Outcome::Busy { retry_ms, reason } => (retry_ms.unwrap_or(backoff_ms), reason),
            Outcome::Unknown { reason } => (backoff_ms, reason),
        };
        tally.retries += 1;
        last = reason;
        sleep(Duration::from_millis(wait_ms)).await;
        backoff_ms = (backoff_ms * 2).min(MAX_BACKOFF_MS);
    }
    *tally.lost.entry(last).or_default() += 1;
    None
}

impl Shared {
    /// The next batch, at its time; `None` when the run is over.
    async fn take_batch(&self) -> Option<(Signal, u64)> {
        let ticket = self.next.fetch_add(1, Ordering::Relaxed);
        let (signal, batch) = match self.plan.signal {
            SignalChoice::Logs => (Signal::Logs, ticket),
            SignalChoice::Traces => (Signal::Traces, ticket),
            SignalChoice::Both if ticket.is_multiple_of(2) => (Signal::Logs, ticket / 2),
            SignalChoice::Both => (Signal::Traces, ticket / 2),
        };
        if let Some(due) = self.due(ticket) {
            sleep_until(due).await;
        }
        let over = match self.plan.until {
            Until::Batches(count) => batch >= count,
            Until::Elapsed(limit) => self.started.elapsed() >= limit,
        };
        (!over).then_some((signal, self.plan.first_batch + batch))
    }

    fn due(&self, ticket: u64) -> Option<Instant> {
        let rows = ticket.saturating_mul(self.plan.generator.batch_rows);
        let nanos = u128::from(rows) * 1_000_000_000;
        let since = nanos.checked_div(u128::from(self.plan.rate))?;
        Some(self.started + Duration::from_nanos(u64::try_from(since).ok()?))
    }
}
