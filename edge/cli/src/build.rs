//! `edgekeeper build`: from Oathkeeper's files to the policy document.

use std::path::PathBuf;

use clap::Args;
use edgekeeper_policy::compile::{Diagnostic, Options, Severity, compile};
use edgekeeper_policy::document::Policy;

use crate::files::{self, FileSystem};
use crate::spin;

/// Check Oathkeeper's configuration and rules and compile them into the policy document that the edge loads
///
/// Everything that is wrong is told with its file, line and cure. If anything is, nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper build --config oathkeeper.yml --out policy.json
  edgekeeper build --config oathkeeper.yml --edge edge.yml --root deploy/root --out policy.json

Exit codes: 0 written, perhaps with warnings, 1 refused or not to be written, 2 wrong arguments")]
pub(crate) struct Arguments {
    /// Oathkeeper's configuration (YAML or JSON); the rules it names are read, too
    #[arg(long, short, value_name = "FILE")]
    config: String,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE")]
    edge: Option<String>,

    /// Look up absolute paths of rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR")]
    root: Option<String>,

    /// Behave as Oathkeeper v26.2.0 to the letter, where that is safe
    #[arg(long)]
    strict: bool,

    /// Where to write the policy document
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,

    /// A `spin.toml` whose `allowed_outbound_hosts` are to be what the policy needs and nothing else
    #[arg(long, value_name = "FILE")]
    spin_manifest: Option<PathBuf>,

    /// The component in it that is the gateway
    #[arg(
        long,
        value_name = "NAME",
        default_value = "edgekeeper",
        requires = "spin_manifest"
    )]
    spin_component: String,
}

/// Runs the command.
///
/// # Errors
/// What to print before it fails: every finding and their number, or why the document could not be written.
pub(crate) fn run(arguments: &Arguments) -> Result<(), String> {
    let options = Options {
        config: arguments.config.clone(),
        edge: arguments.edge.clone(),
        root: arguments.root.clone(),
        strict: arguments.strict,
        ..Options::default()
    };
    let (policy, found) = compile(&FileSystem, &options).map_err(|found| refusal(&found))?;
    for diagnostic in &found {
        eprintln!("{diagnostic}");
    }
    let document = policy
        .to_json()
        .map_err(|error| format!("error: {error}"))?;
    // What the edge could not load must not get there.
    Policy::from_json(&document).map_err(|error| format!("error: {error}"))?;
    let manifest = arguments
        .spin_manifest
        .as_deref()
        .map(|path| spin::manifest(path, &arguments.spin_component, &policy))
        .transpose()?;
    files::write(&arguments.out, document.as_bytes(), 0o644)?;
    println!("{}", summary(&policy, &document, arguments));
    if let Some(manifest) = manifest {
        manifest.write()?;
    }
    Ok(())
}

fn summary(policy: &Policy, document: &str, arguments: &Arguments) -> String {
    let rules = match policy.rules.len() {
        1 => "1 rule".to_owned(),
        many => format!("{many} rules"),
    };
    let mode = if policy.strict { ", strict" } else { "" };
    format!(
        "{}: {rules}, {} bytes{mode}",
        arguments.out.display(),
        document.len()
    )
}

/// What to print of a compilation that failed: every finding and their number.
pub(crate) fn refusal(found: &[Diagnostic]) -> String {
    findings(found, "nothing was written")
}

/// Every finding, their number, and what did not come about.
pub(crate) fn findings(found: &[Diagnostic], instead: &str) -> String {
    let mut text = String::new();
    for diagnostic in found {
        text.push_str(&diagnostic.to_string());
        text.push('\n');
    }
    let errors = found
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    let errors = if errors == 1 {
        "1 error".to_owned()
    } else {
        format!("{errors} errors")
    };
    text.push_str(&format!("{errors}; {instead}"));
    text
}
