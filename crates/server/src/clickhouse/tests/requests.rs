//! Requests and the heads of their responses.

use super::canned::open;
use super::client::{ask, get, parse, raw};
use crate::http::ServeLimits;

#[tokio::test]
async fn health_paths_answer_without_a_query() {
    let port = open(ServeLimits::default()).await;
    for path in ["/", "/ping", "/replicas_status"] {
        let reply = ask(port.addr, &format!("GET {path} HTTP/1.1"), b"").await;
        assert_eq!(
            (reply.code(), reply.text().as_str()),
            (200, "Ok.\n"),
            "{path}"
        );
        let reply = ask(port.addr, &format!("HEAD {path} HTTP/1.1"), b"").await;
        assert_eq!((reply.code(), reply.text().as_str()), (200, ""), "{path}");
    }
    let reply = ask(
        port.addr,
        "GET /ping HTTP/1.1\nAuthorization: Basic dTE6YmFk",
        b"",
    )
    .await;
    assert_eq!(reply.code(), 200, "credentials do not matter for the ping");
    let reply = ask(port.addr, "GET /replicas_status?verbose=1 HTTP/1.1", b"").await;
    assert_eq!((reply.code(), reply.text().as_str()), (200, ""));
}

#[tokio::test]
async fn other_methods_and_paths_are_refused_as_clickhouse_does() {
    let port = open(ServeLimits::default()).await;
    for method in ["PUT", "DELETE", "PATCH"] {
        let reply = ask(port.addr, &format!("{method} / HTTP/1.1"), b"").await;
        assert_eq!((reply.code(), reply.text().as_str()), (501, ""), "{method}");
    }
    let reply = ask(port.addr, "GET /nonexist HTTP/1.1", b"").await;
    assert_eq!(reply.code(), 404);
    assert!(
        reply
            .text()
            .starts_with("There is no handle /nonexist\n\nUse / or /ping")
    );
    assert_eq!(reply.header("content-type"), None);
    let reply = ask(port.addr, "OPTIONS /?x HTTP/1.1", b"").await;
    assert_eq!(reply.code(), 204);
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("access-control-max-age"), Some("86400"));
}

#[tokio::test]
async fn an_answer_has_all_headers_of_clickhouse() {
    let port = open(ServeLimits::default()).await;
    let reply = get(port.addr, "query=one&query_id=abc-1").await;
    assert_eq!(reply.status, "HTTP/1.1 200 OK");
    assert_eq!(reply.chunks, [b"1\n".to_vec()]);
    assert!(reply.complete);
    for (name, expected) in [
        ("transfer-encoding", "chunked"),
        ("content-type", "text/tab-separated-values; charset=UTF-8"),
        ("x-clickhouse-format", "TabSeparated"),
        ("x-clickhouse-query-id", "abc-1"),
        ("x-clickhouse-timezone", "UTC"),
        ("x-clickhouse-server-display-name", "test-host"),
        ("keep-alive", "timeout=30, max=9999"),
    ] {
        assert_eq!(reply.header(name), Some(expected), "{name}");
    }
    assert_eq!(reply.header("x-clickhouse-exception-code"), None);
    assert_eq!(
        reply.header("x-clickhouse-exception-tag").map(str::len),
        Some(16)
    );
    let exposed = reply.header("access-control-expose-headers").unwrap();
    assert!(exposed.starts_with("X-ClickHouse-Query-Id,X-ClickHouse-Summary,"));
    let summary: serde_json::Value =
        serde_json::from_str(reply.header("x-clickhouse-summary").unwrap()).unwrap();
    assert!(summary["read_rows"].is_string() && summary["elapsed_ns"].is_string());
    assert_eq!(reply.header("access-control-allow-origin"), None);
}

#[tokio::test]
async fn the_format_comes_from_the_strongest_wish() {
    let port = open(ServeLimits::default()).await;
    let csv = "text/csv; charset=UTF-8; header=absent";
    for (query, header, format, content_type) in [
        (
            "query=one&default_format=JSONEachRow",
            "",
            "JSONEachRow",
            "application/x-ndjson; charset=UTF-8",
        ),
        (
            "query=one&default_format=JSON",
            "X-ClickHouse-Format: CSV",
            "CSV",
            csv,
        ),
        (
            "query=one+FORMAT+csv",
            "X-ClickHouse-Format: JSON",
            "CSV",
            csv,
        ),
        ("query=one+FORMAT+JSON&output_format=CSV", "", "CSV", csv),
        (
            "query=one+FORMAT+JSON",
            "",
            "JSON",
            "application/json; charset=UTF-8",
        ),
    ] {
        let reply = ask(port.addr, &format!("GET /?{query} HTTP/1.1\n{header}"), b"").await;
        assert_eq!(reply.header("x-clickhouse-format"), Some(format), "{query}");
        assert_eq!(reply.header("content-type"), Some(content_type), "{query}");
    }
    let reply = get(port.addr, "query=one&default_format=nope").await;
    assert_eq!(reply.code(), 404);
    assert_eq!(
        reply.text(),
        "Code: 73. DB::Exception: Unknown format nope. (UNKNOWN_FORMAT) (version 25.8.1.1)\n"
    );
}

#[tokio::test]
async fn statements_without_a_result_have_no_format() {
    let port = open(ServeLimits::default()).await;
    let reply = ask(port.addr, "POST / HTTP/1.1", b"set max_threads = 1").await;
    assert_eq!((reply.code(), reply.text().as_str()), (200, ""));
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    assert_eq!(reply.header("x-clickhouse-format"), None);
    assert!(reply.complete);
}

#[tokio::test]
async fn errors_have_status_header_and_text() {
    let port = open(ServeLimits::default()).await;
    let text = "Code: 47. DB::Exception: Unknown expression identifier `nope`. (UNKNOWN_IDENTIFIER) \
                (version 25.8.1.1)\n";
    let reply = get(port.addr, "query=bad").await;
    assert_eq!((reply.code(), reply.text().as_str()), (404, text));
    assert_eq!(reply.header("x-clickhouse-exception-code"), Some("47"));
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=UTF-8")
    );
    assert_eq!(reply.header("x-clickhouse-format"), None);
    let reply = ask(port.addr, "HEAD /?query=bad HTTP/1.1", b"").await;
    assert_eq!((reply.code(), reply.bytes().len()), (404, 0));
    assert_eq!(reply.header("x-clickhouse-exception-code"), Some("47"));
}

#[tokio::test]
async fn head_has_the_headers_of_get() {
    let port = open(ServeLimits::default()).await;
    let reply = ask(port.addr, "HEAD /?query=one HTTP/1.1", b"").await;
    assert_eq!((reply.code(), reply.bytes().len()), (200, 0));
    assert_eq!(reply.header("x-clickhouse-format"), Some("TabSeparated"));
}

#[tokio::test]
async fn the_query_arrives_whole() {
    let port = open(ServeLimits::default()).await;
    let target = "/?query=echo+a&param_p=1%262&database=system";
    for (head, body, expected) in [
        (
            format!("POST {target} HTTP/1.1"),
            "b",
            "echo a\\nb\tsystem\tdefault\tp=1&2\t0\n",
        ),
        (
            format!("GET {target} HTTP/1.1"),
            "",
            "echo a\tsystem\tdefault\tp=1&2\t1\n",
        ),
        (
            "POST / HTTP/1.1\nContent-Type: application/x-www-form-urlencoded".to_owned(),
            "echo+%20=",
            "echo+%20=\t\tdefault\t\t0\n",
        ),
    ] {
        let reply = ask(port.addr, &head, body.as_bytes()).await;
        if body.starts_with("echo+") {
            assert_eq!(
                reply.code(),
                404,
                "the form is not decoded, so this is no `echo`"
            );
        } else {
            assert_eq!(reply.text(), expected, "{head}");
        }
    }
}

#[tokio::test]
async fn credentials_are_checked_before_anything_else() {
    let port = open(ServeLimits::default()).await;
    let reply = get(port.addr, "query=one&user=u1&password=bad").await;
    assert_eq!(reply.code(), 403);
    assert_eq!(
        reply.text(),
        "Code: 516. DB::Exception: u1: Authentication failed: password is incorrect, or there is no user \
         with such name. (AUTHENTICATION_FAILED)\n"
    );
    assert_eq!(reply.header("x-clickhouse-exception-code"), Some("516"));
    assert_eq!(reply.header("x-clickhouse-query-id"), None);
    assert_eq!(reply.header("x-clickhouse-timezone"), None);
    let reply = ask(
        port.addr,
        "GET /?query=one HTTP/1.1\nX-ClickHouse-Key: x",
        b"",
    )
    .await;
    assert_eq!(reply.code(), 401);
    assert_eq!(
        reply.header("www-authenticate"),
        Some("Basic realm=\"ClickHouse server HTTP API\"")
    );
}

#[tokio::test]
async fn a_post_without_a_length_is_refused() {
    let port = open(ServeLimits::default()).await;
    let bytes = raw(
        port.addr,
        b"POST /?query=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    )
    .await;
    let reply = parse(&bytes);
    assert_eq!(
        (reply.code(), reply.header("x-clickhouse-exception-code")),
        (411, Some("381"))
    );
    assert_eq!(
        reply.text(),
        "Code: 381. DB::Exception: The Transfer-Encoding is not chunked and there is no Content-Length \
         header for a POST request. (HTTP_LENGTH_REQUIRED)\n"
    );
}

#[tokio::test]
async fn chunked_bodies_expectations_and_http_1_0_work() {
    let port = open(ServeLimits::default()).await;
    let chunked =
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
        2\r\non\r\n1\r\ne\r\n0\r\n\r\n";
    assert_eq!(parse(&raw(port.addr, chunked).await).text(), "1\n");
    let old = raw(port.addr, b"GET /?query=one HTTP/1.0\r\n\r\n").await;
    let reply = parse(&old);
    assert_eq!(
        (reply.header("transfer-encoding"), reply.text().as_str()),
        (None, "1\n")
    );
    let expecting = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\
        Content-Length: 3\r\n\r\none";
    let reply = raw(port.addr, expecting).await;
    let (first, rest) = reply.split_at(25);
    assert_eq!(first, b"HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(parse(rest).text(), "1\n");
}

#[tokio::test]
async fn pipelined_requests_share_a_connection() {
    let port = open(ServeLimits::default()).await;
    let two = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n\
        GET /?query=one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let bytes = raw(port.addr, two).await;
    let text = String::from_utf8(bytes).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert!(
        text.contains("Ok.\n") && text.ends_with("2\r\n1\n\r\n0\r\n\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn unknown_codings_and_bombs_are_refused() {
    let port = open(ServeLimits::default()).await;
    for coding in ["identity", "nope"] {
        let head = format!("POST / HTTP/1.1\nContent-Encoding: {coding}");
        let reply = ask(port.addr, &head, b"one").await;
        assert_eq!(
            (reply.code(), reply.header("x-clickhouse-exception-code")),
            (501, Some("48"))
        );
        assert!(
            reply
                .text()
                .contains(&format!("Unknown compression method '{coding}'"))
        );
    }
    let encoder = crate::http::BodyEncoder::new(crate::http::Coding::Gzip, 9).unwrap();
    let bomb = encoder.finish(vec![b' '; 100 << 20]).unwrap();
    let reply = ask(port.addr, "POST / HTTP/1.1\nContent-Encoding: gzip", &bomb).await;
    assert_eq!(
        (reply.code(), reply.header("x-clickhouse-exception-code")),
        (413, Some("229"))
    );
}

#[tokio::test]
async fn browsers_of_other_origins_are_told_only_on_request() {
    let port = open(ServeLimits::default()).await;
    for (query, header, expected) in [
        (
            "query=one&add_http_cors_header=1",
            "Origin: http://a",
            Some("*"),
        ),
        ("query=one&add_http_cors_header=1", "", None),
        ("query=one", "Origin: http://a", None),
        (
            "query=bad&add_http_cors_header=1",
            "Origin: http://a",
            Some("*"),
        ),
    ] {
        let reply = ask(port.addr, &format!("GET /?{query} HTTP/1.1\n{header}"), b"").await;
        assert_eq!(
            reply.header("access-control-allow-origin"),
            expected,
            "{query} {header}"
        );
    }
}
