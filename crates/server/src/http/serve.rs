//! Accepts connections of one port within limits and serves a router on them until told to stop.
//! HTTP/1 and HTTP/2, over TLS where asked for; no routes of its own.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use futures::FutureExt;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service as _;

use super::connection::{Connection, GuardedStream};
use super::limits::{
    ACCEPT_BACKOFF, MAX_HEAD_BYTES, MAX_HEADER_LIST_BYTES, MAX_HEADERS, MAX_STREAMS, PING_INTERVAL,
    PING_TIMEOUT, ServeLimits,
};
use super::socket::Socket;
use super::tls::Tls;

/// Serves `router` on `listener` until `shutdown` resolves, then lets running requests end within
/// [`ServeLimits::drain_timeout`]. Returns how many connections were still busy when that time was
/// over.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> usize {
    serve_with(listener, None, router, limits, shutdown).await
}

/// The same, over TLS when there is one.
pub(crate) async fn serve_with(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: ServeLimits,
    shutdown: impl Future<Output = ()> + Send,
) -> usize {
    let builder = Arc::new(builder(&limits));
    let graceful = GracefulShutdown::new();
    let gate = Arc::new(Gate::new(&limits));
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut shutdown => break,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        let Some(pass) = gate.admit(peer.ip()) else {
            tracing::debug!(%peer, "connection refused: too many connections");
            continue;
        };
        let connection = connect(peer, router.clone(), Arc::clone(&builder), limits);
        let (watched, tls) = (graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            if let Some(socket) = secured(socket, peer, tls, &limits).await {
                connection(socket, watched).await;
            }
            drop(pass);
        });
    }
    drop(listener);
    let left = gate.count();
    let drained = tokio::time::timeout(limits.drain_timeout, graceful.shutdown()).await;
    if drained.is_err() {
        return gate.count().min(left);
    }
    0
}

/// Errors of one handshake are the client's; errors of the process (no descriptors left) must not
/// spin.
async fn pause_after(error: &io::Error) {
    let of_the_client = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    );
    if !of_the_client {
        tracing::warn!(%error, "cannot accept connections, trying again");
        tokio::time::sleep(ACCEPT_BACKOFF).await;
    }
}

fn builder(limits: &ServeLimits) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // This timer also runs between requests; the stricter limit for a begun head is
        // GuardedStream's.
        .header_read_timeout(limits.keep_alive_timeout.max(limits.header_timeout))
        .keep_alive(true)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_LIST_BYTES)
        .keep_alive_interval(PING_INTERVAL)
        .keep_alive_timeout(PING_TIMEOUT);
    builder
}

/// The socket, after its handshake when there is TLS; none when that fails or takes too long.
async fn secured(
    socket: TcpStream,
    peer: SocketAddr,
    tls: Option<Arc<Tls>>,
    limits: &ServeLimits,
) -> Option<Socket> {
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%peer, %error, "cannot turn off Nagle's algorithm");
    }
    let Some(tls) = tls else {
        return Some(Socket::Plain(socket));
    };
    match tokio::time::timeout(limits.header_timeout, tls.accept(socket)).await {
        Ok(Ok(stream)) => Some(Socket::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%peer, %error, "TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%peer, "TLS handshake took too long");
            None
        }
    }
}

type Watcher = hyper_util::server::graceful::Watcher;

fn connect(
    peer: SocketAddr,
    router: Router,
    builder: Arc<Builder<TokioExecutor>>,
    limits: ServeLimits,
) -> impl FnOnce(Socket, Watcher) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    move |socket, watcher| {
        Box::pin(async move {
            let connection = Connection::new(peer);
            let stream = GuardedStream::new(socket, Arc::clone(&connection), &limits);
            let service =
                service_fn(move |request| answer(router.clone(), request, Arc::clone(&connection)));
            let served = builder.serve_connection(TokioIo::new(stream), service);
            if let Err(error) = watcher.watch(served.into_owned()).await {
                tracing::debug!(%peer, %error, "connection ended");
            }
        })
    }
}

async fn answer(
    mut router: Router,
    request: Request<Incoming>,
    connection: Arc<Connection>,
) -> Result<Response<Body>, std::convert::Infallible> {
    connection.request_begins();
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Arc::clone(&connection));
    let guard = RequestGuard(connection);
    let response = std::panic::AssertUnwindSafe(router.call(request))
        .catch_unwind()
        .await;
    let response = match response {
        Ok(response) => response?,
        // The panic hook has logged it; the client gets an answer instead of a broken connection.
        Err(_) => internal_error(),
    };
    Ok(response.map(|inner| {
        Body::new(GuardedBody {
            inner,
            _guard: guard,
        })
    }))
}

fn internal_error() -> Response<Body> {
    let mut response = Response::new(Body::from("internal error\n"));
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response
}

/// Marks the end of a request, whichever way it ends.
#[derive(Debug)]
struct RequestGuard(Arc<Connection>);

impl Drop for RequestGuard {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

#[derive(Debug)]
struct GuardedBody {
    inner: Body,
    _guard: RequestGuard,
}

impl http_body::Body for GuardedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.get_mut().inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Counts connections, in total and by address.
#[derive(Debug)]
struct Gate {
    permits: Arc<Semaphore>,
    connections: usize,
    per_address: usize,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

impl Gate {
    fn new(limits: &ServeLimits) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(limits.connections)),
            connections: limits.connections,
            per_address: limits.connections_per_address,
            addresses: Mutex::new(HashMap::new()),
        }
    }

    fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Pass> {
        let permit = Arc::clone(&self.permits).try_acquire_owned().ok()?;
        let mut addresses = self.addresses.lock();
        let count = addresses.entry(address).or_insert(0);
        if *count >= self.per_address {
            return None;
        }
        *count += 1;
        Some(Pass {
            gate: Arc::clone(self),
            address,
            _permit: permit,
        })
    }

    fn count(&self) -> usize {
        self.connections
            .saturating_sub(self.permits.available_permits())
    }
}

/// The right to hold one connection.
#[derive(Debug)]
struct Pass {
    gate: Arc<Gate>,
    address: IpAddr,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Pass {
    fn drop(&mut self) {
        let mut addresses = self.gate.addresses.lock();
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}
