//! A plain HTTP client for the demo's two conversations.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::DemoError;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Keeps connections; clones share them.
#[derive(Debug, Clone)]
pub(super) struct Client {
    http: hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>,
}

impl Client {
    pub(super) fn new() -> Self {
        let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http();
        Self { http }
    }

    pub(super) async fn post(
        &self,
        addr: SocketAddr,
        path_and_query: &str,
        content_type: &str,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), DemoError> {
        let talk = |what: String| DemoError::Talk { addr, what };
        let request = Request::post(format!("http://{addr}{path_and_query}"))
            .header(CONTENT_TYPE, content_type)
            .body(Full::new(body))
            .map_err(|error| talk(error.to_string()))?;
        let exchange = async {
            let response = self.http.request(request).await;
            let response = response.map_err(|error| talk(error.to_string()))?;
            let status = response.status();
            let body = response.into_body().collect().await;
            let body = body.map_err(|error| talk(error.to_string()))?.to_bytes();
            Ok((status, body))
        };
        tokio::time::timeout(TIMEOUT, exchange)
            .await
            .map_err(|_| talk("no answer in time".to_owned()))?
    }
}
