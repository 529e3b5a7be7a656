//! OTLP/gRPC: the Export methods of the three services. Frames are read here and not by a
//! generated service, so that the payload stays as it was sent: compressed for the WAL, raw for the decoder.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use cairn_ingest::compression_of_content_encoding;
use cairn_storage::{PayloadCompression, PayloadEncoding, Signal};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::{BodyExt, Full};

use super::accept::{self, Acceptor};
use super::receive::Receiver;
use super::reply::{Accepted, Refusal};
use crate::telemetry::Protocol;

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";

const GRPC_ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const GRPC_ACCEPT_ENCODING: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const ACCEPTED_ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,zstd,deflate");
const GRPC_CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// A frame's head: one byte says whether it is compressed, four say how long it is.
const FRAME_HEAD_BYTES: usize = 5;

/// The routes of port 4317.
pub(crate) fn router(acceptor: &Arc<Acceptor>) -> Router {
    let export = |signal: Signal| {
        let acceptor = Arc::clone(acceptor);
        any(move |request: Request| answer(acceptor, signal, request))
    };
    Router::new()
        .route(LOGS, export(Signal::Logs))
        .route(TRACES, export(Signal::Traces))
        .route(METRICS, export(Signal::Metrics))
        .fallback(no_such_method)
}

async fn answer(acceptor: Arc<Acceptor>, signal: Signal, request: Request) -> Response<Body> {
    if let Some(response) = not_grpc(&request) {
        return response;
    }
    let answer = export(&acceptor, signal, request).await;
    acceptor.answered(Protocol::Grpc, signal, &answer);
    match answer {
        Ok(accepted) => accepted_response(&accepted),
        Err(refusal) => refusal_response(&refusal),
    }
}

/// What is not gRPC at all gets a plain HTTP answer, as the specification of gRPC over HTTP/2 asks.
fn not_grpc(request: &Request) -> Option<Response<Body>> {
    let content_type = request.headers().get(CONTENT_TYPE);
    let is_grpc = content_type
        .and_then(|value| value.to_str().ok())
        .is_some_and(|text| text == "application/grpc" || text == "application/grpc+proto");
    if is_grpc && request.method() == Method::POST {
        return None;
    }
    let text = "this port takes OTLP over gRPC (content type `application/grpc`); OTLP over HTTP has its own \
                port, 4318 by default\n";
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    Some(response)
}

async fn export(
    acceptor: &Acceptor,
    signal: Signal,
    request: Request,
) -> Result<Accepted, Refusal> {
    acceptor.check_sender(request.headers())?;
    let named = grpc_encoding(request.headers())?;
    acceptor.check_open()?;
    let limit = acceptor.max_request_bytes;
    let mut receiver = Receiver::new(request.into_body(), &acceptor.admission, named, limit)?;
    let (start, frame) = read_head(&mut receiver, named).await?;
    receiver.admit(frame.length)?;
    let (payload, permit) = receiver.read_all(start, frame.length).await?;
    let received = u64::try_from(payload.len()).unwrap_or(u64::MAX);
    if received != frame.length {
        return Err(Refusal::malformed(format!(
            "the gRPC message is {received} bytes long but says {}; this method takes exactly one message",
            frame.length
        )));
    }
    let request = accept::Request {
        signal,
        encoding: PayloadEncoding::Protobuf,
        compression: frame.compression,
        payload,
        permit,
    };
    acceptor.accept(request).await
}

/// What the head of a frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Frame {
    compression: PayloadCompression,
    length: u64,
}

/// The head of the message, and the bytes that came with it.
async fn read_head(
    receiver: &mut Receiver,
    named: PayloadCompression,
) -> Result<(Bytes, Frame), Refusal> {
    let mut start = Bytes::new();
    while start.len() < FRAME_HEAD_BYTES {
        let piece = receiver.next().await?;
        let piece =
            piece.ok_or_else(|| Refusal::malformed("the gRPC message is missing or cut off"))?;
        start = joined(&start, &piece);
    }
    let compression = match start.get_u8() {
        0 => PayloadCompression::None,
        1 if named != PayloadCompression::None => named,
        1 => {
            return Err(Refusal::malformed(
                "the gRPC message is compressed but `grpc-encoding` does not say how",
            ));
        }
        flag => {
            return Err(Refusal::malformed(format!(
                "the gRPC frame has an unknown compression flag {flag}"
            )));
        }
    };
    let length = u64::from(start.get_u32());
    Ok((
        start,
        Frame {
            compression,
            length,
        },
    ))
}

fn joined(start: &Bytes, piece: &Bytes) -> Bytes {
    if start.is_empty() {
        return piece.clone();
    }
    let mut both = BytesMut::with_capacity(start.len() + piece.len());
    both.extend_from_slice(start);
    both.extend_from_slice(piece);
    both.freeze()
}

fn grpc_encoding(headers: &HeaderMap) -> Result<PayloadCompression, Refusal> {
    let name = headers
        .get(GRPC_ENCODING)
        .map_or(Ok(""), HeaderValue::to_str)
        .map_err(|_| Refusal::malformed("the header `grpc-encoding` is not text"))?;
    Ok(compression_of_content_encoding(name)?)
}

/// A service or method that does not exist here.
async fn no_such_method(request: Request) -> Response<Body> {
    if let Some(response) = not_grpc(&request) {
        return response;
    }
    let message = format!("no such method: `{}`", request.uri().path());
    refusal_response(&Refusal::unimplemented(StatusCode::OK, message))
}

fn accepted_response(accepted: &Accepted) -> Response<Body> {
    let message = accepted.proto();
    let mut frame = BytesMut::with_capacity(FRAME_HEAD_BYTES + message.len());
    frame.put_u8(0);
    // A partial success is a few hundred bytes.
    frame.put_u32(u32::try_from(message.len()).unwrap_or(u32::MAX));
    frame.extend_from_slice(&message);
    let mut trailers = HeaderMap::new();
    trailers.insert(GRPC_STATUS, HeaderValue::from_static("0"));
    let body = Full::new(frame.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Response::new(Body::new(body));
    with_grpc_headers(response.headers_mut());
    response
}

fn refusal_response(refusal: &Refusal) -> Response<Body> {
    let details = refusal.status_proto(refusal.retry_after());
    let status = tonic::Status::with_details(refusal.code(), refusal.message(), details);
    let mut response = status.into_http::<Body>();
    with_grpc_headers(response.headers_mut());
    response
}

fn with_grpc_headers(headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, GRPC_CONTENT_TYPE);
    headers.insert(GRPC_ACCEPT_ENCODING, ACCEPTED_ENCODINGS);
}
