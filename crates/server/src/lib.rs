//! The cairn server: receives OTLP, serves ClickHouse SQL over HTTP, and looks after itself.

mod access;
mod app;
mod clickhouse;
mod config;
mod demo;
mod error;
mod http;
mod ops;
mod otlp;
mod telemetry;

pub use self::http::{ServeLimits, TlsError, TlsFiles, serve};
pub use access::{
    IngestTokens, PasswordError, StoredPassword, StoredToken, User, UserLimits, hash_password,
};
pub use app::{AppError, healthcheck, run_demo, run_server, run_tool};
pub use clickhouse::{ClickHouseState, RunQuery, router as clickhouse_router};
pub use config::{
    Command, CommandError, Config, ConfigError, Listen, LogConfig, LogFormat, MemoryShares,
    TlsConfig, TlsPort, TlsPorts, ToolKind, command,
};
pub use error::{ClickHouseError, OtlpError, clickhouse_error, otlp_error};
