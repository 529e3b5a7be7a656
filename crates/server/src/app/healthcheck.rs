//! `cairn healthcheck`: asks a server on this machine whether it is ready, for containers without a shell.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::error::AppError;
use crate::config::Config;

/// A server that needs longer is not healthy.
const TIMEOUT: Duration = Duration::from_secs(3);
/// The answer is one line; more is not read.
const ANSWER_BYTES: u64 = 4 << 10;

/// Asks `/readyz`.
///
/// # Errors
/// When the server does not answer, or is not ready.
pub fn healthcheck(config: &Config) -> Result<(), AppError> {
    let addr = reachable(config.listen.ops);
    let answer = ask(addr)
        .map_err(|error| AppError::Unhealthy(format!("no answer from `{addr}`: {error}")))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200 ") {
        return Ok(());
    }
    let phase = answer.lines().last().unwrap_or_default();
    Err(AppError::Unhealthy(format!(
        "`{addr}` says `{phase}` ({status})"
    )))
}

fn ask(addr: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A server that listens everywhere is asked on loopback.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, addr.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_on_loopback() {
        let check = |from: &str, to: &str| {
            assert_eq!(reachable(from.parse().unwrap()).to_string(), to);
        };
        check("0.0.0.0:9363", "127.0.0.1:9363");
        check("[::]:9363", "[::1]:9363");
        check("10.0.0.1:9363", "10.0.0.1:9363");
    }
}
