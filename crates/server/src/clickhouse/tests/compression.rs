//! Bodies that are packed: HTTP codings and ClickHouse's own frames, both ways and together.

use super::canned::open;
use super::client::{Reply, ask};
use crate::clickhouse::frames::{FrameMethod, decode_frames, encode_frames};
use crate::http::{BodyEncoder, Coding, DecodeLimits, ServeLimits, decode_body};

const LIMITS: DecodeLimits = DecodeLimits {
    decoded_bytes: 10_000_000,
};

fn unpack(name: &str, reply: &Reply) -> Vec<u8> {
    decode_body(Coding::from_name(name).unwrap(), &reply.bytes(), LIMITS).unwrap()
}

#[tokio::test]
async fn frames_carry_results_and_errors_also_inside_a_coding() {
    let port = open(ServeLimits::default()).await;
    let expected = ask(port.addr, "GET /?query=rows+200000 HTTP/1.1", b"").await;
    for (method, code) in [("LZ4", 0x82), ("ZSTD", 0x90), ("NONE", 0x02)] {
        let head = format!(
            "GET /?query=rows+200000&compress=1&network_compression_method={method} HTTP/1.1"
        );
        let reply = ask(port.addr, &head, b"").await;
        assert_eq!(reply.header("content-encoding"), None);
        let frames = reply.bytes();
        assert_eq!(frames[16], code, "{method}");
        assert!(
            decode_frames(&frames).unwrap() == expected.bytes(),
            "{method}"
        );
    }
    let reply = ask(
        port.addr,
        "GET /?query=one&compress=1 HTTP/1.1\nAccept-Encoding: gzip",
        b"",
    )
    .await;
    assert_eq!(reply.header("content-encoding"), Some("gzip"));
    assert_eq!(decode_frames(&unpack("gzip", &reply)).unwrap(), b"1\n");
    for query in [
        "bad&compress=1",
        "one&compress=1&client_protocol_version=abc",
    ] {
        let reply = ask(port.addr, &format!("GET /?query={query} HTTP/1.1"), b"").await;
        assert!(reply.header("x-clickhouse-exception-code").is_some());
        let text = decode_frames(&reply.bytes()).unwrap();
        assert!(text.starts_with(b"Code: "), "{query}");
    }
}

#[tokio::test]
async fn an_exception_in_mid_stream_is_the_last_frame() {
    let port = open(ServeLimits::default()).await;
    let reply = ask(
        port.addr,
        "GET /?query=fail+200000&compress=1 HTTP/1.1",
        b"",
    )
    .await;
    assert_eq!((reply.code(), reply.complete), (200, false));
    let text = String::from_utf8(decode_frames(&reply.bytes()).unwrap()).unwrap();
    let tag = reply.header("x-clickhouse-exception-tag").unwrap();
    assert!(text.ends_with(&format!(" {tag}\r\n__exception__\r\n")));
}

#[tokio::test]
async fn every_coding_is_written_and_read() {
    let port = open(ServeLimits::default()).await;
    let expected = ask(port.addr, "GET /?query=rows+100000 HTTP/1.1", b"").await;
    for name in ["gzip", "deflate", "br", "zstd", "lz4"] {
        let head = format!("GET /?query=rows+100000 HTTP/1.1\nAccept-Encoding: {name}");
        let reply = ask(port.addr, &head, b"").await;
        assert_eq!(reply.header("content-encoding"), Some(name));
        assert!(unpack(name, &reply) == expected.bytes(), "{name}");
        let encoder = BodyEncoder::new(Coding::from_name(name).unwrap(), 3).unwrap();
        let body = encoder.finish(b"one".to_vec()).unwrap();
        let head = format!("POST / HTTP/1.1\nContent-Encoding: {name}");
        assert_eq!(ask(port.addr, &head, &body).await.text(), "1\n", "{name}");
    }
}

#[tokio::test]
async fn requests_may_be_frames_also_inside_a_coding() {
    let port = open(ServeLimits::default()).await;
    for method in [FrameMethod::Lz4, FrameMethod::Zstd, FrameMethod::Stored] {
        let frames = encode_frames(b"one", method).unwrap();
        let reply = ask(port.addr, "POST /?decompress=1 HTTP/1.1", &frames).await;
        assert_eq!(reply.text(), "1\n", "{method:?}");
        let encoder = BodyEncoder::new(Coding::Gzip, 3).unwrap();
        let both = encoder.finish(frames).unwrap();
        let head = "POST /?decompress=1 HTTP/1.1\nContent-Encoding: gzip";
        assert_eq!(
            ask(port.addr, head, &both).await.text(),
            "1\n",
            "{method:?}"
        );
    }
}

#[tokio::test]
async fn broken_bodies_are_answered_with_the_code_of_their_coding() {
    let port = open(ServeLimits::default()).await;
    for (name, code) in [
        ("gzip", 354),
        ("deflate", 354),
        ("br", 448),
        ("zstd", 561),
        ("lz4", 618),
    ] {
        let head = format!("POST / HTTP/1.1\nContent-Encoding: {name}");
        let reply = ask(port.addr, &head, b"not compressed").await;
        let text = reply.text();
        assert!(
            text.starts_with(&format!("Code: {code}.")),
            "{name}: {text}"
        );
        assert_eq!(reply.code(), 500, "{name}");
    }
    let mut frames = encode_frames(b"one", FrameMethod::Lz4).unwrap();
    let cut = ask(port.addr, "POST /?decompress=1 HTTP/1.1", b"not frame").await;
    assert_eq!(
        cut.text(),
        "Code: 33. DB::Exception: Cannot read all data. Bytes read: 9. Bytes expected: 25. \
         (CANNOT_READ_ALL_DATA) (version 25.8.1.1)\n"
    );
    frames[0] ^= 1;
    let changed = ask(port.addr, "POST /?decompress=1 HTTP/1.1", &frames).await;
    assert!(
        changed.text().starts_with("Code: 40."),
        "{}",
        changed.text()
    );
}
