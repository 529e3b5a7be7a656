//! Answers in the shapes of OTLP: responses with partial success, and errors as `google.rpc.Status` with
//! RetryInfo. One place decides what a refusal means on each wire.

use std::time::Duration;

use bytes::Bytes;
use cairn_ingest::IngestError;
use cairn_storage::{ErrorKind, Signal};
use http::StatusCode;
use prost::Message;
use tonic::Code;

use super::limits::{MAX_MESSAGE_CHARS, RETRY_AFTER_DISK, RETRY_AFTER_MIN};
use crate::error::otlp_error;
use crate::telemetry::Outcome;

/// What became of an accepted request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accepted {
    /// Records that were refused one by one.
    pub(crate) rejected: u64,
    /// Why; empty when nothing was refused.
    pub(crate) message: String,
}

/// Why a request is refused as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    cause: Cause,
    message: String,
}

/// What decides code, status and retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Over a bound; smaller batches help, a retry does not.
    TooLarge,
    /// Not a path, method or service of ours.
    Unimplemented(StatusCode),
    /// No token, or an unknown one.
    Unauthenticated,
    /// Everything the crates below can say.
    Kind(ErrorKind),
}

impl Refusal {
    pub(super) fn malformed(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Invalid, message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::of_kind(ErrorKind::Unavailable, message)
    }

    pub(super) fn too_large(limit_bytes: u64) -> Self {
        Self::new(
            Cause::TooLarge,
            format!("the request exceeds the limit of {limit_bytes} bytes; send smaller batches"),
        )
    }

    /// A path or method that does not exist; `status` is for HTTP, gRPC says UNIMPLEMENTED.
    pub(super) fn unimplemented(status: StatusCode, message: impl Into<String>) -> Self {
        Self::new(Cause::Unimplemented(status), message)
    }

    pub(super) fn unauthenticated(message: &str) -> Self {
        Self::new(Cause::Unauthenticated, message)
    }

    pub(super) fn of_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::new(Cause::Kind(kind), message)
    }

    fn new(cause: Cause, message: impl Into<String>) -> Self {
        let message: String = message.into();
        let message = message.chars().take(MAX_MESSAGE_CHARS).collect();
        Self { cause, message }
    }

    /// The pause after which the same request may be sent again; `None` when that would not help.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let Cause::Kind(kind) = self.cause else {
            return None;
        };
        if !otlp_error(kind).retry {
            return None;
        }
        let base = match kind {
            ErrorKind::DiskFull | ErrorKind::Corrupt => RETRY_AFTER_DISK,
            ErrorKind::Invalid
            | ErrorKind::NotFound
            | ErrorKind::Unsupported
            | ErrorKind::Overloaded
            | ErrorKind::Timeout
            | ErrorKind::Cancelled
            | ErrorKind::Unavailable
            | ErrorKind::Internal => RETRY_AFTER_MIN,
        };
        // Spread over three times the time, so that clients refused together do not come back together: HTTP tells
        // whole seconds only.
        Some(base.mul_f64(rand::random_range(1.0..4.0)))
    }

    pub(super) fn http_status(&self) -> StatusCode {
        match self.cause {
            Cause::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Cause::Unimplemented(status) => status,
            Cause::Unauthenticated => StatusCode::UNAUTHORIZED,
            Cause::Kind(kind) => otlp_error(kind).status,
        }
    }

    pub(super) fn code(&self) -> Code {
        match self.cause {
            Cause::TooLarge => Code::ResourceExhausted,
            Cause::Unimplemented(_) => Code::Unimplemented,
            Cause::Unauthenticated => Code::Unauthenticated,
            Cause::Kind(kind) => otlp_error(kind).code,
        }
    }

    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// How it is counted.
    pub(super) fn outcome(&self) -> Outcome {
        match self.cause {
            Cause::TooLarge => Outcome::TooLarge,
            Cause::Unauthenticated => Outcome::Unauthenticated,
            Cause::Unimplemented(_) | Cause::Kind(ErrorKind::Unsupported) => Outcome::Unsupported,
            Cause::Kind(ErrorKind::Invalid | ErrorKind::NotFound) => Outcome::Malformed,
            Cause::Kind(ErrorKind::Overloaded) => Outcome::Overloaded,
            Cause::Kind(ErrorKind::DiskFull) => Outcome::DiskFull,
            Cause::Kind(ErrorKind::Timeout) => Outcome::Timeout,
            Cause::Kind(
                ErrorKind::Cancelled
                | ErrorKind::Unavailable
                | ErrorKind::Corrupt
                | ErrorKind::Internal,
            ) => Outcome::Unavailable,
        }
    }

    /// `google.rpc.Status` as protobuf.
    pub(super) fn status_proto(&self, retry_after: Option<Duration>) -> Bytes {
        let details = retry_after.map(|pause| AnyProto {
            type_url: RETRY_INFO_TYPE.to_owned(),
            value: RetryInfoProto {
                retry_delay: Some(DurationProto {
                    seconds: i64::try_from(pause.as_secs()).unwrap_or(i64::MAX),
                    nanos: i32::try_from(pause.subsec_nanos()).unwrap_or(0),
                }),
            }
            .encode_to_vec(),
        });
        let status = StatusProto {
            code: i32::from(self.code()),
            message: self.message.clone(),
            details: details.into_iter().collect(),
        };
        status.encode_to_vec().into()
    }

    /// `google.rpc.Status` as JSON.
    pub(super) fn status_json(&self, retry_after: Option<Duration>) -> Bytes {
        let mut status = serde_json::json!({
            "code": i32::from(self.code()),
            "message": self.message,
        });
        if let (Some(pause), Some(fields)) = (retry_after, status.as_object_mut()) {
            let delay = format!("{:.3}s", pause.as_secs_f64());
            let info = serde_json::json!([{ "@type": RETRY_INFO_TYPE, "retryDelay": delay }]);
            fields.insert("details".to_owned(), info);
        }
        status.to_string().into()
    }
}

impl From<IngestError> for Refusal {
    fn from(error: IngestError) -> Self {
        match &error {
            IngestError::TooLarge { .. } => Self::new(Cause::TooLarge, error.to_string()),
            IngestError::Malformed(_)
            | IngestError::UnsupportedEncoding(_)
            | IngestError::Overloaded { .. }
            | IngestError::Internal(_) => Self::of_kind(error.kind(), error.to_string()),
        }
    }
}

impl From<cairn_storage::Error> for Refusal {
    fn from(error: cairn_storage::Error) -> Self {
        Self::of_kind(error.kind(), error.to_string())
    }
}

impl Accepted {
    /// `Export…ServiceResponse` as protobuf. All signals give its fields the same numbers.
    pub(super) fn proto(&self) -> Bytes {
        ResponseProto {
            partial_success: self.is_partial().then(|| PartialSuccessProto {
                rejected: i64::try_from(self.rejected).unwrap_or(i64::MAX),
                message: self.message.clone(),
            }),
        }
        .encode_to_vec()
        .into()
    }

    /// `Export…ServiceResponse` as JSON.
    pub(super) fn json(&self, signal: Signal) -> Bytes {
        if !self.is_partial() {
            return Bytes::from_static(b"{}");
        }
        let rejected = match signal {
            Signal::Logs => "rejectedLogRecords",
            Signal::Traces => "rejectedSpans",
            Signal::Metrics => "rejectedDataPoints",
        };
        serde_json::json!({
            "partialSuccess": { rejected: self.rejected.to_string(), "errorMessage": self.message }
        })
        .to_string()
        .into()
    }

    pub(super) fn is_partial(&self) -> bool {
        self.rejected > 0
    }

    /// How it is counted.
    pub(super) fn outcome(&self) -> Outcome {
        if self.is_partial() {
            Outcome::Partial
        } else {
            Outcome::Accepted
        }
    }
}

const RETRY_INFO_TYPE: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
pub(super) struct StatusProto {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<AnyProto>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyProto {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfoProto {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<DurationProto>,
}

/// `google.protobuf.Duration`
#[derive(Clone, PartialEq, Message)]
pub(super) struct DurationProto {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
struct ResponseProto {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccessProto>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccessProto {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    message: String,
}
