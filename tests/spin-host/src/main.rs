//! The command: see the library.

use std::process::ExitCode;

use clap::Parser as _;
use spin_host::application;
use spin_host::arguments::{Arguments, Command};

fn main() -> ExitCode {
    let Command::Up(up) = Arguments::parse().command;
    let result = tokio::runtime::Runtime::new()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let result = runtime.block_on(application::up(*up));
            // Requests still running are not waited for.
            runtime.shutdown_background();
            result
        });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
