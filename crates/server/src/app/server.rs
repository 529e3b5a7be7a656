//! A running server: what starts after what, and what stops before what.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use cairn_ingest::{Admission, Decoder, DecoderConfig};
use cairn_storage::{Parts, Store, SystemClock};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::error::AppError;
use super::listen::{Addresses, Binding, Listeners, listen};
use super::signals::Signals;
use super::storage::storage_config;
use super::{runtime, sql};
use crate::config::{Config, TlsConfig, TlsPort, TlsPorts, print_size};
use crate::http::{ServeLimits, Tls, TlsFiles, serve_with};
use crate::ops::{self, Health, Phase, Sources};
use crate::otlp::{self, Acceptor, Backend};
use crate::telemetry::IngestCounters;

/// The part of the stop's time that requests in flight get, in percent; the rest is for the last flush.
const DRAIN_PERCENT: u32 = 30;
/// What is kept back of the stop's time for ending threads.
const THREADS_MARGIN: Duration = Duration::from_millis(500);
/// Time that threads of a runtime get to end; queries that do not yield are left behind.
const THREADS_END: Duration = Duration::from_millis(200);

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    addresses: Addresses,
    io: Runtime,
    queries: Runtime,
    store: Arc<Store>,
    health: Arc<Health>,
    ports: Ports,
    shutdown_deadline: Duration,
}

/// The tasks that serve ports, in the two groups in which they stop.
#[derive(Debug)]
struct Ports {
    stop_work: watch::Sender<bool>,
    stop_ops: watch::Sender<bool>,
    work: JoinSet<()>,
    ops: JoinSet<()>,
    limits: ServeLimits,
    tls: Option<(Arc<Tls>, TlsPorts)>,
}

impl Server {
    /// Opens the ports, then the store; returns when every port serves.
    pub(super) fn start(
        config: &Config,
        io: Runtime,
        signals: &mut Signals,
        binding: Binding,
    ) -> Result<Self, AppError> {
        let listeners = io.block_on(listen(&config.listen, binding))?;
        let addresses = listeners.addresses()?;
        let Listeners {
            clickhouse: clickhouse_port,
            otlp_grpc,
            otlp_http,
            ops: ops_port,
        } = listeners;
        let health = Arc::new(Health::default());
        let counters = Arc::new(IngestCounters::default());
        let admission = Admission::new(config.memory.requests_bytes);
        let sources = Arc::new(Sources::new(Arc::clone(&counters), admission.clone()));
        let inserted = admission.clone();
        let acceptor = Arc::new(Acceptor::new(
            admission,
            Arc::new(SystemClock),
            config.ack_deadline,
            config.max_request_bytes,
            counters,
            config.ingest_tokens.clone(),
        ));
        let mut ports = Ports::new(config)?;
        let in_io = io.enter();
        ports.watch_certificates();
        ports.serve_ops(
            ops_port,
            ops::router(Arc::clone(&health), Arc::clone(&sources)),
        );
        ports.serve(TlsPort::OtlpGrpc, otlp_grpc, otlp::grpc_router(&acceptor));
        ports.serve(
            TlsPort::OtlpHttp,
            otlp_http,
            otlp::http_router(&acceptor, &config.cors_origins),
        );

        let decoder = Arc::new(Decoder::new(DecoderConfig {
            normalize_logs: config.normalize_logs,
            max_request_bytes: usize::try_from(config.max_request_bytes).unwrap_or(usize::MAX),
        }));
        let store = open_store(config, &io, signals, &decoder)?;
        sources.open_store(Arc::clone(&store));
        let queries = runtime::query(config.query_threads)?;
        let inserts = sql::Inserts {
            store: Arc::clone(&store),
            decoder: Arc::clone(&decoder),
            admission: inserted,
        };
        let sql = sql::open(config, inserts, &queries, &sources)?;
        acceptor.open(Backend {
            store: Arc::clone(&store),
            decoder,
        });
        ports.serve(TlsPort::Clickhouse, clickhouse_port, sql);
        health.enter(Phase::Ready);
        announce(&addresses, config);
        drop(in_io);
        Ok(Self {
            addresses,
            io,
            queries,
            store,
            health,
            ports,
            shutdown_deadline: config.shutdown_deadline,
        })
    }

    pub(super) fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Where tasks beside the server run.
    pub(super) fn runtime(&self) -> &Runtime {
        &self.io
    }

    /// Serves until the first signal, then stops.
    pub(super) fn run_until(self, mut signals: Signals) {
        let name = self.io.block_on(signals.next());
        tracing::info!(signal = name, "stopping");
        self.io.spawn(signals.exit_at_next());
        self.stop();
    }

    /// Answers what is in flight, flushes as far as the time allows, ends.
    pub(super) fn stop(self) {
        let began = Instant::now();
        let deadline = self.shutdown_deadline;
        self.health.enter(Phase::Stopping);
        self.io.block_on(async {
            let Ports {
                stop_work,
                stop_ops,
                work,
                ops,
                limits,
                tls: _,
            } = self.ports;
            stop_work.send_replace(true);
            let drain = limits.drain_timeout + THREADS_MARGIN;
            if tokio::time::timeout(drain, work.join_all()).await.is_err() {
                tracing::warn!("some connections did not end in time");
            }
            let left = deadline
                .saturating_sub(THREADS_MARGIN)
                .saturating_sub(began.elapsed());
            match tokio::time::timeout(left, self.store.shutdown()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the last flush failed; the WAL has everything");
                }
                Err(_) => tracing::warn!("the last flush was cut short; the WAL has everything"),
            }
            stop_ops.send_replace(true);
            let _ended = tokio::time::timeout(THREADS_END, ops.join_all()).await;
        });
        self.queries.shutdown_timeout(THREADS_END);
        self.io.shutdown_timeout(THREADS_END);
        let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(took_ms, "stopped");
    }
}

impl Ports {
    fn new(config: &Config) -> Result<Self, AppError> {
        let tls = config.tls.as_ref().map(open_tls).transpose()?;
        let (stop_work, _) = watch::channel(false);
        let (stop_ops, _) = watch::channel(false);
        Ok(Self {
            stop_work,
            stop_ops,
            work: JoinSet::new(),
            ops: JoinSet::new(),
            limits: ServeLimits {
                drain_timeout: config.shutdown_deadline * DRAIN_PERCENT / 100,
                ..ServeLimits::default()
            },
            tls,
        })
    }

    /// Ends with the process.
    fn watch_certificates(&self) {
        if let Some((tls, _)) = &self.tls {
            tokio::spawn(Arc::clone(tls).watch());
        }
    }

    fn tls(&self, port: TlsPort) -> Option<Arc<Tls>> {
        let (tls, ports) = self.tls.as_ref()?;
        ports.contains(port).then(|| Arc::clone(tls))
    }

    fn serve(&mut self, of: TlsPort, listener: TcpListener, router: Router) {
        let stop = stopped(self.stop_work.subscribe());
        let tls = self.tls(of);
        self.work
            .spawn(port(listener, tls, router, self.limits, stop));
    }

    /// Stops last: probes are answered to the end.
    fn serve_ops(&mut self, listener: TcpListener, router: Router) {
        let stop = stopped(self.stop_ops.subscribe());
        let tls = self.tls(TlsPort::Ops);
        self.ops
            .spawn(port(listener, tls, router, self.limits, stop));
    }
}

fn open_tls(config: &TlsConfig) -> Result<(Arc<Tls>, TlsPorts), AppError> {
    let files = TlsFiles {
        certificate: config.certificate.clone(),
        key: config.key.clone(),
        client_roots: config.client_roots.clone(),
    };
    Ok((Arc::new(Tls::open(files)?), config.ports))
}

async fn port(
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: ServeLimits,
    stop: impl Future<Output = ()> + Send,
) {
    let busy = serve_with(listener, tls, router, limits, stop).await;
    if busy > 0 {
        tracing::warn!(
            connections = busy,
            "connections were still busy at the stop"
        );
    }
}

/// Resolves when the stop is asked for, or nobody is left to ask.
async fn stopped(mut stop: watch::Receiver<bool>) {
    let _asked = stop.wait_for(|asked| *asked).await;
}

/// Opening replays the WAL, which may take long; a signal ends the wait.
fn open_store(
    config: &Config,
    io: &Runtime,
    signals: &mut Signals,
    decoder: &Arc<Decoder>,
) -> Result<Arc<Store>, AppError> {
    let parts = Parts::real(Arc::<Decoder>::clone(decoder));
    let storage = storage_config(config);
    let opening = io.spawn_blocking(move || Store::open(storage, parts));
    let opened = io.block_on(async {
        tokio::select! {
            opened = opening => opened.map_err(|error| AppError::Broken(error.to_string())),
            _ = signals.next() => Err(AppError::Interrupted),
        }
    })?;
    opened.map_err(AppError::Open)
}

/// One line for each port, because tests and scripts read the chosen addresses from them.
fn announce(addresses: &Addresses, config: &Config) {
    let ports = [
        ("clickhouse", addresses.clickhouse),
        ("otlp_grpc", addresses.otlp_grpc),
        ("otlp_http", addresses.otlp_http),
        ("ops", addresses.ops),
    ];
    for (role, addr) in ports {
        tracing::info!(%role, %addr, "listening");
    }
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data_dir = %config.data_dir.display(),
        memory = %print_size(config.memory.total_bytes),
        "ready"
    );
}
