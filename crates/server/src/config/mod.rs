//! Configuration: flags, `CAIRN_*` variables, a TOML file and defaults, in that order, into one checked
//! [`Config`]. Reads nothing but these; starts nothing.

mod cli;
mod env;
mod error;
mod file;
mod memory;
mod misspelt;
mod raw;
mod reference;
mod resolve;
mod settings;
mod tls;
mod units;
mod users;

#[cfg(test)]
mod tests;

use std::ffi::OsString;

use raw::RawConfig;
use settings::Key;

pub use cli::ToolKind;
pub use error::ConfigError;
pub(crate) use resolve::Keep;
pub use resolve::{Config, Listen, LogConfig, LogFormat, MemoryShares};
pub use tls::{TlsConfig, TlsPort, TlsPorts};
pub(crate) use units::print_size;

/// What the process was asked to do.
#[derive(Debug)]
pub enum Command {
    /// Run the server.
    Serve(Config),
    /// Run the server with a made-up shop.
    Demo {
        /// The server's configuration.
        config: Config,
        /// Whether the data directory was named (and is then kept).
        keeps_data: bool,
        /// Answer the questions once and stop.
        once: bool,
    },
    /// Ask a running server whether it is ready.
    Healthcheck(Config),
    /// Do something to the data directory without serving it.
    Tool(Config, ToolKind),
    /// Hash the password on standard input.
    HashPassword,
    /// Print this page (the reference of all settings).
    Print(String),
}

/// Why there is no [`Command`].
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The command line does not parse, or asks for help or the version; it prints itself.
    #[error(transparent)]
    Usage(#[from] clap::Error),
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Reads the command line `arguments` (the first is the program's name), the environment and the file.
pub fn command(arguments: Vec<OsString>) -> Result<Command, CommandError> {
    from_sources(arguments, &env::process_variables())
}

fn from_sources(
    arguments: Vec<OsString>,
    variables: &[(OsString, OsString)],
) -> Result<Command, CommandError> {
    let command = match cli::parse(arguments)? {
        cli::Invocation::Serve(flags) => Command::Serve(load(flags, variables)?.config),
        cli::Invocation::Demo { flags, once } => {
            let Loaded { mut config, raw } = load(flags, variables)?;
            // The shop speaks plain HTTP to ports on loopback.
            config.tls = None;
            // The demo talks to a person: our own log lines only when something is wrong.
            if raw.get(Key::LogLevel).is_none() {
                "warn".clone_into(&mut config.log.level);
            }
            Command::Demo {
                config,
                keeps_data: raw.get(Key::DataDir).is_some(),
                once,
            }
        }
        cli::Invocation::Healthcheck(flags) => Command::Healthcheck(load(flags, variables)?.config),
        cli::Invocation::Tool(flags, kind) => {
            let Loaded { mut config, raw } = load(flags, variables)?;
            if raw.get(Key::LogLevel).is_none() {
                "warn".clone_into(&mut config.log.level);
            }
            Command::Tool(config, kind)
        }
        cli::Invocation::HashPassword => Command::HashPassword,
        cli::Invocation::ConfigReference => Command::Print(reference::reference()),
    };
    Ok(command)
}

/// The configuration, and what it was made from.
struct Loaded {
    config: Config,
    raw: RawConfig,
}

fn load(flags: cli::Flags, variables: &[(OsString, OsString)]) -> Result<Loaded, ConfigError> {
    let environment = env::from_variables(variables)?;
    let mut raw = flags.raw.or(environment.raw);
    if let Some(path) = flags.file.or(environment.file) {
        raw = raw.or(file::from_path(&path)?);
    }
    let mut config = resolve::resolve(&raw)?;
    config.warnings = environment.warnings;
    Ok(Loaded { config, raw })
}
