//! `edgekeeper rollback`: a policy that was in force before, in force again.

use std::process::ExitCode;

use clap::Args;
use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::policies::is_short;
use edgekeeper_policy::document::Policy;
use serde_json::{Value, json};

use super::confirmation;
use super::failure::{Failure, end};
use super::push::{How, settled};
use super::state::{Named, State};
use super::target::Target;

/// Put a policy in force again that was there before: the previous one, unless another is named
///
/// It shows which decisions that changes, and asks. `edgekeeper versions` lists what there is to go back to.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper rollback --to https://app.example.com
  edgekeeper rollback --to https://app.example.com --version 9f86d081884c7d65
  edgekeeper rollback --state state --deployed --yes

Exit codes: 0 in force, or shown, 1 refused or failed, 2 wrong arguments, or nobody to ask")]
pub(crate) struct Arguments {
    /// The policy, by the 16 digits that `edgekeeper versions` shows
    #[arg(long, value_name = "VERSION", value_parser = version, conflicts_with = "deployed")]
    version: Option<String>,

    /// The policy that the gateway was deployed with
    #[arg(long)]
    deployed: bool,

    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    end(roll_back(arguments))
}

fn roll_back(arguments: &Arguments) -> Result<(), Failure> {
    let how = &arguments.how;
    let format = how.format;
    if !how.dry_run {
        confirmation::possible(how.yes, "rollback")?;
    }
    let requests = how.requests()?;
    let target = Target::open(&how.place)?;
    let before = target.look()?;
    format.tell(
        "in force",
        &format!("{} at {}", before.in_force.shown(), target.shown()),
    );
    let named = named(arguments, &before)?;
    if named == before.in_force.named() {
        return Err(Failure::Failed(format!(
            "error: {} is in force already; nothing was changed",
            named.shown()
        )));
    }
    let document = target.document(&named)?;
    let policy = document
        .map(|document| loaded(&document, &named))
        .transpose()?;
    format.tell("back to", &named.shown());
    let difference = match &policy {
        Some(policy) => {
            let old = target.document(&before.in_force.named())?;
            how.compared(old.as_deref(), policy, requests)?
        }
        None => {
            format.say("no difference is shown: only the gateway has the deployed policy; with `--to` it is asked for it");
            Value::Null
        }
    };
    let mut told = json!({
        "format": 1,
        "before": before.in_force.json(),
        "back_to": match &named { Named::Deployed => Value::Null, Named::Version(version) => json!(version) },
        "difference": difference,
        "pushed": null,
    });
    if how.dry_run {
        format.say("nothing was changed: --dry-run");
        format.document(&told);
        return Ok(());
    }
    confirmation::ask(
        how.yes,
        &format!("Put {} in force at {}?", named.shown(), target.shown()),
    )?;
    let put = target.back_to(&before, &named);
    let is_it = |state: &State| match &named {
        Named::Deployed => state.in_force.version.is_none(),
        Named::Version(version) => state.in_force.version.as_ref() == Some(version),
    };
    let after = settled(&target, &before, put, &is_it)?;
    let refresh = policy.map_or(Some(30), |policy| policy.policies.refresh);
    format.tell(
        "now",
        &format!(
            "{}, change {}; {}",
            named.shown(),
            after.in_force.number,
            target.within(refresh)
        ),
    );
    if let Some(pushed) = told.get_mut("pushed") {
        *pushed = after.in_force.json();
    }
    format.document(&told);
    Ok(())
}

fn named(arguments: &Arguments, before: &State) -> Result<Named, Failure> {
    match (&arguments.version, arguments.deployed) {
        (Some(version), _) => Ok(Named::Version(version.clone())),
        (None, true) => Ok(Named::Deployed),
        (None, false) => before.previous().ok_or_else(|| {
            Failure::Failed(
                "error: there is no policy to go back to; nothing was changed".to_owned(),
            )
        }),
    }
}

/// What no gateway could load any more is not put in force.
fn loaded(document: &str, named: &Named) -> Result<Policy, String> {
    let refused = |error: String| {
        format!(
            "error: {} cannot be used any more: {error}\nnothing was changed",
            named.shown()
        )
    };
    let policy = Policy::from_json(document).map_err(|error| refused(error.to_string()))?;
    Gateway::new(policy.clone()).map_err(refused)?;
    Ok(policy)
}

fn version(text: &str) -> Result<String, String> {
    if is_short(text) {
        Ok(text.to_owned())
    } else {
        Err("write the 16 digits (0 to 9, a to f) that `edgekeeper versions` shows".to_owned())
    }
}
