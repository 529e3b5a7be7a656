//! OTLP over HTTP/1.1 with kept connections.

use std::io::Write;

use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use prost::Message;

use super::{Outcome, Response, Signal, rejected_count};
use crate::arguments::{Compression, Plan};

#[derive(Debug, Clone)]
pub(crate) struct HttpSender {
    client: Client<HttpConnector, Full<Bytes>>,
    logs: Uri,
    traces: Uri,
    compression: Compression,
}

impl HttpSender {
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let uri = |path: &str| {
            let text = format!("{}{path}", plan.endpoint.trim_end_matches('/'));
            text.parse::<Uri>()
                .with_context(|| format!("endpoint `{text}`"))
        };
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            logs: uri("/v1/logs")?,
            traces: uri("/v1/traces")?,
            compression: plan.compression,
        })
    }

    pub(super) async fn send(&self, signal: Signal, payload: Bytes) -> Outcome {
        let uri = match signal {
            Signal::Logs => self.logs.clone(),
            Signal::Traces => self.traces.clone(),
        };
        match self.exchange(uri, payload).await {
            Ok(outcome) => outcome,
            Err(error) => Outcome::Unknown {
                reason: format!("{error:#}"),
            },
        }
    }

    async fn exchange(&self, uri: Uri, payload: Bytes) -> Result<Outcome> {
        let mut request = Request::post(uri).header("content-type", "application/x-protobuf");
        let body = match self.compression {
            Compression::None => payload,
            Compression::Gzip => {
                request = request.header("content-encoding", "gzip");
                let level = flate2::Compression::fast();
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
                encoder.write_all(&payload)?;
                encoder.finish()?.into()
            }
            Compression::Zstd => {
                request = request.header("content-encoding", "zstd");
                zstd::encode_all(&*payload, 1)?.into()
            }
        };
        let response = self.client.request(request.body(Full::new(body))?).await?;
        let status = response.status();
        let retry_ms = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .map(|seconds| seconds.saturating_mul(1_000));
        let body = response.into_body().collect().await?.to_bytes();
        Ok(outcome(status, retry_ms, &body))
    }
}

fn outcome(status: StatusCode, retry_ms: Option<u64>, body: &[u8]) -> Outcome {
    let reason = status.to_string();
    match status.as_u16() {
        200 => match Response::decode(body) {
            Ok(response) => Outcome::Acknowledged {
                rejected: rejected_count(&response),
            },
            Err(error) => Outcome::Unknown {
                reason: format!("unreadable response: {error}"),
            },
        },
        429 | 502 | 503 | 504 => Outcome::Busy { retry_ms, reason },
        _ => Outcome::Refused { reason },
    }
}
