//! The `clickhouse` crate against a running server, as an application uses it: typed rows over RowBinary, parameters,
//! errors, streams, compression. Panics at the first difference.

use std::collections::HashMap;
use std::env;

use clickhouse::{Client, Compression, Row};
use serde::{Deserialize, Serialize};

#[derive(Row, Deserialize, Debug, PartialEq)]
struct Log {
    #[serde(rename = "TraceId")]
    trace_id: String,
    #[serde(rename = "SeverityText")]
    severity: String,
    #[serde(rename = "SeverityNumber")]
    number: u8,
    #[serde(rename = "ServiceName")]
    service: String,
    #[serde(rename = "Body")]
    body: String,
    #[serde(rename = "LogAttributes")]
    attributes: HashMap<String, String>,
    #[serde(rename = "Timestamp")]
    at: i64,
}

#[derive(Row, Deserialize)]
struct Span {
    #[serde(rename = "Duration")]
    duration: u64,
    #[serde(rename = "Events.Name")]
    events: Vec<String>,
    #[serde(rename = "Events.Attributes")]
    attributes: Vec<HashMap<String, String>>,
    #[serde(rename = "Events.Timestamp")]
    times: Vec<i64>,
}

#[derive(Row, Deserialize, Debug, PartialEq)]
struct Types {
    largest: u64,
    null: Option<String>,
    some: Option<u8>,
    label: String,
    flag: bool,
    float: f64,
    pairs: Vec<(String, u8)>,
    tuple: (u8, String),
}

fn client(compression: Compression) -> Client {
    let var = |name| env::var(name).expect("the environment names the server");
    Client::default()
        .with_url(format!(
            "http://{}:{}",
            var("CAIRN_HOST"),
            var("CAIRN_PORT")
        ))
        .with_compression(compression)
}

async fn reads(client: &Client, base_s: i64) {
    let text = "SELECT TraceId, SeverityText, SeverityNumber, ServiceName, Body, LogAttributes, Timestamp \
                FROM otel_logs ORDER BY Timestamp";
    let logs = client.query(text).fetch_all::<Log>().await.expect("logs");
    assert_eq!(logs.len(), 3);
    let first = &logs[0];
    assert_eq!(first.at, base_s * 1_000_000_000 + 123_456_789);
    assert_eq!(
        first.body,
        "charging failed: it's \"declined\" \\ déjà vu 世界\tend"
    );
    assert_eq!(
        (
            first.severity.as_str(),
            first.number,
            first.trace_id.as_str()
        ),
        ("error", 17, "0af7651916cd43dd8448eb211c80319c")
    );
    assert_eq!(first.attributes["reason"], "card's limit");
    assert!(logs[1].attributes.is_empty());
    assert_eq!(logs[2].service, "cart");

    let text = "SELECT Duration, `Events.Name`, `Events.Attributes`, `Events.Timestamp` \
                FROM otel_traces WHERE SpanKind = 'Server'";
    let span = client
        .query(text)
        .fetch_one::<Span>()
        .await
        .expect("a span");
    assert_eq!((span.duration, span.events.len()), (500_000_000, 2));
    assert_eq!(span.attributes[0]["depth"], "3");
    assert_eq!(span.times[1], base_s * 1_000_000_000 + 200_000_002);

    let text = "SELECT toUInt64(18446744073709551615) AS largest, CAST(NULL AS Nullable(String)) AS null, \
                toNullable(toUInt8(5)) AS some, CAST('a' AS LowCardinality(String)) AS label, true AS flag, \
                1.5 AS float, map('k', toUInt8(1)) AS pairs, (1, 'x') AS tuple";
    let types = client
        .query(text)
        .fetch_one::<Types>()
        .await
        .expect("types");
    let expected = Types {
        largest: u64::MAX,
        null: None,
        some: Some(5),
        label: "a".to_owned(),
        flag: true,
        float: 1.5,
        pairs: vec![("k".to_owned(), 1)],
        tuple: (1, "x".to_owned()),
    };
    assert_eq!(types, expected);
}

async fn asks(client: &Client) {
    let text = "SELECT count() FROM otel_logs WHERE ServiceName = {service:String} AND has({list:Array(String)}, 'x')";
    let query = client
        .query(text)
        .param("service", "checkout")
        .param("list", vec!["x", "y'z"]);
    assert_eq!(query.fetch_one::<u64>().await.expect("parameters"), 2);
    let bound = client
        .query("SELECT count() FROM otel_logs WHERE ServiceName = ?")
        .bind("cart");
    assert_eq!(bound.fetch_one::<u64>().await.expect("bound"), 1);
    let mut numbers = client
        .query("SELECT number FROM numbers(200000)")
        .fetch::<u64>()
        .expect("a stream");
    let mut count = 0_u64;
    while numbers.next().await.expect("a row").is_some() {
        count += 1;
    }
    assert_eq!(count, 200_000);
    for (text, code) in [
        ("SELEKT 1", "Code: 62."),
        ("SELECT count() FROM nosuch", "Code: 60."),
        ("SELECT nosuch(1)", "Code: 46."),
        (
            "SELECT toUInt64(throwIf(number = 250000, 'boom')) FROM numbers(300000)",
            "boom",
        ),
    ] {
        let error = client
            .query(text)
            .fetch_all::<u64>()
            .await
            .expect_err(text)
            .to_string();
        assert!(error.contains(code), "{text}: {error}");
    }
}

/// A whole row: the client wants every column that has no default.
#[derive(Row, Serialize, Default)]
struct Written {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "TraceId")]
    trace_id: String,
    #[serde(rename = "SpanId")]
    span_id: String,
    #[serde(rename = "TraceFlags")]
    trace_flags: u8,
    #[serde(rename = "SeverityText")]
    severity_text: String,
    #[serde(rename = "SeverityNumber")]
    severity_number: u8,
    #[serde(rename = "ServiceName")]
    service_name: String,
    #[serde(rename = "Body")]
    body: String,
    #[serde(rename = "ResourceSchemaUrl")]
    resource_schema_url: String,
    #[serde(rename = "ResourceAttributes")]
    resource_attributes: Vec<(String, String)>,
    #[serde(rename = "ScopeSchemaUrl")]
    scope_schema_url: String,
    #[serde(rename = "ScopeName")]
    scope_name: String,
    #[serde(rename = "ScopeVersion")]
    scope_version: String,
    #[serde(rename = "ScopeAttributes")]
    scope_attributes: Vec<(String, String)>,
    #[serde(rename = "LogAttributes")]
    log_attributes: Vec<(String, String)>,
    #[serde(rename = "EventName")]
    event_name: String,
}

async fn inserts(client: &Client, base_s: i64) {
    let mut insert = client
        .insert::<Written>("otel_logs")
        .await
        .expect("an insert");
    for body in ["by Rust", "二"] {
        let row = Written {
            timestamp: base_s * 1_000_000_000,
            service_name: "written".to_owned(),
            body: body.to_owned(),
            log_attributes: vec![("a".to_owned(), "b'c".to_owned())],
            ..Written::default()
        };
        insert.write(&row).await.expect("a row");
    }
    insert.end().await.expect("the end");
    let text = "SELECT count() FROM otel_logs WHERE ServiceName = 'written' AND LogAttributes['a'] = 'b\\'c'";
    assert_eq!(
        client
            .query(text)
            .fetch_one::<u64>()
            .await
            .expect("read again"),
        2
    );
}

#[tokio::main]
async fn main() {
    let base_s = env::var("CAIRN_BASE_S")
        .ok()
        .and_then(|text| text.parse().ok())
        .expect("CAIRN_BASE_S");
    for compression in [Compression::None, Compression::Lz4] {
        let client = client(compression);
        reads(&client, base_s).await;
        asks(&client).await;
    }
    inserts(&client(Compression::Lz4), base_s).await;
    println!("clickhouse 0.15.3 (Rust): ok");
}
