//! What a query request says, put together from URL, headers and form: statement, settings,
//! parameters and wishes about the response. It reads no body from the network and runs nothing.

use std::time::Duration;

use cairn_query::{Access, ErrorCode, parse_insert};
use http::{HeaderMap, Method};

use super::exception::Exception;
use super::frames::FrameMethod;
use super::insert::Insert;
use super::limits::{FLUSH_BYTES, MAX_BUFFERED_BYTES, MAX_NAME_BYTES};
use super::multipart;
use super::sessions::SessionWish;
use crate::http::{Coding, response_coding};

/// The shortest pause between two notes of progress.
const MIN_PROGRESS_INTERVAL_MS: u64 = 10;

/// ClickHouse's default of `http_zlib_compression_level`.
const DEFAULT_LEVEL: u32 = 3;

/// Parameters that are not settings. Names beginning with `param_` are not either.
const RESERVED: [&str; 18] = [
    "query",
    "user",
    "password",
    "quota_key",
    "database",
    "default_format",
    "query_id",
    "session_id",
    "session_timeout",
    "session_check",
    "close_session",
    "compress",
    "decompress",
    "buffer_size",
    "wait_end_of_query",
    "stacktrace",
    "role",
    "client_protocol_version",
];

/// The parameters of a URL, decoded, in their order.
#[derive(Debug, Default)]
pub(super) struct UrlParameters(Vec<(String, String)>);

impl UrlParameters {
    pub(super) fn parse(query: &str) -> Self {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        Self(pairs)
    }

    /// The first value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(known, value)| (known == name).then_some(value.as_str()))
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| matches!(value, "1" | "true"))
    }
}

/// A query request.
#[derive(Debug)]
pub(super) struct QueryRequest {
    /// URL and body joined; of an INSERT only what stands before its data.
    pub(super) text: String,
    pub(super) insert: Option<Insert>,
    pub(super) query_id: String,
    pub(super) database: Option<String>,
    pub(super) settings: Vec<(String, String)>,
    pub(super) parameters: Vec<(String, String)>,
    /// GET and HEAD only read.
    pub(super) access: Access,
    pub(super) session: Option<SessionWish>,
    pub(super) wishes: Wishes,
}

/// What the client wants of the response.
#[derive(Debug, Clone)]
pub(super) struct Wishes {
    /// When the statement names no format.
    pub(super) default_format: Option<String>,
    pub(super) encoding: Encoding,
    /// Bytes of the result to keep back before the head is sent.
    pub(super) hold_bytes: usize,
    /// How often to note progress for the head.
    pub(super) progress_every: Option<Duration>,
    pub(super) protocol_version: u64,
}

impl QueryRequest {
    /// Puts the parts of a request together.
    ///
    /// # Errors
    /// When the form is broken, or something is asked for that we do not do.
    pub(super) fn assemble(
        method: &Method,
        headers: &HeaderMap,
        url: &UrlParameters,
        body: Vec<u8>,
    ) -> Result<Self, Exception> {
        let header = |name: &str| {
            let value = headers.get(name)?;
            Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut request = Self {
            text: String::new(),
            insert: None,
            query_id: query_id(url, header("x-clickhouse-query-id"))?,
            database: header("x-clickhouse-database")
                .or_else(|| url.get("database").map(str::to_owned))
                .filter(|database| !database.is_empty()),
            settings: Vec::new(),
            parameters: Vec::new(),
            access: access(method, url)?,
            session: session(url),
            wishes: wishes(headers, url)?,
        };
        if request
            .database
            .as_ref()
            .is_some_and(|name| name.len() > MAX_NAME_BYTES)
        {
            return Err(Exception::new(
                ErrorCode::UnknownDatabase,
                "Database name is too long",
            ));
        }
        check_names(url)?;
        for (name, value) in &url.0 {
            request.add_parameter(name, value);
        }
        let content_type = header("content-type").unwrap_or_default();
        let mut statement = url.get("query").unwrap_or_default().as_bytes().to_vec();
        match multipart::boundary(&content_type) {
            Some(boundary) => request.add_form(&body, boundary, &mut statement)?,
            None => append(&body, &mut statement),
        }
        drop(body);
        match parse_insert(&statement) {
            None => request.text = utf8(statement, "the statement")?,
            Some(head) => {
                let head = head.map_err(Exception::from)?;
                let data = statement.split_off(head.data_start);
                request.text = utf8(statement, "the statement")?;
                request.insert = Some(Insert { head, data });
            }
        }
        Ok(request)
    }

    fn add_parameter(&mut self, name: &str, value: &str) {
        if let Some(parameter) = name.strip_prefix("param_") {
            self.parameters
                .push((parameter.to_owned(), value.to_owned()));
        } else if !RESERVED.contains(&name) {
            self.settings.push((name.to_owned(), value.to_owned()));
        }
    }

    fn add_form(
        &mut self,
        body: &[u8],
        boundary: &str,
        statement: &mut Vec<u8>,
    ) -> Result<(), Exception> {
        let parts = multipart::parts(body, boundary).map_err(|what| {
            Exception::new(
                ErrorCode::BadArguments,
                format!("Cannot read the multipart body: {what}"),
            )
        })?;
        for part in parts {
            if part.name == "query" {
                append(part.content, statement);
            } else if part.name.starts_with("param_") {
                let value = utf8(part.content.to_vec(), "a query parameter")?;
                self.add_parameter(&part.name, &value);
            } else {
                return Err(Exception::new(
                    ErrorCode::NotImplemented,
                    format!(
                        "External tables are not supported yet (part `{}` of the form)",
                        part.name
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The statement may be split over URL and body; the newline keeps tokens apart.
fn append(body: &[u8], statement: &mut Vec<u8>) {
    if !statement.is_empty() && !body.is_empty() {
        statement.push(b'\n');
    }
    statement.extend_from_slice(body);
}

fn utf8(bytes: Vec<u8>, what: &str) -> Result<String, Exception> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Exception::new(
            ErrorCode::SyntaxError,
            format!("{what} is not UTF-8 (at byte {at})"),
        )
    })
}

fn query_id(url: &UrlParameters, header: Option<String>) -> Result<String, Exception> {
    let given = url
        .get("query_id")
        .map(str::to_owned)
        .or(header)
        .filter(|id| !id.is_empty());
    match given {
        None => Ok(uuid::Uuid::new_v4().to_string()),
        Some(id) if id.len() <= MAX_NAME_BYTES => Ok(id),
        Some(_) => Err(Exception::new(
            ErrorCode::BadArguments,
            format!("query_id is longer than {MAX_NAME_BYTES} bytes"),
        )),
    }
}

/// What the method and `readonly` allow. A GET cannot give itself more.
fn access(method: &Method, url: &UrlParameters) -> Result<Access, Exception> {
    let wish = url.get("readonly");
    let by_method = method == Method::GET || method == Method::HEAD;
    match wish {
        Some("1") if !by_method => Ok(Access::Frozen),
        Some("2") => Ok(Access::ReadOnly),
        Some(_) if by_method => Err(Exception::new(
            ErrorCode::Readonly,
            "Cannot modify 'readonly' setting in readonly mode",
        )),
        None if by_method => Ok(Access::ReadOnly),
        _ => Ok(Access::Full),
    }
}

fn session(url: &UrlParameters) -> Option<SessionWish> {
    let id = url.get("session_id").filter(|id| !id.is_empty())?;
    Some(SessionWish {
        id: id.to_owned(),
        timeout: url.get("session_timeout").map(str::to_owned),
        must_exist: url.is_on("session_check"),
        close: url.is_on("close_session"),
    })
}

/// There are no roles and one profile: other names do not exist.
fn check_names(url: &UrlParameters) -> Result<(), Exception> {
    if let Some(role) = url.get("role").filter(|role| !role.is_empty()) {
        return Err(Exception::new(
            ErrorCode::UnknownRole,
            format!("There is no role `{role}` in `user directories`"),
        ));
    }
    match url.get("profile") {
        None | Some("default") => Ok(()),
        Some(profile) => Err(Exception::new(
            ErrorCode::ThereIsNoProfile,
            format!("There is no profile '{profile}' in configuration file"),
        )),
    }
}

fn hold_bytes(url: &UrlParameters) -> Result<usize, Exception> {
    if url.is_on("wait_end_of_query") {
        return Ok(MAX_BUFFERED_BYTES);
    }
    let asked = number(url, "buffer_size", 0)?.max(number(url, "http_response_buffer_size", 0)?);
    let asked = usize::try_from(asked).unwrap_or(usize::MAX);
    Ok(asked.clamp(FLUSH_BYTES, MAX_BUFFERED_BYTES))
}

fn wishes(headers: &HeaderMap, url: &UrlParameters) -> Result<Wishes, Exception> {
    let default_format = headers
        .get("x-clickhouse-format")
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .or_else(|| url.get("default_format").map(str::to_owned))
        .filter(|format| !format.is_empty());
    Ok(Wishes {
        default_format,
        encoding: requested_encoding(headers, url),
        hold_bytes: hold_bytes(url)?,
        progress_every: url
            .is_on("send_progress_in_http_headers")
            .then(|| number(url, "http_headers_progress_interval_ms", 100))
            .transpose()?
            .map(|every| Duration::from_millis(every.max(MIN_PROGRESS_INTERVAL_MS))),
        protocol_version: number(url, "client_protocol_version", 0)?,
    })
}

/// How the body of the response is packed, by the request alone: errors are packed too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    /// `compress=1`: ClickHouse's own frames, inside the coding.
    pub(super) frames: Option<FrameMethod>,
    pub(super) coding: Coding,
    /// Of gzip and deflate.
    pub(super) level: u32,
}

impl Encoding {
    /// For those who must not learn anything.
    pub(super) const PLAIN: Self = Self {
        frames: None,
        coding: Coding::Identity,
        level: DEFAULT_LEVEL,
    };
}

/// The encoding that a request asks for.
pub(super) fn requested_encoding(headers: &HeaderMap, url: &UrlParameters) -> Encoding {
    let level = url.get("http_zlib_compression_level");
    Encoding {
        frames: url
            .is_on("compress")
            .then(|| FrameMethod::from_setting(url.get("network_compression_method"))),
        coding: requested_coding(headers, url),
        level: level
            .and_then(|level| level.parse().ok())
            .unwrap_or(DEFAULT_LEVEL),
    }
}

fn requested_coding(headers: &HeaderMap, url: &UrlParameters) -> Coding {
    if matches!(url.get("enable_http_compression"), Some("0" | "false")) {
        return Coding::Identity;
    }
    let accepted: Vec<&str> = headers
        .get_all("accept-encoding")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .collect();
    response_coding(&accepted.join(","))
}

fn number(url: &UrlParameters, name: &str, default: u64) -> Result<u64, Exception> {
    match url.get(name) {
        None => Ok(default),
        Some("") => Err(Exception::new(
            ErrorCode::AttemptToReadAfterEof,
            "Attempt to read after eof",
        )),
        Some(text) => text.parse().map_err(|_| {
            Exception::new(
                ErrorCode::CannotParseInputAssertionFailed,
                format!("Cannot parse input: expected a number for `{name}` before: '{text}'"),
            )
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assemble(
        method: &Method,
        query: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> Result<QueryRequest, String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        QueryRequest::assemble(method, &map, &UrlParameters::parse(query), body.to_vec())
            .map_err(|exception| exception.text())
    }

    fn post(query: &str, body: &[u8]) -> QueryRequest {
        assemble(&Method::POST, query, &[], body).unwrap()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn url_and_body_are_joined_by_a_newline() {
        for (query, body, expected) in [
            ("query=SELECT%201", "", "SELECT 1"),
            ("query=SELECT+1", "", "SELECT 1"),
            ("", "SELECT 1", "SELECT 1"),
            ("query=SELECT", "1", "SELECT\n1"),
            ("query=SELECT%201&query=SELECT%202", "", "SELECT 1"),
            ("", "query=SELECT+1", "query=SELECT+1"),
        ] {
            assert_eq!(
                post(query, body.as_bytes()).text,
                expected,
                "{query} {body}"
            );
        }
    }

    #[test]
    fn settings_parameters_and_reserved_names_are_told_apart() {
        let request = post(
            "&=x&query=q&max_threads=3&param_a=5&user=u&password=p&database=d&default_format=CSV\
             &session_id=s&wait_end_of_query=1&output_format=JSON&a%3Db=c",
            b"",
        );
        assert_eq!(
            request.settings,
            pairs(&[
                ("max_threads", "3"),
                ("output_format", "JSON"),
                ("a=b", "c")
            ])
        );
        assert_eq!(request.parameters, pairs(&[("a", "5")]));
        assert_eq!(request.database.as_deref(), Some("d"));
        assert_eq!(request.wishes.default_format.as_deref(), Some("CSV"));
        assert_eq!(request.wishes.hold_bytes, MAX_BUFFERED_BYTES);
    }

    #[test]
    fn headers_win_over_parameters_except_for_the_query_id() {
        let headers = [
            ("x-clickhouse-database", "system"),
            ("x-clickhouse-format", "CSV"),
            ("x-clickhouse-query-id", "from-header"),
        ];
        let query = "database=default&default_format=JSON&query_id=from-url";
        let request = assemble(&Method::POST, query, &headers, b"").unwrap();
        assert_eq!(request.database.as_deref(), Some("system"));
        assert_eq!(request.wishes.default_format.as_deref(), Some("CSV"));
        assert_eq!(request.query_id, "from-url");
        let request = assemble(&Method::POST, "query_id=", &headers[..2], b"").unwrap();
        assert_eq!(request.query_id.len(), 36, "an empty id is no id");
    }

    #[test]
    fn the_data_of_an_insert_is_not_text() {
        let request = post("query=INSERT+INTO+t+FORMAT+Native", b"\x0a\xff\x00");
        assert_eq!(request.text, "INSERT INTO t FORMAT Native\n");
        assert_eq!(request.insert.unwrap().data, b"\x0a\xff\x00");
        let request = post("", b"INSERT INTO t FORMAT RowBinary\n\xff");
        assert_eq!(request.insert.unwrap().data, b"\xff");
        let request = post("query=INSERT+INTO+t+VALUES", b"(1)");
        assert_eq!(request.insert.unwrap().data, b"\n(1)");
    }

    #[test]
    fn get_and_head_only_read() {
        for (method, query, expected) in [
            (Method::GET, "query=x", Some(Access::ReadOnly)),
            (Method::HEAD, "query=x", Some(Access::ReadOnly)),
            (Method::POST, "query=x", Some(Access::Full)),
            (Method::POST, "readonly=1", Some(Access::Frozen)),
            (Method::POST, "readonly=2", Some(Access::ReadOnly)),
            (Method::POST, "readonly=0", Some(Access::Full)),
            (Method::GET, "readonly=2", Some(Access::ReadOnly)),
            (Method::GET, "readonly=0", None),
            (Method::GET, "readonly=1", None),
        ] {
            let request = assemble(&method, query, &[], b"");
            assert_eq!(
                request.ok().map(|request| request.access),
                expected,
                "{method} {query}"
            );
        }
    }

    #[test]
    fn forms_carry_the_query_and_its_parameters() {
        let body =
            b"--X\r\nContent-Disposition: form-data; name=\"query\"\r\n\r\nSELECT {a:String}\r\n\
            --X\r\nContent-Disposition: form-data; name=\"param_a\"\r\n\r\nb%20c\r\n--X--\r\n";
        let headers = [("content-type", "multipart/form-data; boundary=X")];
        let request = assemble(&Method::POST, "", &headers, body).unwrap();
        assert_eq!(request.text, "SELECT {a:String}");
        assert_eq!(request.parameters, pairs(&[("a", "b%20c")]));
        let table = b"--X\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\n1\r\n--X--\r\n";
        let error = assemble(&Method::POST, "query=x", &headers, table).unwrap_err();
        assert!(error.starts_with("Code: 48."), "{error}");
        let error = assemble(&Method::POST, "query=x", &headers, b"--X\r\n").unwrap_err();
        assert!(error.starts_with("Code: 36."), "{error}");
    }

    #[test]
    fn bad_values_are_answered_with_clickhouses_codes() {
        for (query, body, expected) in [
            ("client_protocol_version=abc", &b""[..], "Code: 27."),
            ("client_protocol_version=", b"", "Code: 32."),
            ("", b"SELECT '\xff'", "Code: 62."),
            ("role=nope", b"", "Code: 511."),
            ("profile=nope", b"", "Code: 180."),
            ("buffer_size=abc", b"", "Code: 27."),
        ] {
            let error = assemble(&Method::POST, query, &[], body).unwrap_err();
            assert!(error.starts_with(expected), "{query}: {error}");
        }
    }

    #[test]
    fn compression_is_on_unless_switched_off() {
        let headers = [("accept-encoding", "gzip")];
        for (query, coding, frames) in [
            ("", Coding::Gzip, None),
            ("enable_http_compression=1", Coding::Gzip, None),
            ("enable_http_compression=0", Coding::Identity, None),
            ("compress=1", Coding::Gzip, Some(FrameMethod::Lz4)),
            (
                "compress=1&network_compression_method=zstd&enable_http_compression=0",
                Coding::Identity,
                Some(FrameMethod::Zstd),
            ),
            (
                "compress=0&network_compression_method=ZSTD",
                Coding::Gzip,
                None,
            ),
        ] {
            let request = assemble(&Method::POST, query, &headers, b"").unwrap();
            let encoding = request.wishes.encoding;
            assert_eq!(
                (encoding.coding, encoding.frames),
                (coding, frames),
                "{query}"
            );
        }
    }
}
