//! Reading a request body: bounded in bytes, and in the time between two pieces.

use axum::body::Body;
use http_body_util::BodyExt as _;

use super::limits::BODY_IDLE_TIMEOUT;

/// Why a body could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// More bytes than allowed.
    TooLarge,
    /// Nothing came for too long.
    TimedOut,
    /// The connection broke, or the framing is wrong.
    Broken(axum::Error),
}

/// The whole body, at most `limit_bytes` of it.
pub(crate) async fn read_body(mut body: Body, limit_bytes: usize) -> Result<Vec<u8>, ReadError> {
    let announced = http_body::Body::size_hint(&body).lower();
    if announced > u64::try_from(limit_bytes).unwrap_or(u64::MAX) {
        return Err(ReadError::TooLarge);
    }
    let mut bytes = Vec::new();
    loop {
        let frame = tokio::time::timeout(BODY_IDLE_TIMEOUT, body.frame())
            .await
            .map_err(|_| ReadError::TimedOut)?;
        let Some(frame) = frame else { return Ok(bytes) };
        let Ok(data) = frame.map_err(ReadError::Broken)?.into_data() else {
            continue;
        };
        if bytes.len() + data.len() > limit_bytes {
            return Err(ReadError::TooLarge);
        }
        bytes.extend_from_slice(&data);
    }
}
