//! OTLP/gRPC: what is accepted, with a real gRPC client and with frames made by hand.

use std::marker::PhantomData;
use std::time::Duration;

use bytes::{Buf, BufMut};
use cairn_storage::TableId;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use prost::Message;
use tonic::Status;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Channel;

use super::{Receivers, call, frame, gzip, logs, traces, zstd};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Protobuf messages for the client.
#[derive(Debug)]
struct Protobuf<T, U>(PhantomData<(T, U)>);

impl<T, U> Codec for Protobuf<T, U>
where
    T: Message + Send + 'static,
    U: Message + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<T: Message, U> Encoder for Protobuf<T, U> {
    type Item = T;
    type Error = Status;

    fn encode(&mut self, item: T, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item.encode_to_vec());
        Ok(())
    }
}

impl<T, U: Message + Default> Decoder for Protobuf<T, U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        Ok(Some(U::decode(bytes).unwrap()))
    }
}

async fn export(
    receivers: &Receivers,
    request: ExportLogsServiceRequest,
    compression: Option<CompressionEncoding>,
) -> Result<ExportLogsServiceResponse, Status> {
    let channel = Channel::from_shared(format!("http://{}", receivers.grpc))
        .unwrap()
        .timeout(Duration::from_secs(20))
        .connect()
        .await
        .unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    if let Some(encoding) = compression {
        client = client.send_compressed(encoding).accept_compressed(encoding);
    }
    client.ready().await.unwrap();
    let response = client
        .unary(
            tonic::Request::new(request),
            LOGS.parse().unwrap(),
            Protobuf(PhantomData),
        )
        .await?;
    Ok(response.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_client_stores_logs_in_every_compression() {
    let receivers = Receivers::start().await;
    let compressions = [
        None,
        Some(CompressionEncoding::Gzip),
        Some(CompressionEncoding::Zstd),
    ];
    for (compression, expected) in compressions.into_iter().zip([4, 8, 12]) {
        let response = export(&receivers, logs(4, 3), compression).await.unwrap();
        assert_eq!(response.partial_success, None);
        assert_eq!(receivers.rows(TableId::Logs), expected, "{compression:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grpc_client_sees_partial_success_and_errors() {
    let receivers = Receivers::start().await;
    let partial = export(&receivers, logs(1, 5_000), None).await.unwrap();
    assert_eq!(partial.partial_success.unwrap().rejected_log_records, 1);
    let full = receivers.fill();
    let status = export(&receivers, logs(1, 1), None).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    drop(full);
    export(&receivers, logs(1, 1), None).await.unwrap();
    assert_eq!(receivers.rows(TableId::Logs), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_may_be_compressed_or_not_whatever_the_header_names() {
    let receivers = Receivers::start().await;
    let plain = traces(2).encode_to_vec();
    let zipped = gzip(&plain);
    let packed = zstd(&plain);
    let cases = [
        ("identity", frame(false, &plain)),
        ("gzip", frame(true, &zipped)),
        ("gzip", frame(false, &plain)),
        ("zstd", frame(true, &packed)),
    ];
    for (name, body) in cases {
        let answer = call(receivers.grpc, TRACES, &[("grpc-encoding", name)], body).await;
        assert_eq!(answer.header("grpc-status"), "0", "{answer:?}");
        assert_eq!(answer.body, frame(false, b""));
        assert_eq!(answer.header("content-type"), "application/grpc");
    }
    assert_eq!(receivers.rows(TableId::Traces), 8);
    let empty = call(receivers.grpc, TRACES, &[], frame(false, b"")).await;
    assert_eq!(empty.header("grpc-status"), "0");
}
