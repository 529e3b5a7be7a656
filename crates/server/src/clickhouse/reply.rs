//! The way from a query to its client: the head once, then pieces, encoded as the client wishes;
//! and errors, in the form that is still possible.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use cairn_query::{ErrorCode, Progress};
use chrono_tz::Tz;
use http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::time::Instant;

use super::body::Piece;
use super::exception::Exception;
use super::format::{Format, PLAIN};
use super::frames::encode_frames;
use super::processes::Registration;
use super::progress::{ProgressNotes, summary};
use super::request::{Encoding, Wishes};
use super::sessions::Lease;
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
    /// Progress noted before the head.
    pub(super) progress: Vec<String>,
    /// Headers that the request asked for.
    pub(super) extra: Vec<(String, String)>,
}

/// What a query holds while it runs, given back before the last bytes of its answer leave: whoever
/// has read the answer may use the id and the session at once.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) session: Option<Lease>,
    pub(super) registration: Option<Registration>,
    pub(super) place: Option<OwnedSemaphorePermit>,
}

/// Packs a body: into frames when asked for, and those into the coding.
#[derive(Debug)]
pub(super) struct Packer {
    encoding: Encoding,
    encoder: BodyEncoder,
}

impl Packer {
    pub(super) fn new(encoding: Encoding) -> io::Result<Self> {
        let encoder = BodyEncoder::new(encoding.coding, encoding.level)?;
        Ok(Self { encoding, encoder })
    }

    fn framed(&self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        match self.encoding.frames {
            Some(method) => encode_frames(&piece, method),
            None => Ok(piece),
        }
    }

    fn pack(&mut self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let framed = self.framed(piece)?;
        self.encoder.encode(framed)
    }

    /// Packs the last piece.
    pub(super) fn finish(self, piece: Vec<u8>) -> io::Result<Vec<u8>> {
        let framed = self.framed(piece)?;
        self.encoder.finish(framed)
    }
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
    packer: Option<Packer>,
    encoding: Encoding,
    pub(super) format: Option<&'static Format>,
    pub(super) timezone: Tz,
    pub(super) started: Instant,
    pub(super) progress: Arc<Progress>,
    pub(super) notes: Arc<ProgressNotes>,
    pub(super) extra_headers: Vec<(String, String)>,
    pub(super) held: Held,
}

impl<'a> Reply<'a> {
    pub(super) fn new(
        head: oneshot::Sender<Head>,
        pieces: &'a mpsc::Sender<Piece>,
        wishes: &Wishes,
        timezone: Tz,
        progress: Arc<Progress>,
    ) -> Self {
        Self {
            head: Some(head),
            pieces,
            packer: None,
            encoding: wishes.encoding,
            format: None,
            timezone,
            started: Instant::now(),
            progress,
            notes: Arc::default(),
            extra_headers: Vec::new(),
            held: Held::default(),
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
            coding: self.encoding.coding,
            summary: summary(&self.progress, self.started.elapsed()),
            progress: self.notes.take(),
            extra: std::mem::take(&mut self.extra_headers),
        };
        // The other side is gone when the client is; `closed` ends the work then.
        drop(sender.send(head));
    }

    fn take_packer(&mut self) -> io::Result<Packer> {
        match self.packer.take() {
            Some(packer) => Ok(packer),
            None => Packer::new(self.encoding),
        }
    }

    /// Sends a piece; waits while the client is behind.
    pub(super) async fn send(&mut self, piece: Vec<u8>) -> Result<(), Stop> {
        self.send_head(StatusCode::OK, None);
        let mut packer = self.take_packer().map_err(|error| cannot_encode(&error))?;
        let encoded = packer.pack(piece).map_err(|error| cannot_encode(&error))?;
        self.packer = Some(packer);
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

    /// Gives back what the query held and notes how it ended.
    pub(super) fn release(&mut self, exception: Option<&Exception>) {
        let ran = self.format.is_some();
        let Held {
            session,
            registration,
            place,
        } = std::mem::take(&mut self.held);
        drop(session);
        drop(place);
        if let Some(mut registration) = registration {
            match exception {
                None => registration.finish(),
                Some(exception) => registration.fail(exception, ran),
            }
        }
    }

    /// Sends the last piece and ends the body.
    pub(super) async fn finish(&mut self, piece: Vec<u8>) {
        self.send_head(StatusCode::OK, None);
        self.end(piece).await;
    }

    pub(super) async fn end(&mut self, piece: Vec<u8>) {
        self.release(None);
        match self.take_packer().and_then(|packer| packer.finish(piece)) {
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
        self.release(Some(exception));
        let block = exception.block(tag);
        let encoded = self.take_packer().and_then(|packer| packer.finish(block));
        let encoded = encoded.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot encode an exception block");
            Vec::new()
        });
        self.send_piece(Piece::Break(Bytes::from(encoded))).await;
    }

    /// The whole response is an error with this body.
    pub(super) async fn fail_with(&mut self, exception: &Exception, body: Vec<u8>) {
        self.release(Some(exception));
        self.send_head(exception.error.status, Some(exception.error.number));
        self.end(body).await;
    }
}

fn cannot_encode(error: &io::Error) -> Exception {
    Exception::new(
        ErrorCode::LogicalError,
        format!("Cannot compress the result: {error}"),
    )
}
