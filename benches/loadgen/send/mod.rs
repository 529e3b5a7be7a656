//! Sends one request and says what became of it.

mod grpc;
mod http;

use anyhow::Result;
use bytes::Bytes;
use prost::Message;

use crate::arguments::{Plan, Protocol};

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Durable, except for this many records that were refused for their content.
    Acknowledged { rejected: u64 },
    /// Come back later, after this many milliseconds if the server said so.
    Busy {
        retry_ms: Option<u64>,
        reason: String,
    },
    /// Do not send it again.
    Refused { reason: String },
    /// The connection broke; nobody knows.
    Unknown { reason: String },
}

/// Which service a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Logs,
    Traces,
}

/// A connection to the endpoint.
#[derive(Debug, Clone)]
pub(crate) enum Sender {
    Http(Box<http::HttpSender>),
    Grpc(grpc::GrpcSender),
}

impl Sender {
    pub(crate) fn new(plan: &Plan) -> Result<Self> {
        Ok(match plan.protocol {
            Protocol::Http => Self::Http(Box::new(http::HttpSender::new(plan)?)),
            Protocol::Grpc => Self::Grpc(grpc::GrpcSender::new(plan)?),
        })
    }

    pub(crate) async fn send(&mut self, signal: Signal, payload: Bytes) -> Outcome {
        match self {
            Self::Http(http) => http.send(signal, payload).await,
            Self::Grpc(grpc) => grpc.send(signal, payload).await,
        }
    }
}

/// Both export responses look alike: field 1 holds the rejected count as its field 1.
#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<PartialSuccess>,
}

#[derive(Clone, PartialEq, Message)]
struct PartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
}

fn rejected_count(response: &Response) -> u64 {
    let partial = response.partial_success.as_ref();
    partial.map_or(0, |partial| u64::try_from(partial.rejected).unwrap_or(0))
}
