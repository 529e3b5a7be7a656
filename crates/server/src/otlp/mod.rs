//! The OTLP receivers: gRPC and HTTP in front of one common path that decodes, makes durable and answers.
//! Knows the protocol's shapes; how records become rows is the ingest crate's.

mod accept;
mod cors;
mod grpc;
mod http;
mod limits;
mod receive;
mod reply;

#[cfg(test)]
mod tests;

pub(crate) use self::http::router as http_router;
pub(crate) use accept::{Acceptor, Backend};
pub(crate) use grpc::router as grpc_router;
