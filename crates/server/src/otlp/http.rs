//! OTLP/HTTP: `POST /v1/logs`, `/v1/traces` and `/v1/metrics`, protobuf and JSON. Answers in the request's own type.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::any;
use bytes::Bytes;
use cairn_ingest::{compression_of_content_encoding, encoding_of_content_type};
use cairn_storage::{PayloadCompression, PayloadEncoding, Signal};
use http::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

use super::accept::{self, Acceptor};
use super::cors::{Cors, allow};
use super::receive::Receiver;
use super::reply::{Accepted, Refusal};
use crate::telemetry::Protocol;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The routes of port 4318.
pub(crate) fn router(acceptor: &Arc<Acceptor>, origins: &[String]) -> Router {
    let cors = Arc::new(Cors::new(origins));
    let export = |signal: Signal| {
        let (acceptor, cors) = (Arc::clone(acceptor), Arc::clone(&cors));
        any(move |request: Request| with_cors(acceptor, cors, signal, request))
    };
    Router::new()
        .route("/v1/logs", export(Signal::Logs))
        .route("/v1/traces", export(Signal::Traces))
        .route("/v1/metrics", export(Signal::Metrics))
        .fallback(no_such_path)
}

/// Answers a page's questions about whether it may send, and tells it that it may.
async fn with_cors(
    acceptor: Arc<Acceptor>,
    cors: Arc<Cors>,
    signal: Signal,
    request: Request,
) -> Response<Body> {
    if let Some(response) = cors.preflight(request.method(), request.headers()) {
        return response;
    }
    let allowed = cors.allowed(request.headers());
    let mut response = answer(acceptor, signal, request).await;
    if let Some(origin) = allowed {
        allow(response.headers_mut(), origin);
    }
    response
}

async fn answer(acceptor: Arc<Acceptor>, signal: Signal, request: Request) -> Response<Body> {
    let encoding = content_type(request.headers());
    let answer = export(&acceptor, signal, &encoding, request).await;
    acceptor.answered(Protocol::Http, signal, &answer);
    // A client whose type we do not know gets JSON, which people can read.
    let encoding = encoding.unwrap_or(PayloadEncoding::Json);
    match answer {
        Ok(accepted) => accepted_response(&accepted, signal, encoding),
        Err(refusal) => refusal_response(&refusal, encoding),
    }
}

async fn export(
    acceptor: &Acceptor,
    signal: Signal,
    encoding: &Result<PayloadEncoding, Refusal>,
    request: Request,
) -> Result<Accepted, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::unimplemented(
            StatusCode::METHOD_NOT_ALLOWED,
            "only POST is allowed here",
        ));
    }
    acceptor.check_sender(request.headers())?;
    let encoding = encoding.clone()?;
    let compression = content_encoding(request.headers())?;
    let declared = content_length(request.headers())?;
    acceptor.check_open()?;
    let limit = acceptor.max_request_bytes;
    let mut receiver = Receiver::new(request.into_body(), &acceptor.admission, compression, limit)?;
    let admitted = declared.unwrap_or(0);
    receiver.admit(admitted)?;
    let (payload, permit) = receiver.read_all(Bytes::new(), admitted).await?;
    let request = accept::Request {
        signal,
        encoding,
        compression,
        payload,
        permit,
    };
    acceptor.accept(request).await
}

/// The path is not one of ours.
async fn no_such_path(request: Request) -> Response<Body> {
    let encoding = content_type(request.headers()).unwrap_or(PayloadEncoding::Json);
    let message = "no such path; send logs to `/v1/logs`, traces to `/v1/traces` and metrics to `/v1/metrics`";
    let refusal = Refusal::unimplemented(StatusCode::NOT_FOUND, message);
    refusal_response(&refusal, encoding)
}

fn accepted_response(
    accepted: &Accepted,
    signal: Signal,
    encoding: PayloadEncoding,
) -> Response<Body> {
    let body = match encoding {
        PayloadEncoding::Protobuf | PayloadEncoding::Rows => accepted.proto(),
        PayloadEncoding::Json => accepted.json(signal),
    };
    response(StatusCode::OK, encoding, body)
}

fn refusal_response(refusal: &Refusal, encoding: PayloadEncoding) -> Response<Body> {
    let retry_after = refusal.retry_after();
    let body = match encoding {
        PayloadEncoding::Protobuf | PayloadEncoding::Rows => refusal.status_proto(retry_after),
        PayloadEncoding::Json => refusal.status_json(retry_after),
    };
    let mut response = response(refusal.http_status(), encoding, body);
    if let Some(pause) = retry_after {
        let seconds = pause.as_secs().max(1);
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    if refusal.http_status() == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("POST"));
    }
    if refusal.http_status() == StatusCode::UNAUTHORIZED {
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn response(status: StatusCode, encoding: PayloadEncoding, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let content_type = match encoding {
        PayloadEncoding::Protobuf | PayloadEncoding::Rows => PROTOBUF,
        PayloadEncoding::Json => JSON,
    };
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn content_type(headers: &HeaderMap) -> Result<PayloadEncoding, Refusal> {
    Ok(encoding_of_content_type(text_of(headers, &CONTENT_TYPE)?)?)
}

fn content_encoding(headers: &HeaderMap) -> Result<PayloadCompression, Refusal> {
    let text = text_of(headers, &CONTENT_ENCODING)?;
    Ok(compression_of_content_encoding(text)?)
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let text = text_of(headers, &CONTENT_LENGTH)?;
    if text.is_empty() {
        return Ok(None);
    }
    let length = text
        .parse()
        .map_err(|_| Refusal::malformed("the content length is not a number"))?;
    Ok(Some(length))
}

fn text_of<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Result<&'a str, Refusal> {
    let Some(value) = headers.get(name) else {
        return Ok("");
    };
    value
        .to_str()
        .map_err(|_| Refusal::malformed(format!("the header `{name}` is not text")))
}
