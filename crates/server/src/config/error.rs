//! What can be wrong with a configuration; every message says where it was written and what to do.

use std::io;
use std::path::PathBuf;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The configuration file cannot be read.
    #[error("cannot read the configuration file `{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The configuration file is not TOML.
    #[error("`{path}` is not valid TOML: {message}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// What the parser says, with the line.
        message: String,
    },
    /// The configuration file has a key that names no setting.
    #[error("`{path}` has an unknown key `{key}`; did you mean `{nearest}`?")]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The unknown key.
        key: String,
        /// The most similar known one.
        nearest: String,
    },
    /// A key of the configuration file holds a list, a table or a date.
    #[error(
        "`{key}` in `{path}` is an {found}; write one plain value, for example `{key} = \"…\"`"
    )]
    WrongShape {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What stands there.
        found: &'static str,
    },
    /// An environment variable is not UTF-8.
    #[error("the environment variable `{name}` is not valid UTF-8; set it again")]
    NotText {
        /// The variable.
        name: String,
    },
    /// A value cannot be used.
    #[error("{origin} is `{value}`: {problem}")]
    Value {
        /// Where the value was written.
        origin: String,
        /// The value.
        value: String,
        /// What is wrong and what to write instead.
        problem: String,
    },
    /// A user cannot be used.
    #[error("`[users.{user}]` in `{path}`: {problem}")]
    User {
        /// The file.
        path: PathBuf,
        /// The user's name.
        user: String,
        /// What is wrong and what to write instead; never the value, which may be a password.
        problem: String,
    },
    /// SQL would be open to the network.
    #[error(
        "the ClickHouse port would listen on `{addr}`, which other machines may reach, and no users are \
         configured; set a user (`[users.NAME]` with a `password_hash` from `cairn hash-password` in the file \
         that `--config` names), use a loopback address (`--clickhouse-addr 127.0.0.1:8123`), or allow \
         everybody with `--allow-anonymous` (`CAIRN_ALLOW_ANONYMOUS=true`)"
    )]
    OpenToTheNetwork {
        /// The address asked for.
        addr: String,
    },
}
