//! INSERT over HTTP into a real store: what was written comes back, what is wrong changes nothing.

use super::client::{Reply, ask, get};
use super::engine::Bed;
use crate::clickhouse::frames::{FrameMethod, encode_frames};

async fn post(bed: &Bed, url: &str, body: &[u8]) -> Reply {
    ask(bed.addr, &format!("POST /{url} HTTP/1.1"), body).await
}

async fn rows(bed: &Bed) -> String {
    let query = "SELECT Timestamp, ServiceName, Body, TraceId, LogAttributes FROM otel_logs \
        WHERE ServiceName LIKE 'sql%' ORDER BY Timestamp, Body";
    post(bed, "", query.as_bytes()).await.text()
}

const ID: &str = "0af7651916cd43dd8448eb211c80319c";

#[tokio::test]
async fn rows_of_every_kind_come_back() {
    let bed = Bed::new().await;
    let columns = "(Timestamp, ServiceName, Body, TraceId, LogAttributes)";
    let values = format!(
        "INSERT INTO otel_logs {columns} VALUES ('2023-11-14 22:13:20.5', 'sql-a', 'b\\'c', '{ID}', \
         {{'k':'v'}}), (toDateTime64(1700000001, 9), concat('sql', '-b'), 'x', '', map())"
    );
    let reply = post(&bed, "", values.as_bytes()).await;
    assert_eq!((reply.code(), reply.text().as_str()), (200, ""));
    assert_eq!(reply.header("x-clickhouse-format"), None);
    let summary = reply.header("x-clickhouse-summary").unwrap();
    assert!(summary.contains("\"written_rows\":\"2\""), "{summary}");
    let json =
        b"{\"Timestamp\":\"2023-11-14T22:13:22Z\",\"ServiceName\":\"sql-c\",\"Body\":{\"a\":1}}\n";
    let reply = post(
        &bed,
        "?query=INSERT+INTO+otel_logs+FORMAT+JSONEachRow&async_insert=1",
        json,
    )
    .await;
    assert_eq!((reply.code(), reply.text().as_str()), (200, ""));
    let csv = encode_frames(b"1700000003,sql-d,y,,{}\n", FrameMethod::Lz4).unwrap();
    let url = "?decompress=1&query=INSERT+INTO+otel_logs+(Timestamp,ServiceName,Body,TraceId,LogAttributes)+FORMAT+CSV";
    assert_eq!(post(&bed, url, &csv).await.text(), "");
    let select = format!(
        "INSERT INTO otel_logs {columns} SELECT Timestamp, 'sql-e', Body, TraceId, LogAttributes \
         FROM otel_logs WHERE ServiceName = 'sql-a'"
    );
    assert_eq!(post(&bed, "", select.as_bytes()).await.text(), "");
    assert_eq!(
        rows(&bed).await,
        format!(
            "2023-11-14 22:13:20.500000000\tsql-a\tb\\'c\t{ID}\t{{'k':'v'}}\n\
             2023-11-14 22:13:20.500000000\tsql-e\tb\\'c\t{ID}\t{{'k':'v'}}\n\
             2023-11-14 22:13:21.000000000\tsql-b\tx\t\t{{}}\n\
             2023-11-14 22:13:22.000000000\tsql-c\t{{\"a\":1}}\t\t{{}}\n\
             2023-11-14 22:13:23.000000000\tsql-d\ty\t\t{{}}\n"
        )
    );
}

#[tokio::test]
async fn every_row_of_values_may_have_expressions() {
    let bed = Bed::new().await;
    let insert = b"INSERT INTO otel_logs (ServiceName, Body) VALUES (concat('sql', ''), 'a'), \
        ('sql', toString(1 + 1)), (lower('SQL'), 'c')";
    assert_eq!(post(&bed, "", insert).await.text(), "");
    let query = b"SELECT Body FROM otel_logs WHERE ServiceName = 'sql' ORDER BY Body";
    assert_eq!(post(&bed, "", query).await.text(), "2\na\nc\n");
}

#[tokio::test]
async fn what_a_query_answers_in_binary_can_be_inserted_again() {
    let bed = Bed::new().await;
    for (table, format) in [
        ("otel_logs", "Native"),
        ("otel_logs", "RowBinaryWithNamesAndTypes"),
        ("otel_logs", "JSONEachRow"),
        ("otel_logs", "TSVWithNamesAndTypes"),
        ("otel_logs", "CSVWithNames"),
    ] {
        let count = format!("SELECT count() FROM {table}");
        let before: u64 = post(&bed, "", count.as_bytes())
            .await
            .text()
            .trim()
            .parse()
            .unwrap();
        let answer = post(
            &bed,
            &format!("?default_format={format}"),
            b"SELECT * FROM otel_logs",
        )
        .await;
        let url = format!("?query=INSERT+INTO+{table}+FORMAT+{format}");
        let reply = post(&bed, &url, &answer.bytes()).await;
        assert_eq!((reply.code(), reply.text().as_str()), (200, ""), "{format}");
        let after: u64 = post(&bed, "", count.as_bytes())
            .await
            .text()
            .trim()
            .parse()
            .unwrap();
        assert_eq!(after, before * 2, "{format}");
        let distinct = "SELECT uniqExact(tuple(*)) FROM otel_logs";
        let distinct = post(&bed, "", distinct.as_bytes()).await;
        if distinct.code() == 200 {
            assert_eq!(distinct.text(), "2\n", "{format}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_changes_nothing() {
    let bed = Bed::new().await;
    let logs = "INSERT INTO otel_logs (ServiceName, SeverityNumber, TraceId) ";
    for (statement, code) in [
        ("INSERT INTO nope VALUES (1)".to_owned(), 60),
        ("INSERT INTO otel_logs (zz) VALUES (1)".to_owned(), 16),
        ("INSERT INTO system.one VALUES (1)".to_owned(), 48),
        ("INSERT INTO otel_logs".to_owned(), 62),
        (format!("{logs} FORMAT nope\nx"), 73),
        (format!("{logs} FORMAT XML\nx"), 48),
        (
            format!("{logs} FORMAT JSONEachRow\n{{\"ServiceName\":\"sql\"}}{{"),
            117,
        ),
        (format!("{logs} FORMAT TSV\nsql\t1\t\nsql\tx\t\n"), 6),
        (format!("{logs} FORMAT RowBinary\n\x03sq"), 33),
        (format!("{logs} VALUES ('sql', 1, 'no id')"), 117),
        (format!("{logs} VALUES ('sql', 1"), 62),
        (format!("{logs} SELECT 'sql', 1"), 20),
        (
            "INSERT INTO otel_traces (`Events.Name`, `Events.Timestamp`) VALUES (['a'], [])"
                .to_owned(),
            190,
        ),
    ] {
        let reply = post(&bed, "", statement.as_bytes()).await;
        let found = reply.header("x-clickhouse-exception-code").unwrap_or("0");
        assert_eq!(found, code.to_string(), "{statement}: {}", reply.text());
        assert_eq!(rows(&bed).await, "", "{statement}");
    }
    let reply = get(
        bed.addr,
        "query=INSERT+INTO+otel_logs+(ServiceName)+VALUES+('sql')",
    )
    .await;
    assert!(
        reply
            .text()
            .contains("Cannot execute query in readonly mode. For queries over HTTP, method GET")
    );
    let reply = post(
        &bed,
        "?readonly=2",
        b"INSERT INTO otel_logs (ServiceName) VALUES ('sql')",
    )
    .await;
    assert!(
        reply
            .text()
            .starts_with("Code: 164. DB::Exception: default: Cannot execute query in readonly")
    );
    let empty = post(&bed, "?query=INSERT+INTO+otel_logs+FORMAT+JSONEachRow", b"").await;
    assert_eq!((empty.code(), empty.text().as_str()), (200, ""));
    assert_eq!(rows(&bed).await, "");
}
