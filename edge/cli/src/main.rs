//! `edgekeeper`: Ory Oathkeeper's access rules, made ready for the edge.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

mod build;
mod explain;
mod files;
mod keys;
mod sessions;
mod spin;
mod time;

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
    Explain(explain::Arguments),
    /// Make and keep the keys that sign tokens
    #[command(subcommand)]
    Keys(keys::Command),
    /// End what gateways remember of sessions
    #[command(subcommand)]
    Sessions(sessions::Command),
    Spin(spin::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Build(arguments) => build::run(&arguments),
        Command::Explain(arguments) => return explain::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Sessions(command) => sessions::run(&command),
        Command::Spin(arguments) => spin::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
