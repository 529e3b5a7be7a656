//! Raw values to ready ones: defaults filled in, everything parsed and checked once.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::error::ConfigError;
use super::memory::default_memory_bytes;
use super::raw::{RawConfig, RawValue};
use super::settings::Key;
use super::tls::{TlsConfig, resolve_tls};
use super::units::{parse_duration, parse_size};
use crate::access::{IngestTokens, StoredToken, User};

/// Below this the fixed shares of memory are too small to take one request and one query.
const SMALLEST_MEMORY_BYTES: u64 = 256 << 20;
/// A smaller disk bound could not hold one WAL file and one segment.
const SMALLEST_DISK_BYTES: u64 = 64 << 20;
/// Smaller requests than real exporters send.
const SMALLEST_REQUEST_BYTES: u64 = 64 << 10;
/// The decoder's own bound.
const LARGEST_REQUEST_BYTES: u64 = 64 << 20;
/// From here on ingest would be slowed down before anything is merged.
const MOST_MERGE_AFTER: usize = 64;
/// More threads than cores of any machine this is meant for.
const MOST_QUERY_THREADS: usize = 64;

/// Everything the server needs to know, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where telemetry is kept.
    pub data_dir: PathBuf,
    /// The four listeners.
    pub listen: Listen,
    /// Certificates; none is plain HTTP.
    pub tls: Option<TlsConfig>,
    /// Who may ask.
    pub users: Vec<User>,
    /// Whether `default` may ask without a password.
    pub anonymous: bool,
    /// What senders must show.
    pub ingest_tokens: IngestTokens,
    /// Web pages that may send telemetry; `*` is all of them.
    pub cors_origins: Vec<String>,
    /// Whether log records are tidied as ClickStack's collector does.
    pub normalize_logs: bool,
    /// Shares of memory.
    pub memory: MemoryShares,
    /// Bound on the data directory; `None` leaves the volume's size.
    pub max_disk_bytes: Option<u64>,
    /// Bytes that stay free on the volume; `None` is a share of it.
    pub min_free_bytes: Option<u64>,
    /// When rows go.
    pub retention: Retention,
    /// Largest OTLP request after decompression.
    pub max_request_bytes: u64,
    /// Longest life of a row in a memtable.
    pub memtable_age: Duration,
    /// Segments of a table and day that are merged.
    pub merge_after: usize,
    /// Longest wait for durability.
    pub ack_deadline: Duration,
    /// Longest query.
    pub max_execution: Duration,
    /// Threads of the query runtime.
    pub query_threads: usize,
    /// Longest stop.
    pub shutdown_deadline: Duration,
    /// Our own log lines.
    pub log: LogConfig,
    /// What looked odd but is not refused; logged at the start.
    pub warnings: Vec<String>,
}

/// How long the rows of each signal are kept, and how many bytes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Log records.
    pub logs: Keep,
    /// Spans.
    pub traces: Keep,
    /// Data points; the bytes are those of one table.
    pub metrics: Keep,
}

/// Limits of a table; `None` keeps everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Keep {
    /// Rows that are older go.
    pub age: Option<Duration>,
    /// When there are more bytes, the oldest go.
    pub bytes: Option<u64>,
}

/// The addresses asked for; port 0 means a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// SQL over HTTP.
    pub clickhouse: SocketAddr,
    /// OTLP/gRPC.
    pub otlp_grpc: SocketAddr,
    /// OTLP/HTTP.
    pub otlp_http: SocketAddr,
    /// Probes and metrics.
    pub ops: SocketAddr,
}

/// How the planned memory is divided; the rest of the total is for flushes, metadata and the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryShares {
    /// The whole.
    pub total_bytes: u64,
    /// A memtable is sealed at this size.
    pub memtable_bytes: u64,
    /// All memtables, active and sealed.
    pub memtables_bytes: u64,
    /// Requests being received and decoded.
    pub requests_bytes: u64,
    /// Running queries; their operators are granted half of it, because as much again is spent unaccounted.
    pub queries_bytes: u64,
}

/// How our own log lines look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// Text or JSON.
    pub format: LogFormat,
    /// A level or a filter of `target=level` pairs.
    pub level: String,
}

/// Form of our own log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For collectors.
    Json,
}

/// Largest memtable, however much memory there is. A flush works on about as much again: at 128 MiB a full-speed load
/// was seen to peak at 800 MB resident, at 64 MiB at 430 MB, at the same rate.
const MAX_MEMTABLE_BYTES: u64 = 64 << 20;
/// Most bytes of rows that wait for a flush; more would only hide a disk that is too slow.
const MAX_MEMTABLES_BYTES: u64 = 256 << 20;

impl MemoryShares {
    /// Divides `total_bytes`; at 2 GiB: memtables 256, requests 160, queries 640 MiB.
    #[must_use]
    pub fn of(total_bytes: u64) -> Self {
        let share = |per_mille: u64| total_bytes / 1_000 * per_mille;
        Self {
            total_bytes,
            memtable_bytes: share(62).min(MAX_MEMTABLE_BYTES),
            memtables_bytes: share(125).min(MAX_MEMTABLES_BYTES),
            requests_bytes: share(80),
            queries_bytes: share(320),
        }
    }
}

/// Checks `raw` and fills in the defaults.
pub(crate) fn resolve(raw: &RawConfig) -> Result<Config, ConfigError> {
    let listen = Listen {
        clickhouse: read(raw, Key::ClickhouseAddr, loopback(8123), parse_addr)?,
        otlp_grpc: read(raw, Key::OtlpGrpcAddr, loopback(4317), parse_addr)?,
        otlp_http: read(raw, Key::OtlpHttpAddr, loopback(4318), parse_addr)?,
        ops: read(raw, Key::OpsAddr, loopback(9363), parse_addr)?,
    };
    let allow_anonymous = read(raw, Key::AllowAnonymous, false, parse_bool)?;
    if !allow_anonymous && raw.users.is_empty() && !listen.clickhouse.ip().is_loopback() {
        return Err(ConfigError::OpenToTheNetwork {
            addr: listen.clickhouse.to_string(),
        });
    }
    let memory_bytes = match raw.get(Key::MaxMemoryBytes) {
        None => default_memory_bytes().max(SMALLEST_MEMORY_BYTES),
        Some(value) => parsed(value, |text| {
            at_least(text, SMALLEST_MEMORY_BYTES, "256MiB")
        })?,
    };
    Ok(Config {
        data_dir: read(raw, Key::DataDir, PathBuf::from("./cairn-data"), parse_path)?,
        listen,
        tls: resolve_tls(raw)?,
        users: raw.users.clone(),
        anonymous: allow_anonymous || raw.users.is_empty(),
        ingest_tokens: read(
            raw,
            Key::IngestTokens,
            IngestTokens::default(),
            parse_tokens,
        )?,
        cors_origins: read(raw, Key::OtlpCorsOrigins, Vec::new(), parse_origins)?,
        normalize_logs: read(raw, Key::LogsNormalize, true, parse_normalize)?,
        memory: MemoryShares::of(memory_bytes),
        max_disk_bytes: read(raw, Key::MaxDiskBytes, None, parse_disk)?,
        min_free_bytes: read(raw, Key::MinFreeBytes, None, |text| {
            parse_size(text).map(Some)
        })?,
        retention: retention(raw)?,
        max_request_bytes: read(
            raw,
            Key::MaxRequestBytes,
            LARGEST_REQUEST_BYTES,
            parse_request_bytes,
        )?,
        memtable_age: read(raw, Key::MemtableAge, Duration::from_secs(300), seconds)?,
        merge_after: read(raw, Key::MergeAfter, 8, parse_merge_after)?,
        ack_deadline: read(raw, Key::AckDeadline, Duration::from_secs(5), short)?,
        max_execution: read(raw, Key::MaxExecutionTime, Duration::from_secs(60), seconds)?,
        query_threads: read(raw, Key::QueryThreads, cores(), parse_threads)?,
        shutdown_deadline: read(raw, Key::ShutdownDeadline, Duration::from_secs(10), short)?,
        log: LogConfig {
            format: read(raw, Key::LogFormat, LogFormat::Text, str::parse)?,
            level: read(raw, Key::LogLevel, "info".to_owned(), parse_level)?,
        },
        warnings: Vec::new(),
    })
}

fn retention(raw: &RawConfig) -> Result<Retention, ConfigError> {
    let all = read(raw, Key::Retention, None, parse_age)?;
    let keep = |age, bytes| -> Result<Keep, ConfigError> {
        Ok(Keep {
            age: read(raw, age, all, parse_age)?,
            bytes: read(raw, bytes, None, parse_table_bytes)?,
        })
    };
    Ok(Retention {
        logs: keep(Key::RetentionLogs, Key::MaxLogsBytes)?,
        traces: keep(Key::RetentionTraces, Key::MaxTracesBytes)?,
        metrics: keep(Key::RetentionMetrics, Key::MaxMetricsBytes)?,
    })
}

fn read<T>(
    raw: &RawConfig,
    key: Key,
    default: T,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, ConfigError> {
    raw.get(key)
        .map_or(Ok(default), |value| parsed(value, parse))
}

fn parsed<T>(
    value: &RawValue,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, ConfigError> {
    parse(&value.text).map_err(|problem| ConfigError::Value {
        origin: value.origin.to_string(),
        value: value.text.clone(),
        problem,
    })
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn cores() -> usize {
    std::thread::available_parallelism()
        .map_or(1, std::num::NonZero::get)
        .min(MOST_QUERY_THREADS)
}

/// `127.0.0.1:8123`, `[::1]:8123`, `localhost:8123`; `:8123` is every address of the machine.
fn parse_addr(text: &str) -> Result<SocketAddr, String> {
    if let Some(port) = text.strip_prefix(':') {
        return port
            .parse()
            .map(|port: u16| SocketAddr::from(([0, 0, 0, 0], port)))
            .map_err(|_| "the port is not a number from 0 to 65535".to_owned());
    }
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let shape = "not an address; write `HOST:PORT`, such as `127.0.0.1:8123`";
    if !text.contains(':') {
        return Err(shape.to_owned());
    }
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| format!("{shape} ({error})"))?;
    found
        .next()
        .ok_or_else(|| "the name has no address".to_owned())
}

fn parse_path(text: &str) -> Result<PathBuf, String> {
    if text.trim().is_empty() {
        return Err("empty; write the path of a directory".to_owned());
    }
    Ok(PathBuf::from(text))
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("write `true` or `false`".to_owned()),
    }
}

/// The parts of a list; `none` has none.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(',').map(str::trim);
    parts.filter(move |part| !part.is_empty() && text != "none")
}

fn parse_tokens(text: &str) -> Result<IngestTokens, String> {
    let tokens = parts(text).map(StoredToken::parse);
    tokens.collect::<Result<_, _>>().map(IngestTokens::new)
}

fn parse_origins(text: &str) -> Result<Vec<String>, String> {
    parts(text)
        .map(|origin| {
            let host = origin
                .strip_prefix("https://")
                .or_else(|| origin.strip_prefix("http://"));
            let is_origin = host.is_some_and(|host| !host.is_empty() && !host.contains('/'));
            if origin == "*" || is_origin {
                return Ok(origin.to_ascii_lowercase());
            }
            Err(format!(
                "`{origin}` is no origin; write `https://host` or `https://host:port` without a path"
            ))
        })
        .collect()
}

fn parse_normalize(text: &str) -> Result<bool, String> {
    match text {
        "clickstack" => Ok(true),
        "off" => Ok(false),
        _ => Err("write `clickstack` or `off`".to_owned()),
    }
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write `text` or `json`".to_owned()),
        }
    }
}

fn parse_level(text: &str) -> Result<String, String> {
    tracing_subscriber::EnvFilter::try_new(text)
        .map(|_| text.to_owned())
        .map_err(|error| {
            format!("{error}; write error, warn, info, debug, trace or `info,cairn_storage=debug`")
        })
}

fn at_least(text: &str, bound: u64, bound_text: &str) -> Result<u64, String> {
    let bytes = parse_size(text)?;
    if bytes < bound {
        return Err(format!("too small; write at least `{bound_text}`"));
    }
    Ok(bytes)
}

fn parse_disk(text: &str) -> Result<Option<u64>, String> {
    if text == "none" {
        return Ok(None);
    }
    at_least(text, SMALLEST_DISK_BYTES, "64MiB").map(Some)
}

fn parse_table_bytes(text: &str) -> Result<Option<u64>, String> {
    if text == "none" {
        return Ok(None);
    }
    parse_size(text).map(Some)
}

/// From one minute to a hundred years.
fn parse_age(text: &str) -> Result<Option<Duration>, String> {
    if text == "none" {
        return Ok(None);
    }
    between(text, Duration::from_mins(1), Duration::from_hours(876_000))
        .map(Some)
        .ok_or_else(|| "write a duration from `1m` to `36500d`, or `none`".to_owned())
}

fn parse_request_bytes(text: &str) -> Result<u64, String> {
    let bytes = at_least(text, SMALLEST_REQUEST_BYTES, "64KiB")?;
    if bytes > LARGEST_REQUEST_BYTES {
        return Err("too large; write at most `64MiB`".to_owned());
    }
    Ok(bytes)
}

fn parse_threads(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (1..=MOST_QUERY_THREADS).contains(count))
        .ok_or_else(|| format!("write a number from 1 to {MOST_QUERY_THREADS}"))
}

fn parse_merge_after(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|count| (2..=MOST_MERGE_AFTER).contains(count))
        .ok_or_else(|| format!("write a number from 2 to {MOST_MERGE_AFTER}"))
}

/// From one second to one day.
fn seconds(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_secs(1), Duration::from_hours(24))
        .ok_or_else(|| "write a duration from `1s` to `24h`".to_owned())
}

/// From a tenth of a second to five minutes.
fn short(text: &str) -> Result<Duration, String> {
    between(text, Duration::from_millis(100), Duration::from_mins(5))
        .ok_or_else(|| "write a duration from `100ms` to `5m`".to_owned())
}

fn between(text: &str, least: Duration, most: Duration) -> Option<Duration> {
    let duration = parse_duration(text).ok()?;
    (least..=most).contains(&duration).then_some(duration)
}
