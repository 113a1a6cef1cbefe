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
use edgekeeper_policy::compile::{Options, Severity, compile};

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
    /// Oathkeeper's configuration and perhaps `edge.yml`; the rules that it names are read, too
    #[arg(value_name = "FILES")]
    files: Vec<String>,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE")]
    edge: Option<String>,

    /// Look up absolute paths of rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR")]
    root: Option<String>,

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
enum Deny {
    Warnings,
    Notes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    Auto,
    Always,
    Never,
}

/// Which files are checked.
#[derive(Debug, PartialEq, Eq)]
struct Chosen {
    config: String,
    edge: Option<String>,
}

/// Runs the command. Everything found goes to standard output, whatever the format.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let chosen = match choose(&arguments.files, arguments.edge.as_deref(), |path| {
        Path::new(path).is_file()
    }) {
        Ok(chosen) => chosen,
        Err(message) => {
            eprintln!("error: {message}");
            return ExitCode::from(2);
        }
    };
    let options = Options {
        config: chosen.config,
        edge: chosen.edge,
        root: arguments.root.clone(),
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
    let denied = match arguments.deny {
        None => Severity::Error,
        Some(Deny::Warnings) => Severity::Warning,
        Some(Deny::Notes) => Severity::Note,
    };
    if findings.worst().is_some_and(|worst| worst <= denied) {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
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

/// The names that are looked for where none is given.
const CONFIGS: [&str; 3] = ["oathkeeper.yml", "oathkeeper.yaml", "oathkeeper.json"];
const EDGES: [&str; 2] = ["edge.yml", "edge.yaml"];

/// Tells `edge.yml` from Oathkeeper's configuration by its name: `edge.yml`, `edge.staging.yaml`.
fn choose(
    files: &[String],
    edge: Option<&str>,
    exists: impl Fn(&str) -> bool,
) -> Result<Chosen, String> {
    let is_edge = |path: &&String| {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        name.split('.').next() == Some("edge")
    };
    if files.is_empty() {
        let first = |names: &[&str]| {
            names
                .iter()
                .find(|name| exists(name))
                .map(|name| (*name).to_owned())
        };
        let Some(config) = first(&CONFIGS) else {
            return Err("there is no `oathkeeper.yml` in this folder; name Oathkeeper's configuration: `edgekeeper check path/to/oathkeeper.yml`".to_owned());
        };
        let edge = edge.map(str::to_owned).or_else(|| first(&EDGES));
        return Ok(Chosen { config, edge });
    }
    let (edges, configs): (Vec<&String>, Vec<&String>) = files.iter().partition(is_edge);
    let config = match configs.as_slice() {
        [config] => (*config).clone(),
        [] => return Err("which configuration? name Oathkeeper's, too: `edgekeeper check oathkeeper.yml edge.yml`".to_owned()),
        [first, second, ..] => {
            return Err(format!(
                "both `{first}` and `{second}` would be Oathkeeper's configuration; name one, and `edge.yml` by `--edge`. The rules are found in `access_rules.repositories`"
            ));
        }
    };
    let edge = match (edges.as_slice(), edge) {
        ([], edge) => edge.map(str::to_owned),
        ([edge], None) => Some((*edge).clone()),
        _ => return Err("`edge.yml` is named twice; one is read".to_owned()),
    };
    Ok(Chosen { config, edge })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(files: &[&str], edge: Option<&str>) -> Result<(String, Option<String>), String> {
        let files: Vec<String> = files.iter().map(|file| (*file).to_owned()).collect();
        let there = |path: &str| ["oathkeeper.yaml", "edge.yml"].contains(&path);
        choose(&files, edge, there).map(|chosen| (chosen.config, chosen.edge))
    }

    #[test]
    fn files_are_told_apart_by_their_names() {
        for (files, edge, expected) in [
            (&[][..], None, ("oathkeeper.yaml", Some("edge.yml"))),
            (&[], Some("e.yml"), ("oathkeeper.yaml", Some("e.yml"))),
            (&["a.yml"], None, ("a.yml", None)),
            (
                &["x/edge.prod.yaml", "a.yml"],
                None,
                ("a.yml", Some("x/edge.prod.yaml")),
            ),
            (&["a.yml"], Some("b.yml"), ("a.yml", Some("b.yml"))),
            (&["edges.yml"], None, ("edges.yml", None)),
        ] {
            let expected = (expected.0.to_owned(), expected.1.map(str::to_owned));
            assert_eq!(chosen(files, edge), Ok(expected), "{files:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_refused_with_what_to_write() {
        for (files, edge, message) in [
            (&["edge.yml"][..], None, "which configuration?"),
            (&["a.yml", "b.yml"], None, "both `a.yml` and `b.yml`"),
            (&["a.yml", "edge.yml"], Some("edge.yml"), "named twice"),
        ] {
            let error = chosen(files, edge).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
        let nothing = choose(&[], None, |_| false).unwrap_err();
        assert!(
            nothing.contains("there is no `oathkeeper.yml`"),
            "{nothing}"
        );
    }
}
