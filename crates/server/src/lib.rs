//! The cairn server: receives OTLP, serves ClickHouse SQL over HTTP, and looks after itself.

mod config;

pub use config::{
    Command, CommandError, Config, ConfigError, Listen, LogConfig, LogFormat, MemoryShares, command,
};
