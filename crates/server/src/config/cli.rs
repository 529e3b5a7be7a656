//! The command line: `cairn serve`, `cairn demo`, `cairn healthcheck`, `cairn hash-password`. Made from the settings table;
//! parses, but checks no value.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};

use super::raw::{Origin, RawConfig};
use super::settings::{SETTINGS, Setting};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Invocation {
    Serve(Flags),
    Demo { flags: Flags, once: bool },
    Healthcheck(Flags),
    HashPassword,
    ConfigReference,
    Tool(Flags, ToolKind),
}

/// What is done to a data directory without serving it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToolKind {
    /// Verify every checksum; with `repair`, take damaged segments out.
    Check {
        /// Whether damaged segments are taken out.
        repair: bool,
    },
    /// List segments; with `columns`, where their bytes are.
    Inspect {
        /// Whether the columns are listed, too.
        columns: bool,
    },
    /// Merge everything that can be merged.
    Compact,
    /// Copy the data directory.
    Backup {
        /// Where to.
        to: PathBuf,
        /// Only say what would be copied.
        dry_run: bool,
    },
    /// Make the data directory from a copy.
    Restore {
        /// Where the copy is.
        from: PathBuf,
        /// Only say what would be copied.
        dry_run: bool,
    },
}

/// The settings given as flags, and the configuration file they name.
#[derive(Debug, Default)]
pub(crate) struct Flags {
    pub(crate) raw: RawConfig,
    pub(crate) file: Option<PathBuf>,
}

const ABOUT: &str = "A columnar store for logs, traces and metrics: OTLP in, ClickHouse SQL out";

const LONG_ABOUT: &str = "\
Cairn takes OpenTelemetry logs, traces and metrics over OTLP (gRPC and HTTP), keeps them durably as Parquet, \
and answers ClickHouse SQL over HTTP. What is acknowledged is on disk and visible to the next query.";

const EXAMPLES: &str = "\
Examples:
  cairn demo                      try it: a made-up shop sends telemetry, curl lines are printed
  cairn serve                     everything on 127.0.0.1, data in ./cairn-data
  curl 'http://127.0.0.1:8123/' -d 'SELECT count() FROM otel_logs'

`cairn serve --help` lists every setting.";

const SERVE_EXAMPLES: &str = "\
Examples:
  cairn serve
  cairn serve --data-dir /var/lib/cairn --max-memory-bytes 2GiB --max-disk-bytes 40GiB
  cairn serve --clickhouse-addr 0.0.0.0:8123 --allow-anonymous
  CAIRN_LOG_FORMAT=json cairn serve --config /etc/cairn.toml

A flag wins over its environment variable, that one over the file, the file over the default.
The file is TOML with the same names: `data_dir = \"/var/lib/cairn\"`, `max_memory_bytes = \"2GiB\"`.
Sizes take B, KiB, MiB, GiB, TiB (and KB, MB, …); durations take ms, s, m, h, d.";

const DEMO_LONG: &str = "\
Starts a server on a fresh temporary folder, fills it with the last hour of a made-up shop's logs and \
traces through its own OTLP port, answers a few questions through its own SQL port, and goes on sending \
at a gentle rate until Ctrl-C. The folder is removed at the end; with `--data-dir` it is kept.";

/// The whole command, for parsing and for the reference.
pub(crate) fn command() -> Command {
    Command::new("cairn")
        .version(env!("CARGO_PKG_VERSION"))
        .about(ABOUT)
        .long_about(LONG_ABOUT)
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .max_term_width(110)
        .subcommand(
            with_settings(Command::new("serve").about("Receive telemetry and answer queries"))
                .after_help(SERVE_EXAMPLES),
        )
        .subcommand(
            with_settings(
                Command::new("demo")
                    .about("Try it: a made-up shop sends telemetry, questions are answered")
                    .long_about(DEMO_LONG),
            )
            .arg(
                Arg::new("once")
                    .long("once")
                    .action(ArgAction::SetTrue)
                    .help("Answer the questions once and stop"),
            ),
        )
        .subcommand(with_settings(
            Command::new("healthcheck")
                .about("Ask a running server whether it is ready (exit status 0 or 1)")
                .long_about(
                    "Asks `/readyz` of the server on this machine at `--ops-addr`, as a container's health \
                     check does. Exit status 0 when it is ready, 1 when not.",
                ),
        ))
        .subcommand(
            Command::new("hash-password")
                .about("Hash the password on standard input, for a user of the configuration file")
                .long_about(
                    "Reads one line from standard input and prints its Argon2id hash: what `password_hash` of \
                     `[users.NAME]` in the configuration file wants.",
                ),
        )
        .subcommands(tools())
        .subcommand(
            Command::new("config-reference")
                .about("Print the reference of all settings as Markdown")
                .hide(true),
        )
}

/// Commands for a data directory; each names it with `--data-dir`.
fn tools() -> [Command; 5] {
    let switch = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name);
        arg.action(ArgAction::SetTrue).help(help)
    };
    let folder = |name: &'static str, help: &'static str| {
        let arg = Arg::new(name).long(name).value_name("DIR").required(true);
        arg.value_parser(value_parser!(PathBuf)).help(help)
    };
    let dry_run = || switch("dry-run", "Write nothing, only say what would be copied");
    [
        with_settings(Command::new("check").about("Verify every checksum of the segments").long_about(
            "Reads every segment and compares it with its checksums. Safe beside a running server; with --repair \
             the server has to be stopped. Exit status 1 when something is damaged and was not repaired.",
        ))
        .arg(switch("repair", "Take damaged segments out of the store, into quarantine/")),
        with_settings(
            Command::new("inspect").about("List the segments, and where their bytes are"),
        )
        .arg(switch("columns", "Also the columns: size, compression, promoted attribute keys")),
        with_settings(Command::new("compact").about("Merge everything that can be merged").long_about(
            "Merges the segments of each table and day to the end. A server does that by itself in time; it has to \
             be stopped for this.",
        )),
        with_settings(Command::new("backup").about("Copy the data directory, verified").long_about(
            "Makes DIR a consistent copy of the data directory, which is a data directory itself. Safe beside a \
             running server. Repeated, it copies only segments that are new and removes those that are gone.",
        ))
        .arg(folder("to", "Directory of the copy"))
        .arg(dry_run()),
        with_settings(Command::new("restore").about("Make the data directory from a backup").long_about(
            "Copies a backup to --data-dir, which must not hold a store yet, and verifies every segment.",
        ))
        .arg(folder("from", "Directory of the backup"))
        .arg(dry_run()),
    ]
}

fn tool(name: &str, matches: &ArgMatches) -> Option<ToolKind> {
    let folder = |name| matches.get_one::<PathBuf>(name).cloned();
    Some(match name {
        "check" => ToolKind::Check {
            repair: matches.get_flag("repair"),
        },
        "inspect" => ToolKind::Inspect {
            columns: matches.get_flag("columns"),
        },
        "compact" => ToolKind::Compact,
        "backup" => ToolKind::Backup {
            to: folder("to")?,
            dry_run: matches.get_flag("dry-run"),
        },
        "restore" => ToolKind::Restore {
            from: folder("from")?,
            dry_run: matches.get_flag("dry-run"),
        },
        _ => return None,
    })
}

fn with_settings(command: Command) -> Command {
    let config = Arg::new("config")
        .long("config")
        .value_name("FILE")
        .value_parser(value_parser!(PathBuf))
        .help("TOML file with settings [env: CAIRN_CONFIG]");
    SETTINGS
        .iter()
        .map(flag)
        .fold(command.arg(config), Command::arg)
}

fn flag(setting: &'static Setting) -> Arg {
    let facts = format!(
        "[env: {}] [default: {}]",
        setting.env_name(),
        setting.default
    );
    let long = if setting.long.is_empty() {
        format!("{}.\n\n{facts}", setting.short)
    } else {
        format!("{}.\n{}\n\n{facts}", setting.short, setting.long)
    };
    let arg = Arg::new(setting.name)
        .long(setting.name)
        .value_name(setting.value_name)
        .help_heading(setting.group)
        .help(format!("{} {facts}", setting.short))
        .long_help(long);
    if setting.is_switch() {
        return arg
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true");
    }
    arg
}

/// Parses `arguments` (the first is the program's name). `Err` also carries `--help` and `--version`.
pub(crate) fn parse(arguments: Vec<OsString>) -> Result<Invocation, clap::Error> {
    let matches = command().try_get_matches_from(arguments)?;
    match matches.subcommand() {
        Some(("demo", matches)) => Ok(Invocation::Demo {
            flags: flags(matches),
            once: matches.get_flag("once"),
        }),
        Some(("healthcheck", matches)) => Ok(Invocation::Healthcheck(flags(matches))),
        Some(("hash-password", _)) => Ok(Invocation::HashPassword),
        Some(("config-reference", _)) => Ok(Invocation::ConfigReference),
        Some((name, matches)) => Ok(match tool(name, matches) {
            Some(kind) => Invocation::Tool(flags(matches), kind),
            None => Invocation::Serve(flags(matches)),
        }),
        None => Ok(Invocation::Serve(Flags::default())),
    }
}

fn flags(matches: &ArgMatches) -> Flags {
    let mut flags = Flags {
        raw: RawConfig::default(),
        file: matches.get_one::<PathBuf>("config").cloned(),
    };
    for setting in &SETTINGS {
        if let Some(text) = matches.get_one::<String>(setting.name) {
            flags
                .raw
                .set(setting, text.clone(), Origin::Flag(setting.name));
        }
    }
    flags
}
