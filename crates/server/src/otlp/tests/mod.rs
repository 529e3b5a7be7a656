//! The receivers on real ports, with a real store and decoder behind them.

mod errors;
mod grpc;
mod http;
mod senders;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, Request, Response, StatusCode};
use bytes::{BufMut, Bytes, BytesMut};
use cairn_ingest::{Admission, Decoder, DecoderConfig, Permit};
use cairn_storage::{Parts, StorageConfig, Store, SystemClock, TableId};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::{Acceptor, Backend, grpc_router, http_router};
use crate::access::IngestTokens;
use crate::http::{ServeLimits, serve};
use crate::telemetry::IngestCounters;

/// Small, so that tests reach it quickly.
const MAX_REQUEST_BYTES: u64 = 256 << 10;
const ADMISSION_BYTES: u64 = 4 << 20;

/// Both receivers on free ports.
pub(super) struct Receivers {
    pub(super) http: SocketAddr,
    pub(super) grpc: SocketAddr,
    pub(super) counters: Arc<IngestCounters>,
    admission: Admission,
    store: Option<Arc<Store>>,
    _folder: TempDir,
}

impl Receivers {
    /// With an open store.
    pub(super) async fn start() -> Self {
        Self::start_with(IngestTokens::default()).await
    }

    /// With an open store, for senders with a token.
    pub(super) async fn start_with(tokens: IngestTokens) -> Self {
        let mut receivers = Self::asking_for(tokens).await;
        let decoder = Arc::new(Decoder::new(DecoderConfig {
            max_request_bytes: usize::try_from(MAX_REQUEST_BYTES).unwrap(),
            ..DecoderConfig::default()
        }));
        let config = StorageConfig {
            data_dir: receivers.0._folder.path().join("data"),
            ..StorageConfig::default()
        };
        let parts = Parts::real(Arc::<Decoder>::clone(&decoder));
        let store = tokio::task::spawn_blocking(move || Store::open(config, parts));
        let store = store.await.unwrap().unwrap();
        receivers.1.open(Backend {
            store: Arc::clone(&store),
            decoder,
        });
        receivers.0.store = Some(store);
        receivers.0
    }

    /// As long as the store is not open.
    pub(super) async fn starting() -> (Self, Arc<Acceptor>) {
        Self::asking_for(IngestTokens::default()).await
    }

    async fn asking_for(tokens: IngestTokens) -> (Self, Arc<Acceptor>) {
        let counters = Arc::new(IngestCounters::default());
        let admission = Admission::new(ADMISSION_BYTES);
        let acceptor = Arc::new(Acceptor::new(
            admission.clone(),
            Arc::new(SystemClock),
            Duration::from_secs(5),
            MAX_REQUEST_BYTES,
            Arc::clone(&counters),
            tokens,
        ));
        let origins = ["https://shop.example.org".to_owned()];
        let http = port(http_router(&acceptor, &origins)).await;
        let grpc = port(grpc_router(&acceptor)).await;
        let receivers = Self {
            http,
            grpc,
            counters,
            admission,
            store: None,
            _folder: tempfile::tempdir().unwrap(),
        };
        (receivers, acceptor)
    }

    /// Rows that a query would see now.
    pub(super) fn rows(&self, table: TableId) -> u64 {
        self.store.as_ref().unwrap().snapshot().row_count(table)
    }

    /// Leaves no room for another request until dropped.
    pub(super) fn fill(&self) -> Permit {
        self.admission.try_admit(ADMISSION_BYTES).unwrap()
    }
}

async fn port(router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(serve(
        listener,
        router,
        ServeLimits::default(),
        std::future::pending(),
    ));
    addr
}

/// An answer, read to the end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) trailers: HeaderMap,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).or_else(|| self.trailers.get(name));
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

pub(super) fn client(http2: bool) -> Client<HttpConnector, Full<Bytes>> {
    Client::builder(TokioExecutor::new())
        .http2_only(http2)
        .build_http()
}

pub(super) async fn answer<B>(response: Response<B>) -> Answer
where
    B: hyper::body::Body<Data = Bytes>,
    B::Error: std::fmt::Debug,
{
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        trailers: body.trailers().cloned().unwrap_or_default(),
        body: body.to_bytes(),
    }
}

/// One HTTP/1 request.
pub(super) async fn send(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("http://{addr}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let exchange = async { answer(client(false).request(request).await.unwrap()).await };
    tokio::time::timeout(Duration::from_secs(20), exchange)
        .await
        .unwrap()
}

/// One gRPC call with `body` as it is.
pub(super) async fn call(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Answer {
    let mut request = Request::post(format!("http://{addr}{path}"))
        .header("te", "trailers")
        .header("content-type", "application/grpc");
    for (name, value) in headers {
        request.headers_mut().unwrap().insert(
            ::http::HeaderName::from_bytes(name.as_bytes()).unwrap(),
            value.parse().unwrap(),
        );
    }
    let request = request.body(Full::new(body.into())).unwrap();
    let exchange = async { answer(client(true).request(request).await.unwrap()).await };
    tokio::time::timeout(Duration::from_secs(20), exchange)
        .await
        .unwrap()
}

/// A gRPC frame.
pub(super) fn frame(compressed: bool, payload: &[u8]) -> Bytes {
    let mut frame = BytesMut::new();
    frame.put_u8(u8::from(compressed));
    frame.put_u32(u32::try_from(payload.len()).unwrap());
    frame.extend_from_slice(payload);
    frame.freeze()
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::encode_all(bytes, 1).unwrap()
}

/// `count` log records with `attributes` attributes each.
pub(super) fn logs(count: usize, attributes: usize) -> ExportLogsServiceRequest {
    let attributes: Vec<KeyValue> = (0..attributes)
        .map(|index| KeyValue {
            key: format!("key{index}"),
            value: Some(AnyValue {
                value: Some(any_value::Value::BoolValue(true)),
            }),
            ..KeyValue::default()
        })
        .collect();
    let record = LogRecord {
        time_unix_nano: 1_700_000_000_000_000_000,
        body: Some(AnyValue {
            value: Some(any_value::Value::StringValue("hello".to_owned())),
        }),
        attributes,
        ..LogRecord::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs: vec![ScopeLogs {
                log_records: vec![record; count],
                ..ScopeLogs::default()
            }],
            ..ResourceLogs::default()
        }],
    }
}

pub(super) fn traces(count: usize) -> ExportTraceServiceRequest {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_000_000_001,
        ..Span::default()
    };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans: vec![ScopeSpans {
                spans: vec![span; count],
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}
