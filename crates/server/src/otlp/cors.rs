//! Which web pages may send telemetry from a browser: the answers that browsers ask for before and after.

use axum::body::Body;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN,
    VARY,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};

/// What SDKs send when they do not say what they will.
const USUAL_HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, content-encoding");

/// The pages that may send.
#[derive(Debug)]
pub(super) struct Cors {
    origins: Vec<String>,
}

impl Cors {
    pub(super) fn new(origins: &[String]) -> Self {
        Self {
            origins: origins.to_vec(),
        }
    }

    /// The page of a request, when it may send.
    pub(super) fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(ORIGIN)?;
        let name = origin.to_str().ok()?;
        let known = |allowed: &String| allowed == "*" || allowed.eq_ignore_ascii_case(name);
        self.origins.iter().any(known).then(|| origin.clone())
    }

    /// The answer to a browser that asks first; none for any other request.
    pub(super) fn preflight(&self, method: &Method, headers: &HeaderMap) -> Option<Response<Body>> {
        if method != Method::OPTIONS {
            return None;
        }
        let origin = self.allowed(headers)?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let wanted = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let answer = response.headers_mut();
        answer.insert(
            ACCESS_CONTROL_ALLOW_HEADERS,
            wanted.cloned().unwrap_or(USUAL_HEADERS),
        );
        answer.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("POST"),
        );
        answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("7200"));
        allow(answer, origin);
        Some(response)
    }
}

/// Lets the page `origin` read the answer.
pub(super) fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("retry-after"),
    );
    headers.append(VARY, HeaderValue::from_static("origin"));
}
