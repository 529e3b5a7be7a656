//! OTLP/HTTP: what is accepted, in both encodings and every compression.

use cairn_storage::TableId;
use prost::Message;

use super::{Receivers, deflate, gzip, logs, send, traces, zstd};

const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

#[tokio::test(flavor = "multi_thread")]
async fn protobuf_is_stored_and_answered_in_kind() {
    let receivers = Receivers::start().await;
    let body = logs(3, 2).encode_to_vec();
    let answer = send(receivers.http, "POST", "/v1/logs", &[PROTOBUF], body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/x-protobuf");
    assert_eq!(answer.body, "");
    assert_eq!(receivers.rows(TableId::Logs), 3);
    let body = traces(2).encode_to_vec();
    let answer = send(receivers.http, "POST", "/v1/traces", &[PROTOBUF], body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(receivers.rows(TableId::Traces), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn json_is_stored_and_answered_in_kind() {
    let receivers = Receivers::start().await;
    let body =
        r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
    let answer = send(receivers.http, "POST", "/v1/logs", &[JSON], body).await;
    assert_eq!((answer.status.as_u16(), answer.text()), (200, "{}"));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(receivers.rows(TableId::Logs), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_compression_is_understood() {
    let receivers = Receivers::start().await;
    let plain = logs(10, 5).encode_to_vec();
    let bodies = [
        ("gzip", gzip(&plain)),
        ("zstd", zstd(&plain)),
        ("deflate", deflate(&plain)),
        ("identity", plain),
    ];
    for (index, (name, body)) in bodies.into_iter().enumerate() {
        let headers = [PROTOBUF, ("content-encoding", name)];
        let answer = send(receivers.http, "POST", "/v1/logs", &headers, body).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        let expected = 10 * (u64::try_from(index).unwrap() + 1);
        assert_eq!(receivers.rows(TableId::Logs), expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_request_is_fine() {
    let receivers = Receivers::start().await;
    for (content_type, body, expected) in [(PROTOBUF, "", ""), (JSON, "{}", "{}")] {
        let answer = send(receivers.http, "POST", "/v1/traces", &[content_type], body).await;
        assert_eq!((answer.status.as_u16(), answer.text()), (200, expected));
    }
    assert_eq!(receivers.rows(TableId::Traces), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn unusable_records_are_a_partial_success() {
    let receivers = Receivers::start().await;
    let mut request = logs(2, 1);
    let bad = logs(1, 5_000);
    request.resource_logs.extend(bad.resource_logs);
    let body = request.encode_to_vec();
    let answer = send(receivers.http, "POST", "/v1/logs", &[PROTOBUF], body).await;
    assert_eq!(answer.status, 200);
    assert_eq!(receivers.rows(TableId::Logs), 2);
    let response =
        opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse::decode(
            answer.body,
        );
    let partial = response.unwrap().partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 1);
    assert!(partial.error_message.contains("attributes"), "{partial:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_and_rows_are_counted() {
    let receivers = Receivers::start().await;
    let body = logs(3, 1).encode_to_vec();
    let length = u64::try_from(body.len()).unwrap();
    send(receivers.http, "POST", "/v1/logs", &[PROTOBUF], body).await;
    send(
        receivers.http,
        "POST",
        "/v1/logs",
        &[PROTOBUF],
        "\u{7f}\u{7f}",
    )
    .await;
    let counted: Vec<_> = receivers
        .counters
        .requests()
        .filter(|one| one.3 > 0)
        .map(|(protocol, signal, outcome, count)| {
            (protocol.name(), signal.name(), outcome.name(), count)
        })
        .collect();
    assert_eq!(
        counted,
        [
            ("http", "logs", "accepted", 1),
            ("http", "logs", "malformed", 1)
        ]
    );
    let (_, of_logs) = receivers.counters.signals().next().unwrap();
    let load =
        |counter: &std::sync::atomic::AtomicU64| counter.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(load(&of_logs.accepted_rows), 3);
    assert_eq!(load(&of_logs.received_bytes), length + 2);
}
