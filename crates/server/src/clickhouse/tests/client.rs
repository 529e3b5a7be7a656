//! A client that sees what libraries hide: chunks, the missing end, the closed connection.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Every wait of these tests ends by then.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);

/// A response, taken apart.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: String,
    headers: Vec<(String, String)>,
    pub(super) chunks: Vec<Vec<u8>>,
    /// Whether the last, empty chunk came.
    pub(super) complete: bool,
}

impl Reply {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.chunks.concat()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.bytes()).unwrap()
    }

    pub(super) fn code(&self) -> u16 {
        self.status.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

/// Sends bytes and reads until the server closes the connection.
pub(super) async fn raw(addr: SocketAddr, request: &[u8]) -> Vec<u8> {
    let exchange = async {
        let mut socket = TcpStream::connect(addr).await.unwrap();
        socket.write_all(request).await.unwrap();
        let mut received = Vec::new();
        socket.read_to_end(&mut received).await.unwrap();
        received
    };
    tokio::time::timeout(DEADLINE, exchange).await.unwrap()
}

/// One request on its own connection.
pub(super) async fn ask(addr: SocketAddr, head: &str, body: &[u8]) -> Reply {
    let mut request = format!(
        "{}\r\nHost: x\r\nConnection: close\r\n",
        head.trim().replace('\n', "\r\n")
    );
    if !head.starts_with("GET") && !head.starts_with("HEAD") {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    let bytes = raw(addr, &[request.as_bytes(), b"\r\n", body].concat()).await;
    parse(&bytes)
}

/// A query in the URL of a GET.
pub(super) async fn get(addr: SocketAddr, query: &str) -> Reply {
    ask(addr, &format!("GET /?{query} HTTP/1.1"), b"").await
}

pub(super) fn parse(bytes: &[u8]) -> Reply {
    let at = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().to_owned();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(':').unwrap())
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect();
    let mut reply = Reply {
        status,
        headers,
        chunks: Vec::new(),
        complete: false,
    };
    let body = &bytes[at + 4..];
    if reply.header("transfer-encoding").is_some() {
        take_chunks(body, &mut reply);
    } else {
        reply.chunks.push(body.to_vec());
        reply.complete = true;
    }
    reply
}

fn take_chunks(mut body: &[u8], reply: &mut Reply) {
    while let Some(at) = body.windows(2).position(|window| window == b"\r\n") {
        let size = std::str::from_utf8(&body[..at]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            reply.complete = true;
            return;
        }
        reply.chunks.push(body[at + 2..at + 2 + size].to_vec());
        body = &body[at + 2 + size + 2..];
    }
}
