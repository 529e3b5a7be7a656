//! The cairn server: receives OTLP, serves ClickHouse SQL over HTTP, and looks after itself.

mod clickhouse;
mod config;
mod error;
mod http;

pub use clickhouse::{ClickHouseState, RunQuery, router as clickhouse_router};
pub use config::{
    Command, CommandError, Config, ConfigError, Listen, LogConfig, LogFormat, MemoryShares, command,
};
pub use error::{ClickHouseError, OtlpError, clickhouse_error, otlp_error};
pub use http::{ServeLimits, serve};
