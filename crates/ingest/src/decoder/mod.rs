//! The façade: a request as received in, batches and what is to be said about it out.

#[cfg(test)]
mod tests;

use cairn_storage::{PayloadEncoding, RawRecord, RecordDecoder, Signal, TableBatch};

use crate::admit::Permit;
use crate::encoding::decompress;
use crate::error::{IngestError, Result};
use crate::limits::MAX_REQUEST_BYTES;
use crate::logs::{self, LogOptions};
use crate::metrics;
use crate::notes::{Notes, Tally};
use crate::otlp::{LOGS_REQUEST, METRICS_REQUEST, MessageDef, TRACES_REQUEST, to_protobuf};
use crate::rows;
use crate::traces;

/// Option bit: logs are normalised. The bits are kept in the WAL: never reuse one.
const NORMALIZE_LOGS: u8 = 1;

/// How new requests are decoded.
#[derive(Debug, Clone, Copy)]
pub struct DecoderConfig {
    /// Merge JSON bodies into the attributes, infer severities and lower-case them, as ClickStack's
    /// collector does.
    pub normalize_logs: bool,
    /// Bytes of one request after decompression, at most [`MAX_REQUEST_BYTES`].
    pub max_request_bytes: usize,
}

impl Default for DecoderConfig {
    fn default() -> Self {
        Self {
            normalize_logs: true,
            max_request_bytes: MAX_REQUEST_BYTES,
        }
    }
}

/// Decodes OTLP requests. Has no state: the same record always gives the same rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decoder {
    config: DecoderConfig,
}

/// A decoded request.
#[derive(Debug)]
pub struct Decoded {
    /// The rows, by table; empty when the request has none.
    pub batches: Vec<TableBatch>,
    /// Records that became rows.
    pub accepted: u64,
    /// Records that were rejected; they are not in the batches.
    pub rejected: u64,
    /// Why records were rejected, for the sender; empty when none were.
    pub message: String,
    /// What was repaired, for metrics.
    pub notes: Notes,
}

impl Decoder {
    /// A decoder for `config`.
    #[must_use]
    pub fn new(config: DecoderConfig) -> Self {
        Self { config }
    }

    /// The option bits that a new [`RawRecord`] carries, so that replay decodes it in the same way
    /// even when the configuration has changed.
    #[must_use]
    pub fn options(&self) -> u8 {
        if self.config.normalize_logs {
            NORMALIZE_LOGS
        } else {
            0
        }
    }

    /// Decodes `record` within the configured limits.
    ///
    /// # Errors
    ///
    /// The request is malformed or too large.
    pub fn decode_request(&self, record: &RawRecord) -> Result<Decoded, IngestError> {
        decode(record, self.limit_bytes(), &mut |_| Ok(()))
    }

    /// Decodes `record`, growing `permit` to what it takes: the payload, its decompressed form and
    /// the columns.
    ///
    /// # Errors
    ///
    /// The request is malformed or too large, or there is no room for its decompressed form.
    pub fn decode_admitted(
        &self,
        record: &RawRecord,
        permit: &mut Permit,
    ) -> Result<Decoded, IngestError> {
        let mut needed_bytes = to_u64(record.payload.len());
        decode(record, self.limit_bytes(), &mut |more_bytes| {
            needed_bytes = needed_bytes.saturating_add(to_u64(more_bytes).saturating_mul(2));
            permit.grow_to(needed_bytes)
        })
    }

    fn limit_bytes(&self) -> usize {
        self.config.max_request_bytes.min(MAX_REQUEST_BYTES)
    }
}

impl RecordDecoder for Decoder {
    /// Replay: what was accepted once is accepted again, whatever the configuration says now.
    fn decode(&self, record: &RawRecord) -> cairn_storage::Result<Vec<TableBatch>> {
        let decoded = decode(record, MAX_REQUEST_BYTES, &mut |_| Ok(()))?;
        Ok(decoded.batches)
    }
}

fn decode(
    record: &RawRecord,
    limit_bytes: usize,
    on_growth: &mut dyn FnMut(usize) -> Result<()>,
) -> Result<Decoded> {
    let body = decompress(&record.payload, record.compression, limit_bytes, on_growth)?;
    let (mut batches, tally) = match record.encoding {
        PayloadEncoding::Protobuf => rows_of(record, &body)?,
        PayloadEncoding::Rows => rows::decode(&body)?,
        PayloadEncoding::Json => {
            let body = to_protobuf(&body, message_of(record.signal), limit_bytes)?;
            on_growth(body.len())?;
            rows_of(record, &body)?
        }
    };
    batches.retain(|batch| batch.rows.num_rows() > 0);
    Ok(Decoded {
        batches,
        accepted: tally.accepted,
        rejected: tally.rejections.total(),
        message: tally.rejections.message(),
        notes: tally.notes,
    })
}

fn rows_of(record: &RawRecord, body: &[u8]) -> Result<(Vec<TableBatch>, Tally)> {
    let (batch, tally) = match record.signal {
        Signal::Logs => logs::decode(
            body,
            LogOptions {
                normalize: record.options & NORMALIZE_LOGS != 0,
                received_at: record.received_at,
            },
        )?,
        Signal::Traces => traces::decode(body, record.received_at)?,
        Signal::Metrics => return metrics::decode(body, record.received_at),
    };
    Ok((vec![batch], tally))
}

fn message_of(signal: Signal) -> &'static MessageDef {
    match signal {
        Signal::Logs => &LOGS_REQUEST,
        Signal::Traces => &TRACES_REQUEST,
        Signal::Metrics => &METRICS_REQUEST,
    }
}

fn to_u64(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
