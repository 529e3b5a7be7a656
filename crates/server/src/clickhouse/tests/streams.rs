//! Results as streams: when they begin, how they end, what an error looks like at each moment.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::canned::open;
use super::client::{DEADLINE, ask, get};
use crate::http::{Coding, DecodeLimits, ServeLimits, decode_body};

const BOOM: &str =
    "Code: 395. DB::Exception: boom. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO) (version 25.8.1.1)";

#[tokio::test]
async fn an_error_soon_after_the_first_rows_still_has_its_status() {
    let port = open(ServeLimits::default()).await;
    let reply = get(port.addr, "query=fail+3").await;
    assert_eq!((reply.code(), reply.text()), (500, format!("{BOOM}\n")));
    assert_eq!(reply.header("x-clickhouse-exception-code"), Some("395"));
    assert_eq!(reply.header("x-clickhouse-format"), Some("TabSeparated"));
    assert!(reply.complete);
}

#[tokio::test]
async fn an_error_within_a_stream_is_its_last_chunk_and_the_end_is_missing() {
    let port = open(ServeLimits::default()).await;
    let reply = get(port.addr, "query=fail+100000").await;
    assert_eq!(reply.code(), 200);
    assert!(!reply.complete, "the terminating chunk must not come");
    let tag = reply
        .header("x-clickhouse-exception-tag")
        .unwrap()
        .to_owned();
    let expected = format!(
        "\r\n__exception__\r\n{tag}\r\n{BOOM}\n{} {tag}\r\n__exception__\r\n",
        BOOM.len() + 1
    );
    let last = String::from_utf8(reply.chunks.last().unwrap().clone()).unwrap();
    assert_eq!(last, expected);
    let rows: Vec<u8> = reply.chunks[..reply.chunks.len() - 1].concat();
    assert!(
        rows.ends_with(b"99999\n"),
        "all rows before the error were sent"
    );
}

#[tokio::test]
async fn a_compressed_stream_carries_the_exception_inside() {
    let port = open(ServeLimits::default()).await;
    for (name, coding) in [
        ("gzip", Coding::Gzip),
        ("zstd", Coding::Zstd),
        ("deflate", Coding::Deflate),
    ] {
        let head = format!("GET /?query=fail+100000 HTTP/1.1\nAccept-Encoding: {name}");
        let reply = ask(port.addr, &head, b"").await;
        assert_eq!(
            (reply.code(), reply.header("content-encoding")),
            (200, Some(name))
        );
        assert!(!reply.complete);
        let limits = DecodeLimits {
            decoded_bytes: 10 << 20,
        };
        let text = String::from_utf8(decode_body(coding, &reply.bytes(), limits).unwrap()).unwrap();
        assert!(text.contains("99999\n\r\n__exception__\r\n"), "{name}");
        assert!(text.ends_with("\r\n__exception__\r\n"), "{name}");
    }
}

#[tokio::test]
async fn waiting_for_the_end_gives_a_late_error_its_status() {
    let port = open(ServeLimits::default()).await;
    let reply = get(port.addr, "query=fail+100000&wait_end_of_query=1").await;
    assert_eq!((reply.code(), reply.text()), (500, format!("{BOOM}\n")));
    let reply = get(port.addr, "query=rows+100000&wait_end_of_query=1").await;
    assert_eq!(reply.code(), 200);
    assert!(reply.complete && reply.text().ends_with("99999\n"));
}

#[tokio::test]
async fn an_exception_may_be_part_of_the_document() {
    let port = open(ServeLimits::default()).await;
    let setting = "http_write_exception_in_output_format=1";
    let reply = get(
        port.addr,
        &format!("query=fail+100000+FORMAT+JSONEachRow&{setting}"),
    )
    .await;
    assert!(reply.complete, "the document is whole");
    assert!(
        reply
            .text()
            .ends_with(&format!("{{\"n\":99999}}\n{{\"exception\": \"{BOOM}\"}}\n"))
    );
    let reply = get(port.addr, &format!("query=fail+3+FORMAT+JSON&{setting}")).await;
    assert_eq!(reply.code(), 500);
    let document: serde_json::Value = serde_json::from_str(&reply.text()).unwrap();
    assert_eq!(document["exception"], BOOM);
    assert_eq!(
        (
            document["rows"].as_u64(),
            document["data"].as_array().unwrap().len()
        ),
        (Some(0), 0)
    );
}

#[tokio::test]
async fn large_results_arrive_complete_in_every_coding() {
    let port = open(ServeLimits::default()).await;
    let expected: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    for (name, coding) in [
        ("identity", Coding::Identity),
        ("gzip", Coding::Gzip),
        ("zstd", Coding::Zstd),
        ("deflate", Coding::Deflate),
    ] {
        let head = format!("GET /?query=rows+200000 HTTP/1.1\nAccept-Encoding: {name}");
        let reply = ask(port.addr, &head, b"").await;
        let limits = DecodeLimits {
            decoded_bytes: 10 << 20,
        };
        let text = decode_body(coding, &reply.bytes(), limits).unwrap();
        assert!(reply.complete && text == expected.as_bytes(), "{name}");
        assert!(reply.chunks.len() > 1, "{name} came in one piece");
    }
    let reply = get(port.addr, "query=bad&enable_http_compression=1").await;
    assert_eq!(reply.header("content-encoding"), None);
    let head = "GET /?query=bad HTTP/1.1\nAccept-Encoding: gzip";
    let reply = ask(port.addr, head, b"").await;
    assert_eq!(
        (reply.code(), reply.header("content-encoding")),
        (404, Some("gzip"))
    );
    let limits = DecodeLimits {
        decoded_bytes: 1 << 20,
    };
    assert!(
        decode_body(Coding::Gzip, &reply.bytes(), limits)
            .unwrap()
            .starts_with(b"Code: 47.")
    );
}

/// Reads the head, then a chunk: its size line and at least one byte.
async fn read_first_row(socket: &mut TcpStream, received: &mut Vec<u8>) {
    loop {
        let mut piece = [0; 4096];
        let count = socket.read(&mut piece).await.unwrap();
        assert!(count > 0, "closed before the first row");
        received.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(received);
        if text
            .split_once("\r\n\r\n")
            .is_some_and(|(_, body)| body.len() > 3)
        {
            return;
        }
    }
}

#[tokio::test]
async fn rows_are_seen_before_the_query_ends() {
    let port = open(ServeLimits::default()).await;
    for coding in ["identity", "gzip", "zstd"] {
        let mut socket = TcpStream::connect(port.addr).await.unwrap();
        let request = format!(
            "GET /?query=gate HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let first_row = read_first_row(&mut socket, &mut received);
        tokio::time::timeout(DEADLINE, first_row).await.unwrap();
        port.canned.gate.notify_one();
        tokio::time::timeout(DEADLINE, socket.read_to_end(&mut received))
            .await
            .unwrap()
            .unwrap();
        assert!(received.ends_with(b"0\r\n\r\n"), "{coding}");
    }
}
