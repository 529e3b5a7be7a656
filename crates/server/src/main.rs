//! The `cairn` binary: reads the configuration and runs what it asks for.

use std::io::{BufRead, Read, Write};
use std::process::ExitCode;

use cairn_server::{Command, CommandError};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of a password that is hashed for the configuration, with its line end.
const MAX_PASSWORD_BYTES: u64 = 1_024;

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            let _written = writeln!(std::io::stderr().lock(), "cairn: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let command = match cairn_server::command(std::env::args_os().collect()) {
        Ok(command) => command,
        Err(CommandError::Usage(usage)) => {
            usage.print()?;
            return Ok(if usage.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            });
        }
        Err(CommandError::Config(error)) => return Err(error.into()),
    };
    match command {
        Command::Print(page) => std::io::stdout().lock().write_all(page.as_bytes())?,
        Command::HashPassword => {
            let mut line = String::new();
            let limit = std::io::stdin().lock().take(MAX_PASSWORD_BYTES);
            std::io::BufReader::new(limit).read_line(&mut line)?;
            let hash = cairn_server::hash_password(line.trim_end_matches(['\r', '\n']))?;
            writeln!(std::io::stdout().lock(), "{hash}")?;
        }
        Command::Tool(config, tool) => {
            cairn_server::run_tool(&config, &tool, &mut std::io::stdout().lock())?;
        }
        Command::Serve(config) => cairn_server::run_server(&config)?,
        Command::Demo {
            config,
            keeps_data,
            once,
        } => cairn_server::run_demo(config, keeps_data, once)?,
        Command::Healthcheck(config) => cairn_server::healthcheck(&config)?,
    }
    Ok(ExitCode::SUCCESS)
}
