//! The body of a streamed response: pieces from the query, an end, or a break that leaves the
//! stream visibly unfinished after its last piece has really been sent.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use cairn_query::Cancel;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::http::Connection;

/// What the query hands to its response.
#[derive(Debug)]
pub(super) enum Piece {
    /// Some bytes.
    Data(Bytes),
    /// The result is complete.
    End,
    /// The result is not complete: the last bytes, after which the connection is closed without an
    /// end.
    Break(Bytes),
}

#[derive(Debug)]
enum State {
    Streaming,
    /// The last bytes were handed over when the connection had been flushed so often.
    Breaking(u64),
    Ended,
}

/// Stops a query when whoever waits for it goes away: at once, even while the query is too busy to
/// notice.
#[derive(Debug)]
pub(super) struct CancelOnDrop(pub(super) Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Streams pieces. Dropping it stops the query.
#[derive(Debug)]
pub(super) struct ResultBody {
    pieces: mpsc::Receiver<Piece>,
    /// Absent in tests without a connection.
    connection: Option<Arc<Connection>>,
    state: State,
    _cancel: CancelOnDrop,
}

impl ResultBody {
    pub(super) fn new(
        pieces: mpsc::Receiver<Piece>,
        connection: Option<Arc<Connection>>,
        cancel: CancelOnDrop,
    ) -> Self {
        Self {
            pieces,
            connection,
            state: State::Streaming,
            _cancel: cancel,
        }
    }

    fn poll_break(
        &self,
        flushed: u64,
        cx: &Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(connection) = &self.connection {
            // Registered before the look, so that a flush in between wakes us.
            connection.wake_on_flush(cx);
            if connection.flushes() == flushed {
                return Poll::Pending;
            }
        }
        Poll::Ready(Some(Err(io::Error::other(
            "the result ended with an exception",
        ))))
    }
}

impl Body for ResultBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let this = self.get_mut();
        match this.state {
            State::Streaming => {}
            State::Breaking(flushed) => return this.poll_break(flushed, cx),
            State::Ended => return Poll::Ready(None),
        }
        match this.pieces.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Piece::Data(bytes))) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            Poll::Ready(Some(Piece::End)) => {
                this.state = State::Ended;
                Poll::Ready(None)
            }
            Poll::Ready(Some(Piece::Break(bytes))) => {
                let flushed = this
                    .connection
                    .as_ref()
                    .map_or(0, |connection| connection.flushes());
                this.state = State::Breaking(flushed);
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            // The query vanished without an end: never let that look like a complete result.
            Poll::Ready(None) => Poll::Ready(Some(Err(io::Error::other(
                "the query ended without an answer",
            )))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
