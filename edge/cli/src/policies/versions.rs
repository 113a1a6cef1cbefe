//! `edgekeeper versions`: which policy is in force, and which were before.

use std::process::ExitCode;

use clap::Args;
use edgekeeper_policy::compile::printable;
use serde_json::{Value, json};

use super::failure::{Failure, end};
use super::state::{Past, State};
use super::target::{Place, Target};
use super::teller::Format;
use crate::files;
use crate::time::utc;

/// List which policy is in force, and which were before it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper versions --to https://app.example.com
  edgekeeper versions --state state --format json")]
pub(crate) struct Arguments {
    #[command(flatten)]
    place: Place,

    /// How to tell
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    end(list(arguments))
}

fn list(arguments: &Arguments) -> Result<(), Failure> {
    let target = Target::open(&arguments.place)?;
    let state = target.look()?;
    match arguments.format {
        Format::Human => print(&state),
        Format::Json => arguments.format.document(&document(&state)),
    }
    if let Some(problem) = &state.problem {
        eprintln!(
            "warning: the gateway keeps this policy, because it cannot take what the store says: {}",
            printable(problem)
        );
    }
    Ok(())
}

fn print(state: &State) {
    let changes = || {
        let before = state.history.iter().map(|past| (past, ""));
        std::iter::once((&state.in_force, "  in force")).chain(before)
    };
    let width = changes()
        .map(|(past, _)| name(past, state).len())
        .fold(16, usize::max);
    files::print(&format!("{:<8}{:<width$}  SINCE", "CHANGE", "POLICY"));
    for (past, mark) in changes() {
        files::print(&format!(
            "{:<8}{:<width$}  {}{mark}",
            past.number,
            name(past, state),
            since(past)
        ));
    }
}

fn name(past: &Past, state: &State) -> String {
    match (&past.version, &state.deployed) {
        (Some(version), _) => version.clone(),
        (None, Some(version)) => format!("{version} (deployed)"),
        (None, None) => "deployed".to_owned(),
    }
}

fn since(past: &Past) -> String {
    if past.number == 0 {
        "the deploy; nothing was pushed yet".to_owned()
    } else {
        utc(past.at)
    }
}

fn document(state: &State) -> Value {
    let history: Vec<Value> = state.history.iter().map(Past::json).collect();
    json!({
        "format": 1,
        "in_force": state.in_force.json(),
        "history": history,
        "deployed": state.deployed,
        "problem": state.problem,
    })
}
