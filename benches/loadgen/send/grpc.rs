//! OTLP over gRPC. Requests are bytes already, so the codec only copies them.

use anyhow::{Context, Result};
use bytes::{Buf, BufMut, Bytes};
use prost::Message;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};

use super::{Outcome, Response, Signal, rejected_count};
use crate::arguments::{Compression, Plan};

#[derive(Debug, Clone)]
pub(crate) struct GrpcSender {
    client: Grpc<Channel>,
}

impl GrpcSender {
    pub(super) fn new(plan: &Plan) -> Result<Self> {
        let endpoint = Endpoint::from_shared(plan.endpoint.clone())
            .with_context(|| format!("endpoint `{}`", plan.endpoint))?
            .tcp_nodelay(true);
        let client = Grpc::new(endpoint.connect_lazy());
        let client = match plan.compression {
            Compression::None => client,
            Compression::Gzip => client.send_compressed(CompressionEncoding::Gzip),
            Compression::Zstd => client.send_compressed(CompressionEncoding::Zstd),
        };
        Ok(Self { client })
    }

    pub(super) async fn send(&mut self, signal: Signal, payload: Bytes) -> Outcome {
        if let Err(error) = self.client.ready().await {
            return Outcome::Unknown {
                reason: error.to_string(),
            };
        }
        let path = PathAndQuery::from_static(match signal {
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        });
        match self.client.unary(Request::new(payload), path, Raw).await {
            Ok(response) => Outcome::Acknowledged {
                rejected: rejected_count(response.get_ref()),
            },
            Err(status) => outcome(&status),
        }
    }
}

fn outcome(status: &Status) -> Outcome {
    let reason = format!("{:?}", status.code());
    // A broken connection is reported as UNAVAILABLE too, but then there is a cause.
    let broken = std::error::Error::source(status).is_some();
    let retryable = matches!(
        status.code(),
        Code::Unavailable | Code::ResourceExhausted | Code::Aborted | Code::DeadlineExceeded
    );
    if broken {
        Outcome::Unknown {
            reason: status.to_string(),
        }
    } else if retryable {
        Outcome::Busy {
            retry_ms: None,
            reason,
        }
    } else {
        Outcome::Refused { reason }
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Response;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(item.len());
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Response;
    type Error = Status;

    fn decode(&mut self, source: &mut DecodeBuf<'_>) -> Result<Option<Response>, Status> {
        let bytes = source.copy_to_bytes(source.remaining());
        Response::decode(bytes)
            .map(Some)
            .map_err(|error| Status::internal(format!("unreadable response: {error}")))
    }
}
