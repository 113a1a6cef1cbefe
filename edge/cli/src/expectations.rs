//! `edgekeeper test`: whether requests get what a team expects, decided by the gateway's own code in memory.

mod comparison;
mod expected;
mod file;
mod human;
mod json;
mod junit;
mod reader;
mod record;
mod result;
pub(crate) mod schema;
mod session;
mod wanted;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, ValueEnum};
use edgekeeper_policy::compile::{Options, Sources as _, compile};
use edgekeeper_policy::document::Policy;

use crate::build;
use crate::chosen::{self, Chosen};
use crate::explain::case::Case;
use crate::explain::core::Core;
use crate::explain::document;
use crate::files::FileSystem;

use self::file::Test;
use self::record::There;
use self::result::{Results, Tested};

/// Test whether requests get what a team expects of its rules: docs/test.md
///
/// The expectations stand in `edgekeeper.test.yml` beside Oathkeeper's configuration. The gateway's own code decides each of
/// their requests, in memory: nothing is sent, no service is asked, and whoami says what the test's session holds.
///
/// With `--record` it writes such a file, from the decisions in a gateway's log.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper test                                     oathkeeper.yml, edge.yml and edgekeeper.test.yml in this folder
  edgekeeper test --config oathkeeper.yml --edge edge.staging.yml tests/staging.yml
  edgekeeper test --policy policy.json tests/*.yml    what `edgekeeper build` wrote
  edgekeeper test --format junit > report.xml         for CI
  edgekeeper test --record gateway.log --append       adds what a gateway did, from its log

Exit codes: 0 all is as expected, 1 a test failed or the policy cannot be used, 2 wrong arguments or a file of tests that \
cannot be understood")]
pub(crate) struct Arguments {
    /// Files of expectations; `edgekeeper.test.yml` beside the configuration, if none is named
    #[arg(value_name = "FILES")]
    files: Vec<String>,

    /// Oathkeeper's configuration (YAML or JSON); the rules it names are read, too
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,

    /// The policy document that `edgekeeper build` wrote, in place of the files it was made of
    #[arg(long, value_name = "FILE", conflicts_with_all = ["config", "edge", "root", "strict"])]
    policy: Option<PathBuf>,

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

    /// Test nothing, but write what a gateway did as expectations: its log, `-` for the input
    #[arg(long, value_name = "LOG", conflicts_with_all = ["files", "format", "policy"])]
    record: Option<String>,

    /// Where to; `edgekeeper.test.yml` beside the configuration, if it is not said
    #[arg(long, value_name = "FILE", requires = "record")]
    out: Option<String>,

    /// Add to the file that is there, and leave what it has as it is
    #[arg(long, requires = "record", conflicts_with = "force")]
    append: bool,

    /// Write the file anew if it is there
    #[arg(long, requires = "record")]
    force: bool,
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

/// Where the policy comes from.
enum Source {
    Document(PathBuf),
    Files(Chosen),
}

/// The names that are looked for where none is given.
const NAMES: [&str; 2] = ["edgekeeper.test.yml", "edgekeeper.test.yaml"];

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if let Some(log) = &arguments.record {
        return match record(arguments, log) {
            Ok(told) => {
                eprintln!("{told}");
                ExitCode::SUCCESS
            }
            Err(failure) => failed(failure),
        };
    }
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
        Err(failure) => failed(failure),
    }
}

fn failed(failure: Failure) -> ExitCode {
    match failure {
        Failure::Policy(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
        Failure::Arguments(message) => {
            eprintln!("{message}");
            ExitCode::from(2)
        }
    }
}

/// Writes a file of tests, and gives what to tell of it.
fn record(arguments: &Arguments, log: &str) -> Result<String, Failure> {
    let chosen =
        choose(arguments).map_err(|message| Failure::Arguments(format!("error: {message}")))?;
    let out = match &arguments.out {
        Some(out) => out.clone(),
        None => match beside(&chosen.config) {
            Ok(found) => found,
            Err(_) => names_beside(&chosen.config)
                .into_iter()
                .next()
                .unwrap_or_default(),
        },
    };
    let there = match (arguments.append, arguments.force) {
        (true, _) => There::Grows,
        (false, true) => There::Goes,
        (false, false) => There::Stays,
    };
    let policy = policy(arguments, chosen, "nothing was recorded")?;
    let core = Core::new(&policy).map_err(Failure::Policy)?;
    record::record(log, &out, there, &core).map_err(|failure| match failure {
        record::Failure::Arguments(message) => Failure::Arguments(message),
        record::Failure::Nothing(message) => Failure::Policy(message),
    })
}

fn results(arguments: &Arguments) -> Result<Results, Failure> {
    let start = Instant::now();
    let refused = |message| Failure::Arguments(format!("error: {message}"));
    let source = match &arguments.policy {
        Some(path) => Source::Document(path.clone()),
        None => Source::Files(choose(arguments).map_err(refused)?),
    };
    let files = if arguments.files.is_empty() {
        let beside_it = match &source {
            Source::Document(path) => beside(&path.to_string_lossy()),
            Source::Files(chosen) => beside(&chosen.config),
        };
        vec![beside_it.map_err(refused)?]
    } else {
        arguments.files.clone()
    };
    let tests = read(&files).map_err(Failure::Arguments)?;
    let core = match source {
        Source::Document(path) => {
            let text = FileSystem.read(&path.to_string_lossy()).map_err(|reason| {
                refused(format!("`{}` cannot be read: {reason}", path.display()))
            })?;
            document(&path, &text).map_err(Failure::Policy)?
        }
        Source::Files(chosen) => {
            let policy = policy(arguments, chosen, "nothing was tested")?;
            Core::new(&policy).map_err(Failure::Policy)?
        }
    };
    let tested = tests.into_iter().map(|test| Tested::of(test, &core));
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
    let core = Core::new(policy)?;
    let tested = tests.into_iter().map(|test| Tested::of(test, &core));
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

/// What a file of expectations can be called in the folder of the configuration.
fn names_beside(config: &str) -> [String; 2] {
    let folder = config.rsplit_once('/').map(|(folder, _)| folder);
    NAMES.map(|name| match folder {
        Some(folder) => format!("{folder}/{name}"),
        None => name.to_owned(),
    })
}

/// The file of expectations in the folder of the configuration.
fn beside(config: &str) -> Result<String, String> {
    let paths = names_beside(config);
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

fn policy(arguments: &Arguments, chosen: Chosen, nothing: &str) -> Result<Policy, Failure> {
    let options = Options {
        config: chosen.config,
        edge: chosen.edge,
        root: arguments.root.clone(),
        strict: arguments.strict,
        ..Options::default()
    };
    compile(&FileSystem, &options)
        .map(|(policy, _)| policy)
        .map_err(|found| Failure::Policy(build::findings(&found, nothing)))
}
