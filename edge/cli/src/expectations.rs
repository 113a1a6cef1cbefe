//! `edgekeeper test`: whether requests get what a team expects, decided by the gateway's own code in memory.

mod comparison;
mod expected;
mod file;
mod human;
mod json;
mod junit;
mod reader;
mod result;
mod session;
mod wanted;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;

use crate::build;
use crate::chosen::{self, Chosen};
use crate::explain::case::Case;
use crate::files::FileSystem;

use self::file::Test;
use self::result::{Results, Tested};

/// Test whether requests get what a team expects of its rules: docs/test.md
///
/// The expectations stand in `edgekeeper.test.yml` beside Oathkeeper's configuration. The gateway's own code decides each of
/// their requests, in memory: nothing is sent, no service is asked, and whoami says what the test's session holds.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper test                                     oathkeeper.yml, edge.yml and edgekeeper.test.yml in this folder
  edgekeeper test --config oathkeeper.yml --edge edge.staging.yml tests/staging.yml
  edgekeeper test --format junit > report.xml         for CI

Exit codes: 0 all is as expected, 1 a test failed or the policy cannot be used, 2 wrong arguments or a file of tests that \
cannot be understood")]
pub(crate) struct Arguments {
    /// Files of expectations; `edgekeeper.test.yml` beside the configuration, if none is named
    #[arg(value_name = "FILES")]
    files: Vec<String>,

    /// Oathkeeper's configuration (YAML or JSON); the rules it names are read, too
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE")]
    edge: Option<String>,

    /// Look up absolute paths of rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR")]
    root: Option<String>,

    /// Behave as Oathkeeper v26.2.0 to the letter, where that is safe
    #[arg(long)]
    strict: bool,

    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One document
    Json,
    /// JUnit's XML, for CI
    Junit,
}

/// Why nothing was tested.
enum Failure {
    /// The arguments, or a file of tests, cannot be understood.
    Arguments(String),
    /// The policy cannot be used.
    Policy(String),
}

/// The names that are looked for where none is given.
const NAMES: [&str; 2] = ["edgekeeper.test.yml", "edgekeeper.test.yaml"];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match results(arguments) {
        Ok(results) => {
            let text = match arguments.format {
                Format::Human => human::text(&results),
                Format::Json => json::text(&results),
                Format::Junit => junit::text(&results),
            };
            // Whoever reads may have gone.
            let _ = std::io::stdout().write_all(text.as_bytes());
            if results.failed() == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(Failure::Policy(message)) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
        Err(Failure::Arguments(message)) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

fn results(arguments: &Arguments) -> Result<Results, Failure> {
    let start = Instant::now();
    let refused = |message| Failure::Arguments(format!("error: {message}"));
    let chosen = choose(arguments).map_err(refused)?;
    let files = if arguments.files.is_empty() {
        vec![beside(&chosen.config).map_err(refused)?]
    } else {
        arguments.files.clone()
    };
    let tests = read(&files).map_err(Failure::Arguments)?;
    let policy = policy(arguments, chosen)?;
    let tested = tests.into_iter().map(|test| Tested::of(test, &policy));
    Ok(Results {
        tested: tested.collect::<Result<_, _>>().map_err(Failure::Policy)?,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// What came of the tests beside a configuration.
pub(crate) struct Held {
    /// The file.
    pub(crate) file: String,
    /// The results for people.
    pub(crate) text: String,
    /// The last line of it.
    pub(crate) summary: String,
    pub(crate) failed: usize,
}

/// Holds a policy to the expectations beside its configuration, if there are any.
///
/// # Errors
/// Everything that is wrong with the file.
pub(crate) fn hold(config: &str, policy: &Policy) -> Result<Option<Held>, String> {
    let start = Instant::now();
    let Ok(file) = beside(config) else {
        return Ok(None);
    };
    let tests = file::read(&file)?;
    let tested = tests.into_iter().map(|test| Tested::of(test, policy));
    let results = Results {
        tested: tested.collect::<Result<_, _>>()?,
        milliseconds: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    Ok(Some(Held {
        file,
        text: human::text(&results),
        summary: results.summary(),
        failed: results.failed(),
    }))
}

/// The requests of a file of tests, in its order.
///
/// # Errors
/// Everything that is wrong with the file.
pub(crate) fn cases(path: &str) -> Result<Vec<Case>, String> {
    let tests = file::read(path)?;
    Ok(tests.into_iter().map(|test| test.case).collect())
}

fn choose(arguments: &Arguments) -> Result<Chosen, String> {
    match &arguments.config {
        Some(config) => Ok(Chosen {
            config: config.clone(),
            edge: arguments.edge.clone(),
        }),
        None => chosen::look(
            arguments.edge.as_deref(),
            "edgekeeper test --config path/to/oathkeeper.yml",
            |path| Path::new(path).is_file(),
        ),
    }
}

/// The file of expectations in the folder of the configuration.
fn beside(config: &str) -> Result<String, String> {
    let folder = config.rsplit_once('/').map(|(folder, _)| folder);
    let paths = NAMES.map(|name| match folder {
        Some(folder) => format!("{folder}/{name}"),
        None => name.to_owned(),
    });
    let found = paths.iter().find(|path| Path::new(path).is_file());
    found.cloned().ok_or_else(|| {
        format!(
            "there is no `{}` beside `{config}`; write one, as docs/test.md shows, or name another: `edgekeeper test path/to/tests.yml`",
            NAMES.first().copied().unwrap_or_default()
        )
    })
}

/// Reads all files, and tells everything that is wrong with them.
fn read(files: &[String]) -> Result<Vec<Test>, String> {
    let mut tests = Vec::new();
    let mut refusals = Vec::new();
    for path in files {
        match file::read(path) {
            Ok(more) => tests.extend(more),
            Err(refusal) => refusals.push(refusal),
        }
    }
    if refusals.is_empty() {
        Ok(tests)
    } else {
        refusals.push("nothing was tested".to_owned());
        Err(refusals.join("\n"))
    }
}

fn policy(arguments: &Arguments, chosen: Chosen) -> Result<Policy, Failure> {
    let options = Options {
        config: chosen.config,
        edge: chosen.edge,
        root: arguments.root.clone(),
        strict: arguments.strict,
        ..Options::default()
    };
    compile(&FileSystem, &options)
        .map(|(policy, _)| policy)
        .map_err(|found| Failure::Policy(build::findings(&found, "nothing was tested")))
}
