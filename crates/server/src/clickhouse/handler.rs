//! One request from its head to its response: route, authenticate, read, run, stream.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use cairn_query::{Access, Cancel, Ceiling, ErrorCode, Query, SenderFact};
use chrono_tz::Tz;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::auth::authenticate;
use super::body::{CancelOnDrop, ResultBody};
use super::exception::{Exception, random_tag};
use super::format::PLAIN;
use super::frames::{FrameError, decode_frames};
use super::limits::{MAX_BODY_BYTES, MAX_NAME_BYTES, RETRY_AFTER_SECONDS, WAITING_PIECES};
use super::processes::Processes;
use super::produce::{Job, produce};
use super::reply::{Head, Packer};
use super::request::{Encoding, QueryRequest, UrlParameters, requested_encoding};
use super::routes::{Route, route};
use super::runner::RunQuery;
use super::sessions::{Lease, Sessions};
use crate::access::{Caller, User, Users};
use crate::http::{
    Coding, Connection, DecodeError, DecodeLimits, ReadError, decode_body, read_body,
};

const EXPOSED: &str = "X-ClickHouse-Query-Id,X-ClickHouse-Summary,X-ClickHouse-Server-Display-Name,\
X-ClickHouse-Format,X-ClickHouse-Timezone,X-ClickHouse-Exception-Code,X-ClickHouse-Exception-Tag";

const NO_SUCH_PATH: &str = "\n\nUse / or /ping for health checks.\n\
Or /replicas_status for more sophisticated health checks.\n\n\
Send queries from your program with POST method or GET /?query=...\n";

/// What the port needs of the rest of the server.
#[derive(Clone)]
pub struct ClickHouseState {
    /// Answers the queries.
    pub runner: Arc<dyn RunQuery>,
    /// Where queries run: never on the threads that serve connections.
    pub queries: tokio::runtime::Handle,
    /// `X-ClickHouse-Server-Display-Name`.
    pub display_name: String,
    /// `X-ClickHouse-Timezone` of sessions without one of their own.
    pub timezone: Tz,
    /// Who may ask.
    pub(crate) users: Arc<Users>,
    /// Which queries run and ran.
    pub(crate) processes: Arc<Processes>,
}

/// The port: the rest of the server, and the sessions of its clients.
pub(super) struct Port {
    server: ClickHouseState,
    sessions: Arc<Sessions>,
}

impl Port {
    pub(super) fn new(server: ClickHouseState) -> Self {
        Self {
            server,
            sessions: Arc::default(),
        }
    }
}

impl std::fmt::Debug for ClickHouseState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClickHouseState")
            .field("display_name", &self.display_name)
            .field("timezone", &self.timezone)
            .finish_non_exhaustive()
    }
}

/// The one handler of the port.
pub(super) async fn handle(State(port): State<Arc<Port>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut response = match route(&parts.method, &parts.uri) {
        Route::Query => answer(&port, &parts, body).await,
        Route::Alive => fixed(StatusCode::OK, Some("text/html; charset=UTF-8"), "Ok.\n"),
        Route::Replicas { verbose } => {
            let text = if verbose { "" } else { "Ok.\n" };
            fixed(StatusCode::OK, Some("text/plain; charset=UTF-8"), text)
        }
        Route::Preflight => preflight(),
        Route::NoSuchMethod => fixed(StatusCode::NOT_IMPLEMENTED, None, ""),
        Route::NoSuchPath => {
            let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
            let text = format!("There is no handle {path}{NO_SUCH_PATH}");
            fixed(StatusCode::NOT_FOUND, None, text)
        }
    };
    response.headers_mut().insert(
        "keep-alive",
        HeaderValue::from_static("timeout=30, max=9999"),
    );
    response
}

fn fixed(
    status: StatusCode,
    content_type: Option<&'static str>,
    body: impl Into<Body>,
) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    if let Some(content_type) = content_type {
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    response
}

fn preflight() -> Response {
    let mut response = fixed(StatusCode::NO_CONTENT, None, Body::empty());
    allow_origin(response.headers_mut());
    response
}

fn allow_origin(headers: &mut HeaderMap) {
    let allowed = "origin, x-requested-with, content-type, authorization, x-clickhouse-format, \
                   x-clickhouse-user, x-clickhouse-key, x-clickhouse-database";
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, allowed),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST, GET, OPTIONS"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A query request that failed before there was a query, or the response of its query.
async fn answer(port: &Port, parts: &Parts, body: Body) -> Response {
    let url = UrlParameters::parse(parts.uri.query().unwrap_or_default());
    let frame = Frame {
        tag: random_tag(),
        display_name: &port.server.display_name,
        cors: url.get("add_http_cors_header") == Some("1")
            && parts.headers.contains_key(header::ORIGIN),
    };
    let users = &port.server.users;
    let caller = match authenticate(users, &parts.headers, |name| url.get(name)).await {
        Ok(caller) => caller,
        Err(exception) => return frame.refusal(&exception, Encoding::PLAIN),
    };
    let encoding = requested_encoding(&parts.headers, &url);
    let request = match read(parts, &url, body).await {
        Ok(request) => request,
        Err(exception) => return frame.refusal(&exception, encoding),
    };
    frame.run(port, parts, request, &caller).await
}

/// Reads the body and puts the request together.
async fn read(parts: &Parts, url: &UrlParameters, body: Body) -> Result<QueryRequest, Exception> {
    let headers = &parts.headers;
    let has_length = headers.contains_key(header::CONTENT_LENGTH)
        || headers.contains_key(header::TRANSFER_ENCODING);
    if parts.method == Method::POST && !has_length && parts.version < http::Version::HTTP_2 {
        return Err(Exception::unauthenticated(
            ErrorCode::HttpLengthRequired,
            "The Transfer-Encoding is not chunked and there is no Content-Length header for a POST \
             request",
        ));
    }
    let coding = request_coding(headers)?;
    let raw = read_body(body, MAX_BODY_BYTES)
        .await
        .map_err(|error| match error {
            ReadError::TooLarge => too_large(),
            ReadError::TimedOut => Exception::new(
                ErrorCode::NetworkError,
                "The request body did not arrive in time",
            ),
            ReadError::Broken(error) => Exception::new(
                ErrorCode::NetworkError,
                format!("Cannot read the request body: {error}"),
            ),
        })?;
    let body = if coding == Coding::Identity {
        raw
    } else {
        decode_body(
            coding,
            &raw,
            DecodeLimits {
                decoded_bytes: MAX_BODY_BYTES,
            },
        )
        .map_err(|error| match error {
            DecodeError::TooLarge => too_large(),
            DecodeError::Damaged(error) => broken_coding(coding, &error),
        })?
    };
    let body = if url.is_on("decompress") {
        decode_frames(&body).map_err(|error| broken_frames(&error))?
    } else {
        body
    };
    QueryRequest::assemble(&parts.method, headers, url, body)
}

fn broken_frames(error: &FrameError) -> Exception {
    let code = match error {
        FrameError::Cut { .. } => ErrorCode::CannotReadAllData,
        FrameError::Checksum { .. } => ErrorCode::ChecksumDoesntMatch,
        FrameError::UnknownMethod(_) => ErrorCode::UnknownCodec,
        FrameError::Damaged(_) => ErrorCode::CannotDecompress,
        FrameError::TooLarge => ErrorCode::QueryIsTooLarge,
    };
    Exception::new(code, error.to_string())
}

fn broken_coding(coding: Coding, error: &std::io::Error) -> Exception {
    let (code, what) = match coding {
        Coding::Identity | Coding::Gzip | Coding::Deflate => {
            (ErrorCode::ZlibInflateFailed, "inflate failed")
        }
        Coding::Zstd => (ErrorCode::ZstdDecoderFailed, "ZSTD stream decoding failed"),
        Coding::Brotli => (ErrorCode::BrotliReadFailed, "brotli decode error"),
        Coding::Lz4 => (ErrorCode::Lz4DecoderFailed, "LZ4 decompression failed"),
    };
    Exception::new(
        code,
        format!("{what}: the request body is damaged: {error}"),
    )
}

fn too_large() -> Exception {
    Exception::new(
        ErrorCode::QueryIsTooLarge,
        format!("The request body is larger than {MAX_BODY_BYTES} bytes"),
    )
}

/// The coding of the request's body. `identity` is refused, as ClickHouse does.
fn request_coding(headers: &HeaderMap) -> Result<Coding, Exception> {
    let Some(value) = headers.get(header::CONTENT_ENCODING) else {
        return Ok(Coding::Identity);
    };
    let name = String::from_utf8_lossy(value.as_bytes());
    Coding::from_name(name.trim()).ok_or_else(|| {
        Exception::new(
            ErrorCode::NotImplemented,
            format!(
                "Unknown compression method '{name}'. Only 'gzip', 'deflate', 'br', 'zstd', \
                 'lz4' are supported as compression methods"
            ),
        )
    })
}

/// The query of a request, with what its session remembers: the request's own words are stronger.
fn in_session(request: QueryRequest, session: Option<&Lease>, user: &User) -> Query {
    let mut database = request.database;
    let mut settings = Vec::new();
    if let Some(remembered) = session.map(Lease::remembered) {
        settings.clone_from(&remembered.settings);
        database = database.or_else(|| remembered.database.clone());
    }
    settings.extend(request.settings);
    Query {
        text: request.text,
        query_id: request.query_id,
        database,
        settings,
        parameters: request.parameters,
        user: user.name.clone(),
        access: access(request.access, user),
        ceiling: ceiling(user),
        progress: Arc::default(),
    }
}

/// What the request asks for, and what its user may do at most.
fn access(asked: Access, user: &User) -> Access {
    match asked {
        Access::Full if user.read_only => Access::ReadOnly,
        Access::Full | Access::ReadOnly | Access::Frozen => asked,
    }
}

fn ceiling(user: &User) -> Ceiling {
    Ceiling {
        execution: user.limits.execution,
        memory_bytes: user.limits.memory_bytes,
        result_rows: user.limits.result_rows,
    }
}

fn sender(parts: &Parts, user: &str) -> SenderFact {
    let header = |name: HeaderName| {
        let value = parts.headers.get(name).map(HeaderValue::as_bytes);
        let text = String::from_utf8_lossy(value.unwrap_or_default());
        text.chars().take(MAX_NAME_BYTES).collect()
    };
    let peer = parts.extensions.get::<Arc<Connection>>();
    let peer = peer.map(|connection| connection.peer());
    SenderFact {
        address: peer.map_or_else(String::new, |peer| peer.ip().to_string()),
        port: peer.map_or(0, |peer| peer.port()),
        user: user.to_owned(),
        http_method: parts.method.to_string(),
        user_agent: header(header::USER_AGENT),
        referer: header(header::REFERER),
        forwarded_for: header(HeaderName::from_static("x-forwarded-for")),
    }
}

fn too_many_queries(user: &User) -> Exception {
    let most = user.limits.concurrent_queries.unwrap_or_default();
    Exception::new(
        ErrorCode::TooManySimultaneousQueries,
        format!(
            "Too many simultaneous queries for user {}. Current: {most}, maximum: {most}",
            user.name
        ),
    )
}

/// What every response to a query request has in its head.
struct Frame<'a> {
    tag: String,
    display_name: &'a str,
    cors: bool,
}

impl Frame<'_> {
    async fn run(
        self,
        port: &Port,
        parts: &Parts,
        request: QueryRequest,
        caller: &Caller,
    ) -> Response {
        let state = &port.server;
        let user = caller.user();
        let wanted = request.wishes.encoding;
        let session = request
            .session
            .as_ref()
            .map(|wish| port.sessions.enter(&user.name, wish, Instant::now()))
            .transpose();
        let session = match session {
            Ok(session) => session,
            Err(exception) => return self.refusal(&exception, wanted),
        };
        let Some(place) = caller.query_place() else {
            return self.refusal(&too_many_queries(user), wanted);
        };
        let query_id = request.query_id.clone();
        let cancel = Cancel::new();
        let stop = CancelOnDrop(cancel.clone());
        let sender = sender(parts, &user.name);
        let wishes = request.wishes.clone();
        let mut request = request;
        let inserted = request.insert.take();
        let job = Job {
            insert: inserted,
            cancel,
            runner: Arc::clone(&state.runner),
            query: in_session(request, session.as_ref(), user),
            wishes,
            timezone: state.timezone,
            tag: self.tag.clone(),
            session,
            place,
            processes: Arc::clone(&state.processes),
            sender,
        };
        let (head_sender, head) = oneshot::channel();
        let (piece_sender, pieces) = mpsc::channel(WAITING_PIECES);
        state.queries.spawn(produce(job, head_sender, piece_sender));
        // Dropping this future or the response stops the query.
        let Ok(head) = head.await else {
            let exception =
                Exception::new(ErrorCode::LogicalError, "The query ended without an answer");
            return self.refusal(&exception, wanted);
        };
        let connection = parts.extensions.get::<Arc<Connection>>().cloned();
        let mut response = Response::new(Body::new(ResultBody::new(pieces, connection, stop)));
        self.add_headers(&head, response.headers_mut());
        insert(response.headers_mut(), "x-clickhouse-query-id", &query_id);
        *response.status_mut() = head.status;
        name_timeouts_as_clickhouse_does(&mut response);
        response
    }

    fn add_headers(&self, head: &Head, headers: &mut HeaderMap) {
        for (name, value) in &head.extra {
            if let (Ok(name), Ok(value)) =
                (HeaderName::try_from(name), HeaderValue::from_str(value))
            {
                headers.insert(name, value);
            }
        }
        for progress in &head.progress {
            if let Ok(progress) = HeaderValue::from_str(progress) {
                headers.append("x-clickhouse-progress", progress);
            }
        }
        self.add_common(&head.summary, headers);
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(head.content_type),
        );
        if let Some(timezone) = head.timezone {
            insert(headers, "x-clickhouse-timezone", timezone.name());
        }
        if let Some(format) = head.format {
            insert(headers, "x-clickhouse-format", format.name);
            if format.binary && head.exception_code.is_none() {
                let file = format!("attachment; filename=\"result.{}\"", format.name);
                insert(headers, "content-disposition", &file);
            }
        }
        if let Some(code) = head.exception_code {
            headers.insert("x-clickhouse-exception-code", HeaderValue::from(code));
        }
        if head.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        if let Some(coding) = head.coding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }

    fn add_common(&self, summary: &str, headers: &mut HeaderMap) {
        insert(headers, "x-clickhouse-summary", summary);
        insert(
            headers,
            "x-clickhouse-server-display-name",
            self.display_name,
        );
        insert(headers, "x-clickhouse-exception-tag", &self.tag);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(EXPOSED),
        );
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if self.cors {
            allow_origin(headers);
        }
    }

    /// The answer to a request that never became a query.
    fn refusal(&self, exception: &Exception, encoding: Encoding) -> Response {
        let packed = Packer::new(encoding).and_then(|packer| packer.finish(exception.body()));
        let (body, coding) = match packed {
            Ok(body) => (body, encoding.coding),
            Err(_) => (exception.body(), Coding::Identity),
        };
        let mut response = fixed(exception.error.status, Some(PLAIN), body);
        let headers = response.headers_mut();
        let nothing = "{\"read_rows\":\"0\",\"read_bytes\":\"0\",\"written_rows\":\"0\",\
                       \"written_bytes\":\"0\",\
                       \"total_rows_to_read\":\"0\",\"result_rows\":\"0\",\"result_bytes\":\"0\",\
                       \"elapsed_ns\":\"0\",\"memory_usage\":\"0\"}";
        self.add_common(nothing, headers);
        headers.insert(
            "x-clickhouse-exception-code",
            HeaderValue::from(exception.error.number),
        );
        if let Some(coding) = coding.name() {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        if exception.error.status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"ClickHouse server HTTP API\""),
            );
        }
        name_timeouts_as_clickhouse_does(&mut response);
        response
    }
}

/// ClickHouse's reason phrase of 408 differs from the usual one, and is read by people.
fn name_timeouts_as_clickhouse_does(response: &mut Response) {
    if response.status() == StatusCode::REQUEST_TIMEOUT {
        let reason = hyper::ext::ReasonPhrase::from_static(b"Request Time-out");
        response.extensions_mut().insert(reason);
    }
}

/// Sets a header; a value with bytes that no header may have is left out.
fn insert(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
