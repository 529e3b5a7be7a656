//! What is refused, and how each protocol says so.

use cairn_storage::TableId;
use prost::Message;

use super::super::reply::{RetryInfoProto, StatusProto};
use super::{Receivers, call, frame, gzip, logs, send, zstd};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

type Headers<'a> = &'a [(&'a str, &'a str)];

const JSON: Headers<'_> = &[("content-type", "application/json")];
const ZIPPED: Headers<'_> = &[
    ("content-type", "application/json"),
    ("content-encoding", "gzip"),
];

/// Sends the request and expects `status`, with `words` in the message.
async fn check_http(
    receivers: &Receivers,
    (method, path, headers): (&str, &str, Headers<'_>),
    body: Vec<u8>,
    (status, words): (u16, &str),
) {
    let answer = send(receivers.http, method, path, headers, body).await;
    assert_eq!(
        answer.status.as_u16(),
        status,
        "{method} {path}: {answer:?}"
    );
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("retry-after"), "");
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(words), "{method} {path}: {message}");
    assert!(
        body["code"].is_number() && body["details"].is_null(),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn http_refuses_wrong_paths_methods_and_types() {
    let all = Receivers::start().await;
    let text: Headers<'_> = &[("content-type", "text/plain")];
    let brotli: Headers<'_> = &[
        ("content-type", "application/json"),
        ("content-encoding", "br"),
    ];
    let cases = [
        (("GET", "/v1/logs", JSON), (405, "only POST")),
        (("OPTIONS", "/v1/logs", JSON), (405, "only POST")),
        (("POST", "/v1/profiles", JSON), (404, "no such path")),
        (("POST", "/v1/logs/", JSON), (404, "no such path")),
        (("POST", "//v1/logs", JSON), (404, "no such path")),
        (("POST", "/v1/%6cogs", JSON), (404, "no such path")),
        (("POST", "/v1/logs", &[]), (415, "content type")),
        (("POST", "/v1/logs", text), (415, "`text/plain`")),
        (("POST", "/v1/logs", brotli), (415, "`br`")),
    ];
    for (request, expected) in cases {
        check_http(&all, request, vec![], expected).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http_refuses_malformed_and_oversized_bodies() {
    let all = Receivers::start().await;
    let bomb = gzip(&vec![0; 1 << 20]);
    let large = vec![0; 300 << 10];
    let cases = [
        (JSON, b"{".to_vec(), (400, "malformed")),
        (JSON, b"[]".to_vec(), (400, "malformed")),
        (
            ZIPPED,
            b"not gzip".to_vec(),
            (400, "cannot be decompressed"),
        ),
        (JSON, large, (413, "limit of 262144 bytes")),
        (ZIPPED, bomb, (413, "limit")),
    ];
    for (headers, body, expected) in cases {
        check_http(&all, ("POST", "/v1/logs", headers), body, expected).await;
    }
    assert_eq!(all.rows(TableId::Logs), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protobuf_sender_gets_its_error_as_protobuf() {
    let receivers = Receivers::start().await;
    let headers = [("content-type", "application/x-protobuf")];
    let answer = send(
        receivers.http,
        "POST",
        "/v1/logs",
        &headers,
        vec![0x0a, 0xff],
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), "application/x-protobuf");
    let status = StatusProto::decode(answer.body).unwrap();
    assert_eq!(status.code, 3);
    assert!(status.message.starts_with("malformed"), "{status:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_or_starting_server_asks_to_come_back() {
    let busy = Receivers::start().await;
    let full = busy.fill();
    let one = logs(1, 1).encode_to_vec();
    let (starting, _acceptor) = Receivers::starting().await;
    let json = [("content-type", "application/json")];
    for receivers in [&busy, &starting] {
        let answer = send(receivers.http, "POST", "/v1/logs", &json, "{}").await;
        assert_eq!(answer.status, 503);
        let seconds: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=30).contains(&seconds));
        let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        let info = &body["details"][0];
        assert_eq!(info["@type"], "type.googleapis.com/google.rpc.RetryInfo");
        assert!(info["retryDelay"].as_str().unwrap().ends_with('s'));

        let answer = call(receivers.grpc, LOGS, &[], frame(false, &one)).await;
        assert_eq!(answer.header("grpc-status"), "14");
        let status = details(answer.header("grpc-status-details-bin"));
        assert_eq!(status.code, 14);
        let info = RetryInfoProto::decode(status.details[0].value.as_slice()).unwrap();
        assert!((1..=30).contains(&info.retry_delay.unwrap().seconds));
    }
    drop(full);
    let answer = send(busy.http, "POST", "/v1/logs", &json, "{}").await;
    assert_eq!(answer.status, 200);
}

/// Makes the call and expects the gRPC status `code`, with `words` in the message and no invitation to retry.
async fn check_grpc(
    receivers: &Receivers,
    (path, headers): (&str, Headers<'_>),
    body: impl Into<bytes::Bytes>,
    (code, words): (&str, &str),
) {
    let answer = call(receivers.grpc, path, headers, body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("grpc-status"),
        code,
        "{path} {words}: {answer:?}"
    );
    assert_eq!(
        answer.header("grpc-accept-encoding"),
        "identity,gzip,zstd,deflate"
    );
    let status = details(answer.header("grpc-status-details-bin"));
    assert!(status.message.contains(words), "{}", status.message);
    assert_eq!(status.details, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_refuses_bad_calls_with_codes_that_stop_the_client() {
    let all = Receivers::start().await;
    let one = logs(1, 1).encode_to_vec();
    let two = [frame(false, &one), frame(false, &one)].concat();
    let cut = frame(false, &one).slice(..8);
    let zipped = frame(true, &one);
    let bomb = frame(true, &zstd(&vec![0; 1 << 20]));
    let large = frame(false, &vec![0; 300 << 10]);
    let empty = frame(false, b"");
    let snappy: Headers<'_> = &[("grpc-encoding", "snappy")];
    let packed: Headers<'_> = &[("grpc-encoding", "zstd")];
    let nowhere = "/no.such.Service/Method";
    let logs = |headers: Headers<'static>| (LOGS, headers);
    check_grpc(
        &all,
        logs(&[]),
        frame(false, &[0x0a, 0xff]),
        ("3", "malformed"),
    )
    .await;
    check_grpc(&all, logs(&[]), "", ("3", "missing or cut off")).await;
    check_grpc(&all, logs(&[]), cut, ("3", "exactly one message")).await;
    check_grpc(&all, logs(&[]), two, ("3", "exactly one message")).await;
    check_grpc(&all, logs(&[]), zipped.clone(), ("3", "does not say how")).await;
    check_grpc(&all, logs(snappy), zipped, ("12", "`snappy`")).await;
    check_grpc(&all, logs(&[]), large, ("8", "limit")).await;
    check_grpc(&all, logs(packed), bomb, ("8", "limit")).await;
    check_grpc(&all, (nowhere, &[]), empty, ("12", "no such method")).await;
    assert_eq!(all.rows(TableId::Logs), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_grpc_port_tells_http_clients_where_to_go() {
    let receivers = Receivers::start().await;
    let json = [("content-type", "application/json")];
    let answer = send(receivers.grpc, "POST", "/v1/logs", &json, "{}").await;
    assert_eq!(answer.status, 415);
    assert!(answer.text().contains("4318"));
}

fn details(header: &str) -> StatusProto {
    let value = tonic::metadata::BinaryMetadataValue::from_static(header.to_owned().leak());
    StatusProto::decode(value.to_bytes().unwrap()).unwrap()
}
