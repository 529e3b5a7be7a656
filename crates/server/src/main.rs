//! The `cairn` binary: reads the configuration and runs what it asks for.

use std::io::Write;
use std::process::ExitCode;

use cairn_server::{Command, CommandError};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
