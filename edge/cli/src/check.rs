//! `edgekeeper check`: everything that is wrong with a team's files, before it is deployed.

mod findings;
mod github;
mod human;
mod json;
mod sarif;

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use edgekeeper_policy::compile::{Diagnostic, Options, Severity, compile};

use crate::chosen::{self, Named};
use crate::files::FileSystem;

use self::findings::Findings;

/// Find what is wrong with Oathkeeper's configuration and rules, at its line, before it is deployed
///
/// Nothing is written. It finds what `build` does, and reasons on what was read: rules for one request, rules for none,
/// patterns that can be kept busy, names that only a cluster knows.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper check                                    oathkeeper.yml and, if it is there, edge.yml
  edgekeeper check oathkeeper.yml edge.yml
  edgekeeper check --deny warnings --format github    in a pull request's checks

Exit codes: 0 nothing to refuse, 1 errors (or what --deny names), 2 wrong arguments")]
pub(crate) struct Arguments {
    #[command(flatten)]
    named: Named,

    /// Check for Oathkeeper v26.2.0 to the letter
    #[arg(long)]
    strict: bool,

    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Fail for warnings, or for notes as well
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,

    /// Tell what is worth knowing once, too
    #[arg(long)]
    hints: bool,

    /// Colours: on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, in the manner of rustc
    Human,
    /// One document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Deny {
    Warnings,
    Notes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Runs the command. Everything found goes to standard output, whatever the format.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let exists = |path: &str| Path::new(path).is_file();
    let edge = arguments.named.edge.as_deref();
    let chosen = match chosen::choose(&arguments.named.files, edge, "edgekeeper check", exists) {
        Ok(chosen) => chosen,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let options = Options {
        config: chosen.config,
        edge: chosen.edge,
        root: arguments.named.root.clone(),
        strict: arguments.strict,
        thorough: true,
    };
    let (found, rules) = match compile(&FileSystem, &options) {
        Ok((policy, found)) => (found, Some(policy.rules.len())),
        Err(found) => (found, None),
    };
    let least = if arguments.hints {
        Severity::Hint
    } else {
        Severity::Note
    };
    let findings = Findings::new(found, least, rules);
    let text = match arguments.format {
        Format::Human => human::text(&findings, is_coloured(arguments.color)),
        Format::Json => json::text(&findings),
        Format::Sarif => sarif::text(&findings),
        Format::Github => github::text(&findings),
    };
    // Whoever reads may have gone.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if findings
        .worst()
        .is_some_and(|worst| worst <= denied(arguments.deny))
    {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// The least severity that fails.
fn denied(deny: Option<Deny>) -> Severity {
    match deny {
        None => Severity::Error,
        Some(Deny::Warnings) => Severity::Warning,
        Some(Deny::Notes) => Severity::Note,
    }
}

/// Tells people what was found, for a command that checks before it does something, and whether that has to stop it.
pub(crate) fn told(found: Vec<Diagnostic>, deny: Option<Deny>) -> (String, bool) {
    let findings = Findings::new(found, Severity::Note, None);
    let stops = findings.worst().is_some_and(|worst| worst <= denied(deny));
    (human::text(&findings, is_coloured(Color::Auto)), stops)
}

/// Whether standard output shows colours.
pub(crate) fn has_colours() -> bool {
    is_coloured(Color::Auto)
}

fn is_coloured(color: Color) -> bool {
    match color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::io::stdout().is_terminal()
                && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        }
    }
}
