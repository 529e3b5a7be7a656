//! What outlives or surrounds a request: sessions, running queries and their end, the query log.

use std::time::Duration;

use super::canned::open;
use super::client::{DEADLINE, ask, get};
use super::engine::Bed;
use crate::http::ServeLimits;

const ENDLESS: &str = "SELECT count() FROM system.numbers WHERE number % 3 = 4";

/// Asks until the answer is the expected one.
async fn until(addr: std::net::SocketAddr, query: &str, expected: &str) {
    let asking = async {
        loop {
            let answer = ask(addr, "POST / HTTP/1.1", query.as_bytes()).await.text();
            if answer == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.unwrap();
}

#[tokio::test]
async fn a_session_keeps_settings_and_database() {
    let bed = Bed::new().await;
    let in_session = "POST /?session_id=s1 HTTP/1.1";
    assert_eq!(ask(bed.addr, in_session, b"USE system").await.text(), "");
    let reply = ask(bed.addr, in_session, b"SET date_time_output_format = 'iso'").await;
    assert_eq!(
        (reply.code(), reply.header("x-clickhouse-format")),
        (200, None)
    );
    let question = b"SELECT currentDatabase(), toDateTime(0)";
    let answer = ask(bed.addr, in_session, question).await.text();
    assert_eq!(answer, "system\t1970-01-01T00:00:00Z\n");
    let elsewhere = ask(bed.addr, "POST /?session_id=s2 HTTP/1.1", question)
        .await
        .text();
    assert_eq!(elsewhere, "default\t1970-01-01 00:00:00\n");
    let stronger = "POST /?session_id=s1&database=default&date_time_output_format=simple HTTP/1.1";
    assert_eq!(ask(bed.addr, stronger, question).await.text(), elsewhere);
}

#[tokio::test]
async fn sessions_are_refused_with_clickhouses_words() {
    let bed = Bed::new().await;
    for (query, expected) in [
        (
            "session_id=s3&session_check=1",
            "Code: 372. DB::Exception: Session s3 not found. (SESSION_NOT_FOUND)\n",
        ),
        (
            "session_id=s1&session_timeout=abc",
            "Code: 374. DB::Exception: Invalid session timeout: 'abc'. (INVALID_SESSION_TIMEOUT)\n",
        ),
    ] {
        let reply = get(bed.addr, &format!("query=SELECT+1&{query}")).await;
        assert_eq!((reply.code(), reply.text().as_str()), (500, expected));
    }
    let url = "POST /?session_id=lk&query_id=holder HTTP/1.1";
    let holder = tokio::spawn({
        let addr = bed.addr;
        async move { ask(addr, url, ENDLESS.as_bytes()).await }
    });
    until(
        bed.addr,
        "SELECT count() FROM system.processes WHERE query_id = 'holder'",
        "1\n",
    )
    .await;
    let locked = get(bed.addr, "query=SELECT+1&session_id=lk").await.text();
    assert_eq!(
        locked,
        "Code: 373. DB::Exception: Session lk is locked by a concurrent client. (SESSION_IS_LOCKED)\n"
    );
    let same = get(bed.addr, "query=SELECT+1&query_id=holder").await;
    assert_eq!(same.header("x-clickhouse-query-id"), Some("holder"));
    assert!(
        same.text()
            .starts_with("Code: 216. DB::Exception: Query with id = holder is already running.")
    );
    let kill = b"KILL QUERY WHERE query_id = 'holder' SYNC";
    let killed = ask(bed.addr, "POST / HTTP/1.1", kill).await.text();
    assert_eq!(
        killed,
        format!("finished\tholder\tdefault\t{ENDLESS}\n").replace('\'', "\\'")
    );
    let answer = tokio::time::timeout(DEADLINE, holder)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(answer.code(), 500);
    assert!(
        answer
            .text()
            .starts_with("Code: 394. DB::Exception: Query was cancelled.")
    );
    until(bed.addr, "SELECT count() FROM system.processes", "1\n").await;
    let log = b"SELECT type, exception_code FROM system.query_log WHERE query_id = 'holder' \
        AND query LIKE '%numbers%' ORDER BY type";
    let logged = ask(bed.addr, "POST / HTTP/1.1", log).await.text();
    // Whether the kill met it still being planned is a matter of luck.
    let started = logged == "QueryStart\t0\nExceptionWhileProcessing\t394\n";
    assert!(
        started || logged == "ExceptionBeforeStart\t394\n",
        "{logged}"
    );
}

#[tokio::test]
async fn killing_nothing_has_no_result() {
    let bed = Bed::new().await;
    let reply = ask(
        bed.addr,
        "POST / HTTP/1.1",
        b"KILL QUERY WHERE query_id = 'zz'",
    )
    .await;
    assert_eq!((reply.code(), reply.text().as_str()), (200, ""));
    assert_eq!(reply.header("x-clickhouse-format"), None);
}

#[tokio::test]
async fn an_id_and_a_session_are_free_as_soon_as_the_answer_is_read() {
    let bed = Bed::new().await;
    for _ in 0..50 {
        let reply = get(bed.addr, "query=SELECT+1&query_id=again&session_id=again").await;
        assert_eq!(reply.text(), "1\n");
    }
}

#[tokio::test]
async fn a_client_that_leaves_stops_its_query() {
    let bed = Bed::new().await;
    let mut socket = tokio::net::TcpStream::connect(bed.addr).await.unwrap();
    let request = format!(
        "POST /?query_id=left HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{ENDLESS}",
        ENDLESS.len()
    );
    tokio::io::AsyncWriteExt::write_all(&mut socket, request.as_bytes())
        .await
        .unwrap();
    let running = "SELECT count() FROM system.processes WHERE query_id = 'left'";
    until(bed.addr, running, "1\n").await;
    drop(socket);
    until(bed.addr, running, "0\n").await;
}

#[tokio::test]
async fn readonly_refuses_changes_of_settings() {
    let bed = Bed::new().await;
    for (head, query, expected) in [
        (
            "POST /?readonly=1 HTTP/1.1",
            "SELECT 1 SETTINGS max_threads = 1",
            164,
        ),
        ("POST /?readonly=1 HTTP/1.1", "SELECT 1", 0),
        (
            "POST /?readonly=1&max_threads=1 HTTP/1.1",
            "SELECT 1 SETTINGS max_threads = 1",
            0,
        ),
        (
            "POST /?readonly=2 HTTP/1.1",
            "SELECT 1 SETTINGS max_threads = 1",
            0,
        ),
        (
            "POST /?readonly=2 HTTP/1.1",
            "SELECT 1 SETTINGS readonly = 0",
            164,
        ),
        ("POST /?readonly=2 HTTP/1.1", "SET readonly = 0", 164),
        ("POST / HTTP/1.1", "SET readonly = 0", 0),
    ] {
        let reply = ask(bed.addr, head, query.as_bytes()).await;
        let code = reply.header("x-clickhouse-exception-code").unwrap_or("0");
        assert_eq!(code, expected.to_string(), "{head} {query}");
    }
    let reply = get(bed.addr, "query=SELECT+1&readonly=0").await;
    assert_eq!(
        reply.text(),
        "Code: 164. DB::Exception: Cannot modify 'readonly' setting in readonly mode. (READONLY) \
         (version 25.8.1.1)\n"
    );
}

#[tokio::test]
async fn bounds_of_a_query_have_their_codes() {
    let bed = Bed::new().await;
    for (settings, query, expected) in [
        ("max_result_rows=1", "SELECT Body FROM otel_logs", "396"),
        (
            "max_result_rows=1&result_overflow_mode=break",
            "SELECT Body FROM otel_logs",
            "0",
        ),
        ("max_rows_to_read=1", "SELECT Body FROM otel_logs", "158"),
        (
            "max_rows_to_read=1&read_overflow_mode=break",
            "SELECT Body FROM otel_logs",
            "0",
        ),
        ("max_execution_time=0.05", ENDLESS, "159"),
        (
            "max_memory_usage=1000",
            "SELECT number % 100000 AS k, count() FROM numbers(1000000) GROUP BY k",
            "241",
        ),
    ] {
        let head = format!("POST /?{settings} HTTP/1.1");
        let reply = ask(bed.addr, &head, query.as_bytes()).await;
        let code = reply.header("x-clickhouse-exception-code").unwrap_or("0");
        assert_eq!(code, expected, "{settings}: {}", reply.text());
    }
}

#[tokio::test]
async fn progress_and_wished_headers_come_with_the_head() {
    let port = open(ServeLimits::default()).await;
    let url = "query=gate&wait_end_of_query=1&send_progress_in_http_headers=1\
        &http_headers_progress_interval_ms=10&http_response_headers=%7B%27X-My%27%3A%27v%27%7D";
    let asking = tokio::spawn({
        let addr = port.addr;
        async move { get(addr, url).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    port.canned.gate.notify_one();
    let reply = tokio::time::timeout(DEADLINE, asking)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(reply.text(), "1\n2\n");
    assert_eq!(reply.header("x-my"), Some("v"));
    let progress = reply.header("x-clickhouse-progress").unwrap();
    assert!(progress.contains("\"elapsed_ns\":\""), "{progress}");
}
