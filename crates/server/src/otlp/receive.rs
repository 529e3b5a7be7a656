//! Reads a request body within its bounds: memory is promised before bytes are read, silence is bounded,
//! and nothing larger than the limit is ever held.

use axum::body::{Body, BodyDataStream};
use bytes::{Bytes, BytesMut};
use cairn_ingest::{Admission, Permit, admission_bytes};
use cairn_storage::PayloadCompression;
use futures::StreamExt;

use super::limits::{ADMIT_STEP_BYTES, BODY_IDLE};
use super::reply::Refusal;

/// A body that is being read.
#[derive(Debug)]
pub(super) struct Receiver {
    stream: BodyDataStream,
    permit: Permit,
    compression: PayloadCompression,
    limit_bytes: u64,
}

impl Receiver {
    /// # Errors
    /// When there is no room for even the first step.
    pub(super) fn new(
        body: Body,
        admission: &Admission,
        compression: PayloadCompression,
        limit_bytes: u64,
    ) -> Result<Self, Refusal> {
        Ok(Self {
            stream: body.into_data_stream(),
            permit: admission.try_admit(0)?,
            compression,
            limit_bytes,
        })
    }

    /// Asks for the memory of a payload of `bytes` in all.
    pub(super) fn admit(&mut self, bytes: u64) -> Result<(), Refusal> {
        if bytes > self.limit_bytes {
            return Err(Refusal::too_large(self.limit_bytes));
        }
        let needed = admission_bytes(bytes, self.compression);
        Ok(self.permit.grow_to(needed)?)
    }

    /// The next piece; `None` at the end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        let piece = tokio::time::timeout(BODY_IDLE, self.stream.next())
            .await
            .map_err(|_| Refusal::unavailable("the request body did not arrive in time"))?;
        piece
            .transpose()
            .map_err(|error| Refusal::malformed(format!("the request body broke off: {error}")))
    }

    /// The whole rest after `head`, when memory for `admitted` bytes was granted already.
    pub(super) async fn read_all(
        mut self,
        head: Bytes,
        mut admitted: u64,
    ) -> Result<(Bytes, Permit), Refusal> {
        let mut pieces = Pieces::One(head);
        loop {
            let received = u64::try_from(pieces.len()).unwrap_or(u64::MAX);
            if received > self.limit_bytes {
                return Err(Refusal::too_large(self.limit_bytes));
            }
            if admitted < received {
                admitted = received
                    .saturating_add(ADMIT_STEP_BYTES)
                    .min(self.limit_bytes);
                self.admit(admitted)?;
            }
            match self.next().await? {
                Some(piece) => pieces.push(piece, admitted),
                None => return Ok((pieces.into_bytes(), self.permit)),
            }
        }
    }
}

/// One piece is handed on as it is; several are joined.
#[derive(Debug)]
enum Pieces {
    One(Bytes),
    Joined(BytesMut),
}

impl Pieces {
    fn len(&self) -> usize {
        match self {
            Self::One(piece) => piece.len(),
            Self::Joined(joined) => joined.len(),
        }
    }

    /// `expected` bytes are reserved at the first joint; memory for them was admitted.
    fn push(&mut self, piece: Bytes, expected: u64) {
        match self {
            Self::One(first) if first.is_empty() => *self = Self::One(piece),
            Self::One(first) => {
                let needed = first.len() + piece.len();
                let expected = usize::try_from(expected).unwrap_or(needed);
                let mut joined = BytesMut::with_capacity(expected.max(needed));
                joined.extend_from_slice(first);
                joined.extend_from_slice(&piece);
                *self = Self::Joined(joined);
            }
            Self::Joined(joined) => joined.extend_from_slice(&piece),
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::One(piece) => piece,
            Self::Joined(joined) => joined.freeze(),
        }
    }
}
