//! Clients that leave, stall, or come in crowds; and the end of the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::canned::open;
use super::client::{DEADLINE, get};
use crate::http::ServeLimits;

async fn send(addr: std::net::SocketAddr, request: &str) -> TcpStream {
    let mut socket = TcpStream::connect(addr).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    socket
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_query_while_it_waits_for_rows() {
    let port = open(ServeLimits::default()).await;
    let socket = send(port.addr, "GET /?query=silent HTTP/1.1\r\nHost: x\r\n\r\n").await;
    drop(socket);
    tokio::time::timeout(DEADLINE, port.canned.cancelled.notified())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_query_while_it_streams() {
    let port = open(ServeLimits::default()).await;
    let mut socket = send(port.addr, "GET /?query=endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    socket.read_exact(&mut [0; 1000]).await.unwrap();
    drop(socket);
    tokio::time::timeout(DEADLINE, port.canned.cancelled.notified())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_client_that_stops_reading_pauses_its_query_and_loses_it() {
    let limits = ServeLimits {
        write_timeout: Duration::from_millis(300),
        ..ServeLimits::default()
    };
    let port = open(limits).await;
    let socket = send(port.addr, "GET /?query=endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    tokio::time::timeout(DEADLINE, port.canned.cancelled.notified())
        .await
        .unwrap();
    let blocks = port.canned.blocks.load(Ordering::SeqCst);
    // A block is about 4 KB; socket buffers take some megabytes, our own queue some pieces.
    assert!(
        blocks < 20_000,
        "{blocks} blocks were made for a client that reads nothing"
    );
    drop(socket);
}

#[tokio::test]
async fn a_request_head_that_never_ends_is_cut_off() {
    let limits = ServeLimits {
        header_timeout: Duration::from_millis(100),
        ..ServeLimits::default()
    };
    let port = open(limits).await;
    let mut socket = send(port.addr, "GET /?query=one HTTP/1.1\r\nHost:").await;
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(DEADLINE, socket.read_to_end(&mut rest))
        .await
        .unwrap();
    assert!(ended.is_err() || !rest.starts_with(b"HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_beyond_the_limit_of_an_address_are_closed() {
    let limits = ServeLimits {
        connections_per_address: 2,
        ..ServeLimits::default()
    };
    let port = open(limits).await;
    let mut kept = Vec::new();
    for _ in 0..2 {
        let mut socket = send(port.addr, "GET /ping HTTP/1.1\r\nHost: x\r\n\r\n").await;
        socket.read_exact(&mut [0; 15]).await.unwrap();
        kept.push(socket);
    }
    let mut third = TcpStream::connect(port.addr).await.unwrap();
    let refused = tokio::time::timeout(DEADLINE, third.read(&mut [0; 1]))
        .await
        .unwrap();
    assert!(matches!(refused, Ok(0) | Err(_)));
    drop(kept);
    let again = async {
        loop {
            let mut socket = TcpStream::connect(port.addr).await.unwrap();
            let sent = socket
                .write_all(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
                .await;
            if sent.is_ok() && socket.read(&mut [0; 1]).await.is_ok_and(|count| count == 1) {
                break;
            }
        }
    };
    tokio::time::timeout(DEADLINE, again).await.unwrap();
}

#[tokio::test]
async fn stopping_lets_a_running_query_finish_and_refuses_new_ones() {
    let port = open(ServeLimits::default()).await;
    let request = "GET /?query=gate HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut running = send(port.addr, request).await;
    running.read_exact(&mut [0; 15]).await.unwrap();
    port.stop.send(()).unwrap();
    port.canned.gate.notify_one();
    let mut rest = Vec::new();
    tokio::time::timeout(DEADLINE, running.read_to_end(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert!(rest.ends_with(b"2\r\n2\n\r\n0\r\n\r\n"));
    assert_eq!(
        tokio::time::timeout(DEADLINE, port.stopped)
            .await
            .unwrap()
            .unwrap(),
        0
    );
    assert!(TcpStream::connect(port.addr).await.is_err());
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let limits = ServeLimits {
        drain_timeout: Duration::from_millis(100),
        ..ServeLimits::default()
    };
    let port = open(limits).await;
    let mut stuck = send(port.addr, "GET /?query=endless HTTP/1.1\r\nHost: x\r\n\r\n").await;
    stuck.read_exact(&mut [0; 15]).await.unwrap();
    port.stop.send(()).unwrap();
    assert_eq!(
        tokio::time::timeout(DEADLINE, port.stopped)
            .await
            .unwrap()
            .unwrap(),
        1
    );
}

#[tokio::test]
async fn an_oversized_url_is_refused_and_the_port_goes_on() {
    let port = open(ServeLimits::default()).await;
    let request = format!(
        "GET /?query={} HTTP/1.1\r\nHost: x\r\n\r\n",
        "x".repeat(2 << 20)
    );
    let mut socket = TcpStream::connect(port.addr).await.unwrap();
    // The server may close before everything is written.
    let answered = async {
        let (mut reader, mut writer) = socket.split();
        let mut start = [0; 12];
        let (written, read) = tokio::join!(
            writer.write_all(request.as_bytes()),
            reader.read_exact(&mut start)
        );
        drop(written);
        read.is_err() || start.starts_with(b"HTTP/1.1 4")
    };
    assert!(tokio::time::timeout(DEADLINE, answered).await.unwrap());
    assert_eq!(get(port.addr, "query=one").await.text(), "1\n");
}
