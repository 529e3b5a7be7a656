//! Bad input: every case gets its answer in the protocol's own shape, nothing is stored, and the
//! server lives.

use std::fmt::Write as _;
use std::io::Write as _;

use serde_json::json;

use crate::http::{self, Response};
use crate::server::{Cairn, folder};

const PROTOBUF: (&str, &str) = ("Content-Type", "application/x-protobuf");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// What it is, path, headers, body, expected status.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], &'a [u8], u16);

fn send(cairn: &Cairn, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
    http::post(cairn.otlp_http, path, headers, body)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// A protobuf message nested `levels` deep, as an attribute's value: field 5 of AnyValue is an array.
fn nested_protobuf(levels: usize) -> Vec<u8> {
    // Each level adds at most 2 × (tag + 5-byte length); written from the inside out.
    let mut inner: Vec<u8> = vec![0x18, 1];
    let mut reversed = Vec::new();
    let mut length = inner.len();
    for _ in 0..levels {
        for tag in [0x0a_u8, 0x2a] {
            let mut head = vec![tag];
            let mut rest = length;
            while rest >= 0x80 {
                head.push(u8::try_from(rest & 0x7f).expect("7 bits") | 0x80);
                rest >>= 7;
            }
            head.push(u8::try_from(rest).expect("7 bits"));
            length += head.len();
            reversed.push(head);
        }
    }
    let mut value: Vec<u8> = reversed.into_iter().rev().flatten().collect();
    value.append(&mut inner);
    // LogRecord.body = 5, ScopeLogs.log_records = 2, ResourceLogs.scope_logs = 2, request = 1.
    for tag in [0x2a_u8, 0x12, 0x12, 0x0a] {
        let mut framed = vec![tag];
        let mut rest = value.len();
        while rest >= 0x80 {
            framed.push(u8::try_from(rest & 0x7f).expect("7 bits") | 0x80);
            rest >>= 7;
        }
        framed.push(u8::try_from(rest).expect("7 bits"));
        framed.append(&mut value);
        value = framed;
    }
    value
}

#[test]
fn bad_otlp_gets_the_right_status_and_stores_nothing() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let good = br#"{"resourceLogs":[]}"#;
    let zip = ("Content-Encoding", "gzip");
    let deep_json = format!(
        r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{}{}}}]}}]}}]}}"#,
        r#"{"arrayValue":{"values":["#.repeat(200_000),
        "]}}".repeat(200_000)
    );
    let bomb = gzip(&vec![0; 80 << 20]);
    let cases: [Case<'_>; 13] = [
        (
            "cut protobuf",
            "/v1/logs",
            &[PROTOBUF],
            &[0x0a, 0x7f, 1, 2],
            400,
        ),
        (
            "text as protobuf",
            "/v1/traces",
            &[PROTOBUF],
            b"hello world, not protobuf",
            400,
        ),
        (
            "cut JSON",
            "/v1/logs",
            &[JSON],
            br#"{"resourceLogs":["#,
            400,
        ),
        (
            "JSON of another shape",
            "/v1/logs",
            &[JSON],
            br#"{"resourceLogs":7}"#,
            400,
        ),
        (
            "200 000 levels of JSON",
            "/v1/logs",
            &[JSON],
            deep_json.as_bytes(),
            400,
        ),
        ("not gzip", "/v1/logs", &[JSON, zip], good, 400),
        ("a bomb", "/v1/logs", &[PROTOBUF, zip], &bomb, 413),
        (
            "another coding",
            "/v1/logs",
            &[JSON, ("Content-Encoding", "br")],
            good,
            415,
        ),
        (
            "another content type",
            "/v1/logs",
            &[("Content-Type", "text/plain")],
            good,
            415,
        ),
        ("no content type", "/v1/logs", &[], good, 415),
        ("an unknown path", "/v1/profiles", &[JSON], good, 404),
        (
            "a path that is only like one",
            "//v1/logs",
            &[JSON],
            good,
            404,
        ),
        ("a trailing slash", "/v1/logs/", &[JSON], good, 404),
    ];
    for (what, path, headers, body, status) in cases {
        let response = send(&cairn, path, headers, body);
        assert_eq!(response.status, status, "{what}: {}", response.text());
        assert!(!response.body.is_empty(), "{what}: an error says why");
    }
    let get = http::get(cairn.otlp_http, "/v1/logs");
    assert_eq!(get.status, 405);
    assert_eq!(cairn.value("SELECT count() FROM otel_logs"), "0");
    assert_eq!(cairn.value("SELECT count() FROM otel_traces"), "0");
}

#[test]
fn a_body_over_the_bound_is_refused_before_it_is_read() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &["--max-request-bytes", "1MiB"]);
    let response = send(&cairn, "/v1/logs", &[PROTOBUF], &vec![0; 3 << 20]);
    assert_eq!(response.status, 413, "{}", response.text());
    assert_eq!(response.header("retry-after"), None, "it will never fit");
}

#[test]
fn strange_but_legal_data_is_stored_and_counted() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &["--logs-normalize", "off"]);
    let response = send(&cairn, "/v1/logs", &[PROTOBUF], &nested_protobuf(200_000));
    assert_eq!(
        response.status,
        200,
        "deep nesting is cut: {}",
        response.text()
    );
    let body = cairn.value("SELECT length(Body) FROM otel_logs");
    assert!(body.parse::<u64>().expect("a number") < 1_000, "{body}");

    // Invalid UTF-8 in a body: replaced, not refused. resource_logs{scope_logs{log_records{body}}}
    let bad_text = [0x0a, 9, 0x12, 7, 0x12, 5, 0x2a, 3, 0x0a, 1, 0xff];
    let response = send(&cairn, "/v1/logs", &[PROTOBUF], &bad_text);
    assert_eq!(response.status, 200, "{}", response.text());
    let replaced = "SELECT count() FROM otel_logs WHERE Body = '\u{fffd}'";
    assert_eq!(cairn.value(replaced), "1");

    let times = ["0", "1", "18446744073709551615"];
    for time in times {
        cairn.send_json(
            "/v1/logs",
            &json!({"resourceLogs": [{"scopeLogs": [{"logRecords": [
            {"timeUnixNano": time, "body": {"stringValue": format!("at {time}")},
             "traceId": "abcd", "spanId": "00"}]}]}]}),
        );
    }
    let stored = "SELECT count(), countIf(TraceId = ''), toYear(min(Timestamp)) > 2000, \
                  toYear(max(Timestamp)) FROM otel_logs WHERE Body LIKE 'at %'";
    assert_eq!(cairn.value(stored), "3\t3\t0\t2262");
}

#[test]
fn bad_sql_gets_clickhouse_errors_and_the_server_lives() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let sum = format!("SELECT 1{}", "+1".repeat(2_000));
    let parentheses = format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000));
    let huge = format!("SELECT '{}'", "x".repeat(300_000));
    let mut unions = "SELECT 1".to_owned();
    for number in 0..3_000 {
        write!(unions, " UNION ALL SELECT {number}").expect("memory");
    }
    let cases = [
        ("SELEC 1", Some(62)),
        ("SELECT", Some(62)),
        ("", None),
        ("SELECT * FROM nowhere", Some(60)),
        ("SELECT nothing FROM otel_logs", Some(47)),
        ("SELECT frobnicate(1)", Some(46)),
        ("SELECT * FROM nodb.otel_logs", Some(81)),
        (parentheses.as_str(), None),
        (huge.as_str(), Some(62)),
        (unions.as_str(), None),
        ("SELECT 1 FORMAT NoSuchFormat", Some(73)),
        ("SELECT repeat('x', 1500000000)", None),
        ("SELECT * FROM file('/etc/passwd')", None),
        ("DROP TABLE otel_logs", None),
    ];
    for (sql, code) in cases {
        let shown: String = sql.chars().take(60).collect();
        let response = cairn.query(sql);
        let text = response.text();
        assert!(
            (400..600).contains(&response.status),
            "{shown}: {} {text}",
            response.status
        );
        assert!(text.starts_with("Code: "), "{shown}: {text}");
        let told = response
            .header("x-clickhouse-exception-code")
            .expect("the code's header");
        assert!(
            text.starts_with(&format!("Code: {told}. DB::Exception: ")),
            "{shown}: {text}"
        );
        if let Some(code) = code {
            assert_eq!(told, code.to_string(), "{shown}: {text}");
        }
        assert_eq!(cairn.value("SELECT 1"), "1", "it lives after {shown}");
    }
    // A long sum is answered or refused; it must not take the process down.
    let response = cairn.query(&sum);
    assert!(
        response.status == 200 || response.text().starts_with("Code: "),
        "{}",
        response.text()
    );
    assert_eq!(cairn.value("SELECT 1"), "1");
}

#[test]
fn a_query_over_its_time_is_stopped() {
    let dir = folder();
    let cairn = Cairn::start(dir.path(), &[]);
    let sql = "SELECT count() FROM numbers(100000000000) WHERE number % 7 = 3 \
               SETTINGS max_execution_time = 1";
    let response = cairn.query(sql);
    assert!(
        response.text().starts_with("Code: 159. "),
        "{}",
        response.text()
    );
}
