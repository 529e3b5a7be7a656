//! The two encodings of OTLP. Protobuf is walked in place; JSON is rewritten as protobuf first, so
//! that both take one path and mean the same. Knows nothing of columns.

mod json;
mod messages;
mod transcode;
mod wire;
mod writer;

pub(crate) use json::{JsonReader, Token};
pub(crate) use messages::{LOGS_REQUEST, METRICS_REQUEST, MessageDef, TRACES_REQUEST};
pub(crate) use transcode::to_protobuf;
pub(crate) use wire::{Field, Fields};
#[cfg(test)]
pub(crate) use writer::ProtoWriter;
