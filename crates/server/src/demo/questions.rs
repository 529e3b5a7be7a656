//! A few questions an operator asks, and their answers through the SQL port.

use std::net::SocketAddr;
use std::time::Instant;

use bytes::Bytes;
use http::StatusCode;

use super::DemoError;
use super::client::Client;
use super::screen::Screen;

/// A question and its SQL. `{trace}` stands for the trace of the latest failed checkout.
struct Question {
    words: &'static str,
    sql: &'static str,
}

const LATEST_FAILURE: &str = "SELECT TraceId FROM otel_logs WHERE SeverityText = 'error' AND TraceId != '' \
                              ORDER BY Timestamp DESC LIMIT 1";

const QUESTIONS: [Question; 4] = [
    Question {
        words: "Who logs how much, and who is in trouble?",
        sql: "SELECT ServiceName, count() AS lines, countIf(SeverityText = 'error') AS errors\n\
              FROM otel_logs GROUP BY ServiceName ORDER BY errors DESC, lines DESC",
    },
    Question {
        words: "When did payments break, and with which provider?",
        sql: "SELECT toStartOfInterval(Timestamp, INTERVAL 5 MINUTE) AS time,\n       \
              LogAttributes['payment.provider'] AS provider, count() AS failed\n\
              FROM otel_logs WHERE ServiceName = 'payments' AND SeverityText = 'error'\n\
              GROUP BY time, provider ORDER BY failed DESC LIMIT 4",
    },
    Question {
        words: "Which calls are slow?",
        sql: "SELECT ServiceName, SpanName, count() AS calls, round(quantile(0.95)(Duration) / 1e6, 1) AS p95_ms\n\
              FROM otel_traces WHERE SpanKind = 'Server'\n\
              GROUP BY ServiceName, SpanName ORDER BY p95_ms DESC LIMIT 5",
    },
    Question {
        words: "What happened in the latest failed checkout?",
        sql: "SELECT formatDateTime(Timestamp, '%H:%i:%S') AS time, ServiceName, SeverityText, Body\n\
              FROM otel_logs WHERE TraceId = '{trace}' ORDER BY Timestamp",
    },
];

/// Asks and prints. A question that fails is printed with the server's words.
pub(super) async fn ask_all(
    client: &Client,
    addr: SocketAddr,
    screen: &Screen,
) -> Result<(), DemoError> {
    let (_, trace) = ask(client, addr, LATEST_FAILURE).await?;
    let trace = trace.lines().last().unwrap_or_default().to_owned();
    for question in &QUESTIONS {
        let sql = question.sql.replace("{trace}", &trace);
        let began = Instant::now();
        let (status, answer) = ask(client, addr, &sql).await?;
        if status == StatusCode::OK {
            screen.answer(question.words, &sql, &answer, began.elapsed())?;
        } else {
            screen.failure(question.words, &sql, &answer)?;
        }
    }
    Ok(())
}

async fn ask(
    client: &Client,
    addr: SocketAddr,
    sql: &str,
) -> Result<(StatusCode, String), DemoError> {
    let path = "/?default_format=TabSeparatedWithNames";
    let body = Bytes::copy_from_slice(sql.as_bytes());
    let (status, answer) = client.post(addr, path, "text/plain", body).await?;
    Ok((status, String::from_utf8_lossy(&answer).into_owned()))
}
