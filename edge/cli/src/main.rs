//! `edgekeeper`: Ory Oathkeeper's access rules, made ready for the edge.

mod build;
mod files;
mod keys;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Ory Oathkeeper's access rules, decided at the edge.
#[derive(Debug, Parser)]
#[command(name = "edgekeeper", version, about, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Arguments),
    /// Make and keep the keys that sign tokens
    #[command(subcommand)]
    Keys(keys::Command),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Build(arguments) => build::run(&arguments),
        Command::Keys(command) => keys::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
