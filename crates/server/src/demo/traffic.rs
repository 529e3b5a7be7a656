//! Sends the shop's telemetry: an hour of history at once, then a gentle stream.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::client::Client;
use super::shop::{Visit, visit};
use super::{DemoError, otlp};

/// Visits of the history.
const HISTORY_VISITS: i64 = 4_000;
/// Visits of one request.
const BATCH_VISITS: i64 = 500;
/// How far the history goes back.
const HISTORY_NANOS: i64 = 3_600 * SECOND;
/// The incident of the history: from and to, before now.
const INCIDENT_NANOS: (i64, i64) = (22 * 60 * SECOND, 14 * 60 * SECOND);
/// Pause between two requests of the stream.
const PAUSE: Duration = Duration::from_millis(500);
/// Visits of one such request.
const STREAM_VISITS: i64 = 2;
/// The shop is the same every time.
const SEED: u64 = 20_250_101;
const SECOND: i64 = 1_000_000_000;

/// Records sent so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) lines: usize,
    pub(super) spans: usize,
}

/// The shop's exporter.
#[derive(Debug)]
pub(super) struct Traffic {
    client: Client,
    addr: SocketAddr,
    rng: StdRng,
    sent: Sent,
}

impl Traffic {
    pub(super) fn new(client: Client, addr: SocketAddr) -> Self {
        Self {
            client,
            addr,
            rng: StdRng::seed_from_u64(SEED),
            sent: Sent::default(),
        }
    }

    pub(super) fn sent(&self) -> Sent {
        self.sent
    }

    /// The hour before `now_nanos`, oldest first.
    pub(super) async fn backfill(&mut self, now_nanos: i64) -> Result<(), DemoError> {
        // The last visits end before now.
        let end = now_nanos - 10 * SECOND;
        let step = HISTORY_NANOS / HISTORY_VISITS;
        let mut visits = Vec::new();
        for index in 0..HISTORY_VISITS {
            let jitter = self.rng.random_range(0..step);
            let start = end - HISTORY_NANOS + index * step + jitter;
            let ago = now_nanos - start;
            let ill = (INCIDENT_NANOS.1..INCIDENT_NANOS.0).contains(&ago);
            visits.push(visit(&mut self.rng, start, ill));
            if (index + 1) % BATCH_VISITS == 0 {
                self.send(&visits).await?;
                visits.clear();
            }
        }
        Ok(())
    }

    /// Goes on from `now_nanos`; ends only with an error. A server that is busy or stopping is asked again.
    pub(super) async fn go_on(&mut self, now_nanos: i64) -> Result<(), DemoError> {
        let mut ticks = tokio::time::interval(PAUSE);
        let began = ticks.tick().await;
        loop {
            let passed = ticks.tick().await.duration_since(began).as_nanos();
            let now = now_nanos.saturating_add(i64::try_from(passed).unwrap_or(i64::MAX));
            let visits: Vec<Visit> = (0..STREAM_VISITS)
                .map(|_| visit(&mut self.rng, now - SECOND, false))
                .collect();
            match self.send(&visits).await {
                Ok(()) => {}
                Err(DemoError::Refused { status, body }) if status == 503 || status == 429 => {
                    tracing::warn!(status, body, "the server asks the shop to wait");
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn send(&mut self, visits: &[Visit]) -> Result<(), DemoError> {
        self.post("/v1/logs", otlp::logs(visits)).await?;
        self.post("/v1/traces", otlp::traces(visits)).await?;
        for visit in visits {
            self.sent.lines += visit.lines.len();
            self.sent.spans += visit.spans.len();
        }
        Ok(())
    }

    async fn post(&self, path: &str, body: Bytes) -> Result<(), DemoError> {
        let content_type = "application/x-protobuf";
        let (status, body) = self
            .client
            .post(self.addr, path, content_type, body)
            .await?;
        if status == StatusCode::OK {
            return Ok(());
        }
        Err(DemoError::Refused {
            status: status.as_u16(),
            body: String::from_utf8_lossy(&body).into_owned(),
        })
    }
}
