//! The common path of both protocols: decode, append, count, answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use cairn_ingest::{Admission, Decoded, Decoder, Permit};
use cairn_storage::{
    Clock, ErrorKind, PayloadCompression, PayloadEncoding, RawRecord, Signal, Store,
};

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::limits::{ACK_GRACE, INLINE_DECODE_BYTES};
use super::reply::{Accepted, Refusal};
use crate::access::IngestTokens;
use crate::telemetry::{IngestCounters, Outcome, Protocol};

/// What takes telemetry in once the store is open.
#[derive(Debug)]
pub(crate) struct Backend {
    /// Where rows become durable.
    pub(crate) store: Arc<Store>,
    /// The same decoder that replays the WAL.
    pub(crate) decoder: Arc<Decoder>,
}

/// Takes requests of both protocols. Before [`Acceptor::open`] every request is told to come back.
#[derive(Debug)]
pub(crate) struct Acceptor {
    backend: OnceLock<Backend>,
    pub(super) admission: Admission,
    clock: Arc<dyn Clock>,
    ack_deadline: Duration,
    pub(super) max_request_bytes: u64,
    counters: Arc<IngestCounters>,
    tokens: IngestTokens,
}

/// A request whose body has arrived.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) signal: Signal,
    pub(super) encoding: PayloadEncoding,
    pub(super) compression: PayloadCompression,
    pub(super) payload: Bytes,
    /// The memory it was promised; given back when the request is answered.
    pub(super) permit: Permit,
}

impl Acceptor {
    pub(crate) fn new(
        admission: Admission,
        clock: Arc<dyn Clock>,
        ack_deadline: Duration,
        max_request_bytes: u64,
        counters: Arc<IngestCounters>,
        tokens: IngestTokens,
    ) -> Self {
        Self {
            backend: OnceLock::new(),
            admission,
            clock,
            ack_deadline,
            max_request_bytes,
            counters,
            tokens,
        }
    }

    /// Whether the sender may send: checked before anything else of the request is looked at.
    pub(super) fn check_sender(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let shown = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        if self.tokens.admit(shown) {
            return Ok(());
        }
        Err(Refusal::unauthenticated(match shown {
            Some(_) => "the ingest token is not known",
            None => "an ingest token is needed; send it in the header `authorization`",
        }))
    }

    /// From now on requests are taken. A second call changes nothing.
    pub(crate) fn open(&self, backend: Backend) {
        let _first = self.backend.set(backend);
    }

    /// Whether requests are taken: checked before a body is read.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        self.backend().map(|_| ())
    }

    fn backend(&self) -> Result<&Backend, Refusal> {
        self.backend
            .get()
            .ok_or_else(|| Refusal::unavailable("the server is starting; retry later"))
    }

    /// Decodes the request and returns when its rows are durable.
    pub(super) async fn accept(&self, request: Request) -> Result<Accepted, Refusal> {
        let began = Instant::now();
        let backend = self.backend()?;
        let signal = request.signal;
        self.counters.received(
            signal,
            u64::try_from(request.payload.len()).unwrap_or(u64::MAX),
        );
        let record = RawRecord {
            signal,
            encoding: request.encoding,
            compression: request.compression,
            options: backend.decoder.options(),
            received_at: self.clock.now(),
            payload: request.payload,
        };
        let mut permit = request.permit;
        let decoded = decode(&backend.decoder, &record, &mut permit)?;
        let Decoded {
            batches,
            accepted,
            rejected,
            message,
            notes,
        } = decoded;
        if accepted > 0 {
            let durable = backend.store.append(record, batches);
            // The store has a deadline of its own; this one is for the case that it cannot keep it.
            tokio::time::timeout(self.ack_deadline + ACK_GRACE, durable)
                .await
                .map_err(|_| {
                    Refusal::of_kind(ErrorKind::Timeout, "not durable in time; retry later")
                })??;
        }
        self.counters.stored(signal, accepted, rejected, &notes);
        self.counters.took(began.elapsed());
        drop(permit);
        Ok(Accepted { rejected, message })
    }

    /// Counts the answer, and logs what an operator should know of.
    pub(super) fn answered(
        &self,
        protocol: Protocol,
        signal: Signal,
        answer: &Result<Accepted, Refusal>,
    ) {
        let outcome = match answer {
            Ok(accepted) => accepted.outcome(),
            Err(refusal) => refusal.outcome(),
        };
        self.counters.answered(protocol, signal, outcome);
        if let Err(refusal) = answer {
            let (protocol, signal, reason) = (protocol.name(), signal.name(), refusal.message());
            if outcome == Outcome::Unavailable {
                tracing::warn!(protocol, signal, reason, "request refused");
            } else {
                tracing::debug!(protocol, signal, reason, "request refused");
            }
        }
    }
}

/// Decoding is work for a core; large payloads must not hold up the tasks that share this thread.
fn decode(decoder: &Decoder, record: &RawRecord, permit: &mut Permit) -> Result<Decoded, Refusal> {
    let mut run = || {
        // A bug of ours must cost one request, in the retryable way, not the connection.
        catch_unwind(AssertUnwindSafe(|| decoder.decode_admitted(record, permit)))
    };
    let small = record.payload.len() <= INLINE_DECODE_BYTES
        && record.compression == PayloadCompression::None;
    let result = if small {
        run()
    } else {
        tokio::task::block_in_place(run)
    };
    match result {
        Ok(decoded) => Ok(decoded?),
        Err(_panic) => Err(Refusal::of_kind(
            ErrorKind::Internal,
            "internal error while decoding; the server's log has the details",
        )),
    }
}
