//! Who asks: credentials of the three ways a request can carry them. The rules about mixing the ways and the shapes of
//! refusals are ClickHouse's; who is let in is decided by `access`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cairn_query::ErrorCode;
use http::HeaderMap;

use super::exception::Exception;
use crate::access::{Caller, Denied, Users};

/// The user of requests without credentials.
const DEFAULT_USER: &str = "default";

/// What a request says about its sender.
#[derive(Debug, PartialEq, Eq)]
struct Credentials {
    user: String,
    password: String,
}

/// The user of a request. `parameter` looks a URL parameter up.
///
/// # Errors
/// When ways are mixed, the scheme is unknown, or name and password do not fit.
pub(super) async fn authenticate<'a>(
    users: &Users,
    headers: &HeaderMap,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<Caller, Exception> {
    let Credentials { user, password } = credentials(headers, parameter)?;
    match users.enter(&user, &password).await {
        Ok(caller) => Ok(caller),
        Err(Denied::Busy) => Err(Exception::unauthenticated(
            ErrorCode::TooManySimultaneousQueries,
            "Too many passwords are being checked, try again later",
        )),
        // ClickHouse lets a browser ask for the password of `default`, and of nobody else.
        Err(Denied::Credentials) if user == DEFAULT_USER => {
            Err(refused(ErrorCode::RequiredPassword, &user))
        }
        Err(Denied::Credentials) => Err(refused(ErrorCode::AuthenticationFailed, &user)),
    }
}

/// The same words for an unknown user and a wrong password.
fn refused(code: ErrorCode, user: &str) -> Exception {
    Exception::unauthenticated(
        code,
        format!(
            "{user}: Authentication failed: password is incorrect, or there is no user with such \
             name"
        ),
    )
}

fn credentials<'a>(
    headers: &HeaderMap,
    parameter: impl Fn(&str) -> Option<&'a str>,
) -> Result<Credentials, Exception> {
    let header = |name: &str| {
        headers
            .get(name)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
    };
    let (user, key) = (header("x-clickhouse-user"), header("x-clickhouse-key"));
    let authorization = header("authorization").filter(|value| value != "never");
    let (url_user, url_password) = (parameter("user"), parameter("password"));
    if user.is_some() || key.is_some() {
        if authorization.is_some() {
            return Err(mixed("Authorization HTTP header"));
        }
        if url_user.is_some() || url_password.is_some() {
            return Err(mixed("authentication via parameters"));
        }
        return Ok(named(user.as_deref(), key.as_deref()));
    }
    if let Some(authorization) = authorization {
        return basic(&authorization);
    }
    Ok(named(url_user, url_password))
}

fn mixed(other: &str) -> Exception {
    Exception::unauthenticated(
        ErrorCode::AuthenticationFailed,
        format!(
            "Invalid authentication: it is not allowed to use X-ClickHouse HTTP headers and \
             {other} simultaneously"
        ),
    )
}

fn named(user: Option<&str>, password: Option<&str>) -> Credentials {
    let user = user.filter(|user| !user.is_empty()).unwrap_or(DEFAULT_USER);
    Credentials {
        user: user.to_owned(),
        password: password.unwrap_or_default().to_owned(),
    }
}

fn basic(authorization: &str) -> Result<Credentials, Exception> {
    let (scheme, token) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(Exception::unauthenticated(
            ErrorCode::AuthenticationFailed,
            format!(
                "Invalid authentication: '{scheme}' HTTP Authorization scheme is not supported"
            ),
        ));
    }
    let decoded = STANDARD
        .decode(token.trim())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let Some(decoded) = decoded else {
        return Err(Exception::unauthenticated(
            ErrorCode::AuthenticationFailed,
            "Invalid authentication: the Basic credentials are not base64",
        ));
    };
    let (user, password) = decoded.split_once(':').unwrap_or((&decoded, ""));
    Ok(named(Some(user), Some(password)))
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn outcome(
        headers: &[(&'static str, &str)],
        parameters: &[(&str, &str)],
    ) -> Result<String, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let lookup = |name: &str| {
            parameters
                .iter()
                .find_map(|(known, value)| (*known == name).then_some(*value))
        };
        let users = Users::new(Vec::new(), true);
        let entered = authenticate(&users, &map, lookup).now_or_never().unwrap();
        let name = |caller: Caller| caller.user().name.clone();
        entered.map(name).map_err(|exception| exception.text())
    }

    #[test]
    fn requests_without_credentials_are_the_default_user() {
        for (headers, parameters) in [
            (vec![], vec![]),
            (vec![("authorization", "Basic Og==")], vec![]),
            (vec![("authorization", "never")], vec![]),
            (vec![("authorization", "Basic ZGVmYXVsdDo=")], vec![]),
            (vec![("x-clickhouse-user", "default")], vec![]),
            (
                vec![("x-clickhouse-user", "default"), ("x-clickhouse-key", "")],
                vec![],
            ),
            (vec![], vec![("user", "default"), ("password", "")]),
            (vec![], vec![("password", "")]),
            (
                vec![("authorization", "Basic Og==")],
                vec![("user", "default")],
            ),
        ] {
            assert_eq!(
                outcome(&headers, &parameters),
                Ok("default".to_owned()),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn refusals_have_the_shape_of_clickhouse_and_no_version() {
        let failed =
            "Authentication failed: password is incorrect, or there is no user with such name.";
        for (headers, parameters, expected) in [
            (
                vec![],
                vec![("user", "u1"), ("password", "bad")],
                format!("Code: 516. DB::Exception: u1: {failed} (AUTHENTICATION_FAILED)"),
            ),
            (
                vec![("authorization", "Basic dTE6YmFk")],
                vec![],
                format!("Code: 516. DB::Exception: u1: {failed} (AUTHENTICATION_FAILED)"),
            ),
            (
                vec![("x-clickhouse-key", "secret")],
                vec![],
                format!("Code: 194. DB::Exception: default: {failed} (REQUIRED_PASSWORD)"),
            ),
            (
                vec![("authorization", "Bearer abc")],
                vec![],
                "Code: 516. DB::Exception: Invalid authentication: 'Bearer' HTTP Authorization scheme is not \
                 supported. (AUTHENTICATION_FAILED)"
                    .to_owned(),
            ),
            (
                vec![("x-clickhouse-user", "default"), ("authorization", "Basic Og==")],
                vec![],
                "Code: 516. DB::Exception: Invalid authentication: it is not allowed to use X-ClickHouse HTTP \
                 headers and Authorization HTTP header simultaneously. (AUTHENTICATION_FAILED)"
                    .to_owned(),
            ),
            (
                vec![("x-clickhouse-user", "default")],
                vec![("user", "default")],
                "Code: 516. DB::Exception: Invalid authentication: it is not allowed to use X-ClickHouse HTTP \
                 headers and authentication via parameters simultaneously. (AUTHENTICATION_FAILED)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(outcome(&headers, &parameters), Err(expected), "{headers:?}");
        }
    }
}
