//! The way from a query to its client: the head once, then pieces, encoded as the client wishes;
//! and errors, in the form that is still possible.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use cairn_query::{ErrorCode, Progress};
use chrono_tz::Tz;
use http::StatusCode;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::body::Piece;
use super::exception::Exception;
use super::format::{Format, PLAIN};
use super::request::Wishes;
use crate::http::{BodyEncoder, Coding};

/// What the head of the response says about the query.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) exception_code: Option<u16>,
    /// The format of the result; none for statements without one, and when it was never known.
    pub(super) format: Option<&'static Format>,
    pub(super) content_type: &'static str,
    pub(super) timezone: Option<Tz>,
    pub(super) coding: Coding,
    pub(super) summary: String,
}

/// Why a result is not written any further.
pub(super) enum Stop {
    /// Tell the client.
    Failed(Exception),
    /// Nobody listens any more.
    Gone,
}

impl From<Exception> for Stop {
    fn from(exception: Exception) -> Self {
        Self::Failed(exception)
    }
}

/// The way to the client. Once the head is gone, errors can only break the stream.
pub(super) struct Reply<'a> {
    head: Option<oneshot::Sender<Head>>,
    pieces: &'a mpsc::Sender<Piece>,
    encoder: Option<BodyEncoder>,
    coding: Coding,
    level: u32,
    pub(super) format: Option<&'static Format>,
    pub(super) timezone: Tz,
    pub(super) started: Instant,
    pub(super) progress: Arc<Progress>,
}

impl<'a> Reply<'a> {
    pub(super) fn new(
        head: oneshot::Sender<Head>,
        pieces: &'a mpsc::Sender<Piece>,
        wishes: &Wishes,
        timezone: Tz,
    ) -> Self {
        Self {
            head: Some(head),
            pieces,
            encoder: None,
            coding: wishes.coding,
            level: wishes.compression_level,
            format: None,
            timezone,
            started: Instant::now(),
            progress: Arc::default(),
        }
    }

    pub(super) fn has_begun(&self) -> bool {
        self.head.is_none()
    }

    fn send_head(&mut self, status: StatusCode, exception_code: Option<u16>) {
        let Some(sender) = self.head.take() else {
            return;
        };
        let head = Head {
            status,
            exception_code,
            format: self.format,
            content_type: self.format.map_or(PLAIN, |format| format.content_type),
            timezone: Some(self.timezone),
            coding: self.coding,
            summary: summary(&self.progress, self.started.elapsed()),
        };
        // The other side is gone when the client is; `closed` ends the work then.
        drop(sender.send(head));
    }

    fn take_encoder(&mut self) -> std::io::Result<BodyEncoder> {
        match self.encoder.take() {
            Some(encoder) => Ok(encoder),
            None => BodyEncoder::new(self.coding, self.level),
        }
    }

    /// Sends a piece; waits while the client is behind.
    pub(super) async fn send(&mut self, piece: Vec<u8>) -> Result<(), Stop> {
        self.send_head(StatusCode::OK, None);
        let mut encoder = self.take_encoder().map_err(|error| cannot_encode(&error))?;
        let encoded = encoder
            .encode(piece)
            .map_err(|error| cannot_encode(&error))?;
        self.encoder = Some(encoder);
        if self.send_piece(Piece::Data(Bytes::from(encoded))).await {
            Ok(())
        } else {
            Err(Stop::Gone)
        }
    }

    /// Answers whether somebody still listens.
    async fn send_piece(&self, piece: Piece) -> bool {
        self.pieces.send(piece).await.is_ok()
    }

    /// Sends the last piece and ends the body.
    pub(super) async fn finish(&mut self, piece: Vec<u8>) {
        self.send_head(StatusCode::OK, None);
        self.end(piece).await;
    }

    pub(super) async fn end(&mut self, piece: Vec<u8>) {
        match self
            .take_encoder()
            .and_then(|encoder| encoder.finish(piece))
        {
            Ok(encoded) => {
                let last = Piece::Data(Bytes::from(encoded));
                if self.send_piece(last).await {
                    self.send_piece(Piece::End).await;
                }
            }
            Err(error) => {
                tracing::error!(%error, "cannot encode the end of a result");
                self.send_piece(Piece::Break(Bytes::new())).await;
            }
        }
    }

    /// Tells an error: with a status of its own when nothing was sent, else as a block that breaks
    /// the stream.
    pub(super) async fn fail(&mut self, exception: &Exception, tag: &str) {
        if !self.has_begun() {
            return self.fail_with(exception, exception.body()).await;
        }
        let block = exception.block(tag);
        let encoded = self
            .take_encoder()
            .and_then(|encoder| encoder.finish(block));
        let encoded = encoded.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot encode an exception block");
            Vec::new()
        });
        self.send_piece(Piece::Break(Bytes::from(encoded))).await;
    }

    /// The whole response is an error with this body.
    pub(super) async fn fail_with(&mut self, exception: &Exception, body: Vec<u8>) {
        self.send_head(exception.error.status, Some(exception.error.number));
        self.end(body).await;
    }
}

fn cannot_encode(error: &std::io::Error) -> Exception {
    Exception::new(
        ErrorCode::LogicalError,
        format!("Cannot compress the result: {error}"),
    )
}

/// The value of `X-ClickHouse-Summary`.
fn summary(progress: &Progress, elapsed: Duration) -> String {
    format!(
        "{{\"read_rows\":\"{}\",\"read_bytes\":\"{}\",\"written_rows\":\"0\",\
         \"written_bytes\":\"0\",\"total_rows_to_read\":\"{}\",\"result_rows\":\"{}\",\
         \"result_bytes\":\"{}\",\"elapsed_ns\":\"{}\",\"memory_usage\":\"{}\"}}",
        progress.read_rows(),
        progress.read_bytes(),
        progress.total_rows_to_read(),
        progress.result_rows(),
        progress.result_bytes(),
        elapsed.as_nanos(),
        progress.memory_bytes(),
    )
}
