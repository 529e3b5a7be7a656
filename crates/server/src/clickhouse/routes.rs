//! Which requests mean what. Paths are compared as they came: nothing is decoded or normalised into
//! a route.

use http::{Method, Uri};

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// `Ok.` for `/` and `/ping`.
    Alive,
    /// `Ok.` of `/replicas_status`, or its empty verbose form.
    Replicas {
        /// Whether details were asked for; there are none.
        verbose: bool,
    },
    /// A statement.
    Query,
    /// A browser asks whether it may ask.
    Preflight,
    /// A method that means nothing here.
    NoSuchMethod,
    /// Any other path.
    NoSuchPath,
}

/// The route of a request.
pub(super) fn route(method: &Method, uri: &Uri) -> Route {
    if method == Method::OPTIONS {
        return Route::Preflight;
    }
    let reads = method == Method::GET || method == Method::HEAD;
    if !reads && method != Method::POST {
        return Route::NoSuchMethod;
    }
    match (uri.path(), uri.query()) {
        ("/", None) | ("/ping", None) if reads => Route::Alive,
        ("/" | "/query", _) => Route::Query,
        ("/replicas_status", query) if reads => {
            let verbose =
                query.is_some_and(|query| query.split('&').any(|pair| pair == "verbose=1"));
            Route::Replicas { verbose }
        }
        _ => Route::NoSuchPath,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_routed_as_clickhouse_routes_them() {
        let plain = Route::Replicas { verbose: false };
        for (method, target, expected) in [
            ("GET", "/", Route::Alive),
            ("HEAD", "/", Route::Alive),
            ("GET", "/ping", Route::Alive),
            ("HEAD", "/ping", Route::Alive),
            ("GET", "/ping?x=1", Route::NoSuchPath),
            ("POST", "/ping", Route::NoSuchPath),
            ("GET", "/replicas_status", plain),
            (
                "GET",
                "/replicas_status?verbose=1",
                Route::Replicas { verbose: true },
            ),
            ("GET", "/?", Route::Query),
            ("GET", "/?query=SELECT+1", Route::Query),
            ("HEAD", "/?query=SELECT+1", Route::Query),
            ("GET", "/query?query=SELECT+1", Route::Query),
            ("POST", "/", Route::Query),
            ("POST", "/?database=system", Route::Query),
            ("POST", "/query?x=1", Route::Query),
            ("OPTIONS", "/", Route::Preflight),
            ("OPTIONS", "/anything?x", Route::Preflight),
            ("PUT", "/", Route::NoSuchMethod),
            ("DELETE", "/", Route::NoSuchMethod),
            ("PATCH", "/x", Route::NoSuchMethod),
            ("GET", "/nonexist", Route::NoSuchPath),
            ("POST", "/nonexist", Route::NoSuchPath),
            ("GET", "//", Route::NoSuchPath),
            ("GET", "/%70ing", Route::NoSuchPath),
            ("GET", "/x/../ping", Route::NoSuchPath),
        ] {
            let method: Method = method.parse().unwrap();
            assert_eq!(
                route(&method, &target.parse().unwrap()),
                expected,
                "{method} {target}"
            );
        }
    }
}
