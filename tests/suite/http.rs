//! A blocking HTTP/1.1 client that hides nothing: it can send what a proper client would not, and it
//! says whether a streamed answer was complete. One request a connection, every wait has a deadline.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer of the server takes longer, even on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// The body ended as announced.
    pub(crate) complete: bool,
}

impl Response {
    /// A header's value; names are compared without case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

pub(crate) fn get(addr: SocketAddr, path: &str) -> Response {
    request(addr, "GET", path, &[], b"").expect("an answer")
}

pub(crate) fn post(
    addr: SocketAddr,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Response {
    request(addr, "POST", path, headers, body).expect("an answer")
}

/// Sends one request and reads the whole answer.
pub(crate) fn request(
    addr: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> io::Result<Response> {
    let mut stream = TcpStream::connect_timeout(&addr, DEADLINE)?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method == "POST" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    // A server that refuses early may close before it has read everything; its answer still counts.
    let sent = stream.write_all(body);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    match parse(&answer) {
        Some(response) => Ok(response),
        None => {
            sent?;
            read?;
            Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "no complete head",
            ))
        }
    }
}

fn parse(answer: &[u8]) -> Option<Response> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let raw = &answer[end + 4..];
    let mut response = Response {
        status,
        headers,
        body: Vec::new(),
        complete: true,
    };
    if response
        .header("transfer-encoding")
        .is_some_and(|value| value == "chunked")
    {
        (response.body, response.complete) = unchunk(raw);
    } else {
        let announced = response
            .header("content-length")
            .and_then(|value| value.parse().ok());
        response.complete = announced.is_none_or(|length: usize| raw.len() == length);
        response.body = raw.to_vec();
    }
    Some(response)
}

fn unchunk(raw: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    let mut rest = raw;
    loop {
        let Some(line) = rest.windows(2).position(|window| window == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&rest[..line]).unwrap_or("");
        let Ok(size) = usize::from_str_radix(size.trim(), 16) else {
            return (body, false);
        };
        rest = &rest[line + 2..];
        if size == 0 {
            return (body, true);
        }
        if rest.len() < size + 2 {
            body.extend_from_slice(rest);
            return (body, false);
        }
        body.extend_from_slice(&rest[..size]);
        rest = &rest[size + 2..];
    }
}

#[test]
fn a_cut_stream_is_not_complete() {
    assert_eq!(unchunk(b"3\r\nabc\r\n0\r\n\r\n"), (b"abc".to_vec(), true));
    assert_eq!(unchunk(b"3\r\nabc\r\n"), (b"abc".to_vec(), false));
    assert_eq!(unchunk(b"5\r\nabc"), (b"abc".to_vec(), false));
}
