//! Who may send: tokens on both ports, and web pages.

use cairn_storage::TableId;
use prost::Message;

use super::{Receivers, call, frame, logs, send};
use crate::access::{IngestTokens, StoredToken};

const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
const TOKEN: &str = "0123456789abcdef0123";

async fn guarded() -> Receivers {
    let token = StoredToken::parse(TOKEN).unwrap();
    Receivers::start_with(IngestTokens::new(vec![token])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_senders_with_a_token_are_heard() {
    let receivers = guarded().await;
    let body = logs(1, 0).encode_to_vec();
    let bearer = format!("Bearer {TOKEN}");
    for (authorization, admitted) in [
        (Some(TOKEN), true),
        (Some(bearer.as_str()), true),
        (Some("Bearer wrong"), false),
        (None, false),
    ] {
        let mut headers = vec![("content-type", "application/x-protobuf")];
        headers.extend(authorization.map(|value| ("authorization", value)));
        let answer = send(receivers.http, "POST", "/v1/logs", &headers, body.clone()).await;
        let status = if admitted { 200 } else { 401 };
        assert_eq!(answer.status, status, "{authorization:?}");
        assert_eq!(answer.header("retry-after"), "");
        let challenge = if admitted { "" } else { "Bearer" };
        assert_eq!(answer.header("www-authenticate"), challenge);
        let headers: Vec<_> = authorization
            .map(|value| ("authorization", value))
            .into_iter()
            .collect();
        let answer = call(receivers.grpc, LOGS, &headers, frame(false, &body)).await;
        let code = if admitted { "0" } else { "16" };
        assert_eq!(answer.header("grpc-status"), code, "{authorization:?}");
    }
    assert_eq!(receivers.rows(TableId::Logs), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_send_and_others_are_not_told_so() {
    let receivers = Receivers::start().await;
    let json = ("content-type", "application/json");
    for (origin, allowed) in [
        ("https://shop.example.org", true),
        ("https://evil.example.org", false),
    ] {
        let ask = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,x-team"),
        ];
        let answer = send(receivers.http, "OPTIONS", "/v1/logs", &ask, "").await;
        assert_eq!(answer.status, if allowed { 204 } else { 405 });
        let told = if allowed { origin } else { "" };
        assert_eq!(answer.header("access-control-allow-origin"), told);
        if allowed {
            let headers = answer.header("access-control-allow-headers");
            assert_eq!(headers, "content-type,x-team");
        }
        let sent = [json, ("origin", origin)];
        let answer = send(receivers.http, "POST", "/v1/logs", &sent, "{}").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("access-control-allow-origin"), told);
    }
}
