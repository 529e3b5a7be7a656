//! Opens the four ports before anything slow happens, so that a taken port is told at once.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::error::AppError;
use crate::config::Listen;

/// What to do when a port is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binding {
    /// Refuse to start.
    Exact,
    /// Take a free one: for the demo, which prints what it got.
    OrFree,
}

/// The open ports.
#[derive(Debug)]
pub(super) struct Listeners {
    pub(super) clickhouse: TcpListener,
    pub(super) otlp_grpc: TcpListener,
    pub(super) otlp_http: TcpListener,
    pub(super) ops: TcpListener,
}

/// The addresses that were chosen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Addresses {
    pub(super) clickhouse: SocketAddr,
    pub(super) otlp_grpc: SocketAddr,
    pub(super) otlp_http: SocketAddr,
    pub(super) ops: SocketAddr,
}

pub(super) async fn listen(wanted: &Listen, binding: Binding) -> Result<Listeners, AppError> {
    Ok(Listeners {
        clickhouse: bind(wanted.clickhouse, "--clickhouse-addr", binding).await?,
        otlp_grpc: bind(wanted.otlp_grpc, "--otlp-grpc-addr", binding).await?,
        otlp_http: bind(wanted.otlp_http, "--otlp-http-addr", binding).await?,
        ops: bind(wanted.ops, "--ops-addr", binding).await?,
    })
}

impl Listeners {
    pub(super) fn addresses(&self) -> Result<Addresses, AppError> {
        let addr = |listener: &TcpListener| {
            listener.local_addr().map_err(|source| AppError::Runtime {
                what: "the listeners",
                source,
            })
        };
        Ok(Addresses {
            clickhouse: addr(&self.clickhouse)?,
            otlp_grpc: addr(&self.otlp_grpc)?,
            otlp_http: addr(&self.otlp_http)?,
            ops: addr(&self.ops)?,
        })
    }
}

async fn bind(
    addr: SocketAddr,
    flag: &'static str,
    binding: Binding,
) -> Result<TcpListener, AppError> {
    let mut bound = TcpListener::bind(addr).await;
    let taken = matches!(&bound, Err(error) if error.kind() == io::ErrorKind::AddrInUse);
    if taken && binding == Binding::OrFree {
        bound = TcpListener::bind(SocketAddr::new(addr.ip(), 0)).await;
    }
    bound.map_err(|source| AppError::Listen { addr, flag, source })
}
