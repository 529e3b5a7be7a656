//! One accepted socket: enforces the time limits that the HTTP library does not, and tells a
//! response body when everything it handed over has reached the socket. It does not parse HTTP.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

use super::limits::ServeLimits;
use super::socket::Socket;

const IDLE: u8 = 0;
const HEAD: u8 = 1;
const BUSY: u8 = 2;
const HTTP2: u8 = 3;

/// What a request handler may know of its connection. Every request carries it as an extension.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: SocketAddr,
    phase: AtomicU8,
    flushes: AtomicU64,
    waker: AtomicWaker,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            peer,
            phase: AtomicU8::new(IDLE),
            flushes: AtomicU64::new(0),
            waker: AtomicWaker::new(),
        })
    }

    /// The other end.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// How often everything handed over so far has reached the socket.
    pub(crate) fn flushes(&self) -> u64 {
        self.flushes.load(Ordering::Acquire)
    }

    /// Wakes the task of `cx` at the next complete flush.
    pub(crate) fn wake_on_flush(&self, cx: &Context<'_>) {
        self.waker.register(cx.waker());
    }

    pub(super) fn request_begins(&self) {
        self.change_phase(BUSY);
    }

    pub(super) fn request_ends(&self) {
        self.change_phase(IDLE);
    }

    fn change_phase(&self, phase: u8) {
        if self.phase.load(Ordering::Relaxed) != HTTP2 {
            self.phase.store(phase, Ordering::Relaxed);
        }
    }
}

/// A deadline that costs nothing until it is armed.
#[derive(Debug, Default)]
struct Deadline {
    sleep: Option<Pin<Box<Sleep>>>,
    armed: bool,
}

impl Deadline {
    /// Arms the deadline when it is not, and answers whether it has passed.
    fn has_passed(&mut self, after: Duration, cx: &mut Context<'_>) -> bool {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(after)));
        if !self.armed {
            sleep.as_mut().reset(Instant::now() + after);
            self.armed = true;
        }
        sleep.as_mut().poll(cx).is_ready()
    }

    fn disarm(&mut self) {
        self.armed = false;
    }
}

/// The socket as the HTTP library sees it.
#[derive(Debug)]
pub(super) struct GuardedStream {
    socket: Socket,
    connection: Arc<Connection>,
    header_timeout: Duration,
    write_timeout: Duration,
    head: Deadline,
    stall: Deadline,
    fresh: bool,
}

impl GuardedStream {
    pub(super) fn new(socket: Socket, connection: Arc<Connection>, limits: &ServeLimits) -> Self {
        Self {
            socket,
            connection,
            header_timeout: limits.header_timeout,
            write_timeout: limits.write_timeout,
            head: Deadline::default(),
            stall: Deadline::default(),
            fresh: true,
        }
    }

    fn note_received(&mut self, received: &[u8]) {
        if received.is_empty() {
            return;
        }
        if self.fresh {
            self.fresh = false;
            if received.starts_with(b"PRI") {
                self.connection.phase.store(HTTP2, Ordering::Relaxed);
            }
        }
        if self.connection.phase.load(Ordering::Relaxed) == IDLE {
            self.connection.phase.store(HEAD, Ordering::Relaxed);
            self.head.disarm();
        }
    }

    fn stalled<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if self.stall.has_passed(self.write_timeout, cx) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the client does not read its response",
            )));
        }
        Poll::Pending
    }
}

impl AsyncRead for GuardedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if Pin::new(&mut this.socket).poll_read(cx, buffer)?.is_ready() {
            this.note_received(buffer.filled().get(before..).unwrap_or_default());
            return Poll::Ready(Ok(()));
        }
        let in_head = this.connection.phase.load(Ordering::Relaxed) == HEAD;
        if in_head && this.head.has_passed(this.header_timeout, cx) {
            return Poll::Ready(Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the request head did not arrive in time",
            )));
        }
        Poll::Pending
    }
}

impl AsyncWrite for GuardedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_write(cx, bytes) {
            Poll::Ready(result) => {
                this.stall.disarm();
                Poll::Ready(result)
            }
            Poll::Pending => this.stalled(cx),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.socket).poll_write_vectored(cx, slices) {
            Poll::Ready(result) => {
                this.stall.disarm();
                Poll::Ready(result)
            }
            Poll::Pending => this.stalled(cx),
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The library calls this only once all it had buffered is written.
        let this = self.get_mut();
        ready!(Pin::new(&mut this.socket).poll_flush(cx))?;
        this.connection.flushes.fetch_add(1, Ordering::Release);
        this.connection.waker.wake();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}
