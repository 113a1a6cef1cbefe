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
mod check;
mod chosen;
mod client;
mod completions;
mod decision;
mod destinations;
mod dev;
mod difference;
mod expectations;
mod explain;
mod files;
#[cfg(test)]
mod help;
mod init;
mod keys;
mod lines;
mod policies;
mod schema;
mod sessions;
mod spin;
mod time;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Ory Oathkeeper's access rules, decided at the edge.
#[derive(Debug, Parser)]
#[command(name = "edgekeeper", version, about, arg_required_else_help = true)]
#[command(after_help = "\
Examples:
  edgekeeper check                   what is wrong with oathkeeper.yml, edge.yml and the rules
  edgekeeper test                    whether requests get what edgekeeper.test.yml expects
  edgekeeper build --config oathkeeper.yml --edge edge.yml --out policy.json
  edgekeeper push --to https://app.example.com
  edgekeeper help build              more about a command, with examples")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Build(build::Arguments),
    Check(check::Arguments),
    Dev(dev::Arguments),
    Explain(explain::Arguments),
    Init(init::Arguments),
    Push(policies::push::Arguments),
    Rollback(policies::rollback::Arguments),
    Test(expectations::Arguments),
    Versions(policies::versions::Arguments),
    /// Make and keep the keys that sign tokens
    #[command(
        subcommand,
        after_help = "\
Examples:
  edgekeeper keys new --policy policy.json --out keys.json
  edgekeeper keys list --policy policy.json --state state"
    )]
    Keys(keys::Command),
    /// End what gateways remember of sessions
    #[command(
        subcommand,
        after_help = "\
Examples:
  edgekeeper sessions revoke --identity 136e87ad-f937-4ad0-9d0d-974c0e871b98"
    )]
    Sessions(sessions::Command),
    Spin(spin::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Check(arguments) => return check::run(&arguments),
        Command::Build(arguments) => build::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, Arguments::command()),
        Command::Dev(arguments) => return dev::run(&arguments),
        Command::Explain(arguments) => return explain::run(&arguments),
        Command::Init(arguments) => return init::run(&arguments),
        Command::Push(arguments) => return policies::push::run(&arguments),
        Command::Rollback(arguments) => return policies::rollback::run(&arguments),
        Command::Test(arguments) => return expectations::run(&arguments),
        Command::Versions(arguments) => return policies::versions::run(&arguments),
        Command::Keys(command) => keys::run(&command),
        Command::Schema(arguments) => schema::run(&arguments),
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
