//! `edgekeeper push`: a policy that was checked, tested and compared, put in force without a deploy.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use edgekeeper_gateway::Gateway;
use edgekeeper_gateway::policies::{LARGEST, Version};
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;
use serde_json::{Value, json};

use super::confirmation;
use super::failure::{Failure, end};
use super::state::State;
use super::target::{Place, Target};
use super::teller::Format;
use crate::check::{self, Deny};
use crate::chosen::{self, Named};
use crate::difference::{self, Given};
use crate::expectations;
use crate::files::{self, FileSystem};

/// How long to wait until a gateway tells that it has taken the policy.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long to wait before it is asked again.
const PAUSE: Duration = Duration::from_millis(500);

/// Put a policy in force without a deploy: checked, tested and compared with the one in force
///
/// It runs what `check` and `test` do, shows which decisions the new policy changes, most dangerous first, and asks. Gateways
/// take the policy within `policy.refresh` (30 s unless edge.yml says otherwise); each request is decided by the old policy or by
/// the new one. The policy in force stays where anything fails. docs/push.md has more.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  edgekeeper push --to https://app.example.com              the files of this folder, to a running gateway
  edgekeeper push --to https://app.example.com --dry-run    only the difference
  edgekeeper push oathkeeper.yml edge.yml --state state --yes
  edgekeeper push --kv --requests requests.jsonl

Exit codes: 0 in force, or shown, 1 refused or failed, with the old policy in force, 2 wrong arguments, or nobody to ask")]
pub(crate) struct Arguments {
    #[command(flatten)]
    named: Named,

    /// Behave as Oathkeeper v26.2.0 to the letter, where that is safe
    #[arg(long)]
    strict: bool,

    /// Refuse for warnings, or for notes as well
    #[arg(long, value_enum, value_name = "WHAT")]
    deny: Option<Deny>,

    /// Push without the tests beside the configuration
    #[arg(long)]
    no_test: bool,

    /// Compare with this policy document instead of the one in force
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,

    #[command(flatten)]
    how: How,
}

/// What a push and a rollback share.
#[derive(Debug, Args)]
pub(super) struct How {
    #[command(flatten)]
    pub(super) place: Place,

    /// Requests to compare the policies by, besides those made of the rules: lines of the gateway's log, or expectations (.yml); several times for several
    #[arg(long, value_name = "FILE")]
    pub(super) requests: Vec<String>,

    /// Do not ask
    #[arg(long, short)]
    pub(super) yes: bool,

    /// Stop after the difference
    #[arg(long)]
    pub(super) dry_run: bool,

    /// How to tell
    #[arg(long, value_enum, default_value = "human")]
    pub(super) format: Format,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    end(push(arguments))
}

fn push(arguments: &Arguments) -> Result<(), Failure> {
    let how = &arguments.how;
    let format = how.format;
    if !how.dry_run {
        confirmation::possible(how.yes, "push")?;
    }
    let requests = how.requests()?;
    let old_document = arguments.from.as_deref().map(read).transpose()?;
    let target = Target::open(&how.place)?;
    let (policy, document) = compiled(arguments)?;
    let version = Version::of(&document);
    let rules = match policy.rules.len() {
        1 => "1 rule".to_owned(),
        many => format!("{many} rules"),
    };
    format.tell(
        "policy",
        &format!("{version}, {rules}, {} bytes", document.len()),
    );

    let before = target.look()?;
    let old = match old_document {
        Some(document) => Some(document),
        None => target.document(&before.in_force.named())?,
    };
    format.tell(
        "in force",
        &format!("{} at {}", before.in_force.shown(), target.shown()),
    );
    let difference = how.compared(old.as_deref(), &policy, requests)?;
    let mut told = json!({
        "format": 1,
        "policy": { "version": version.short(), "rules": policy.rules.len(), "bytes": document.len() },
        "before": before.in_force.json(),
        "difference": difference,
        "pushed": null,
    });
    if before.has(&version) {
        format.say("this policy is in force already");
        format.document(&told);
        return Ok(());
    }
    if how.dry_run {
        format.say("nothing was pushed: --dry-run");
        format.document(&told);
        return Ok(());
    }
    confirmation::ask(
        how.yes,
        &format!("Put policy {version} in force at {}?", target.shown()),
    )?;
    let put = target.put(&before, &document);
    let after = settled(&target, &before, put, &|state| state.has(&version))?;
    let within = target.within(policy.policies.refresh);
    format.tell(
        "pushed",
        &format!(
            "policy {version}, change {}; {within}",
            after.in_force.number
        ),
    );
    if let Some(pushed) = told.get_mut("pushed") {
        *pushed = after.in_force.json();
    }
    format.document(&told);
    Ok(())
}

/// What `check`, `test` and `build` do.
fn compiled(arguments: &Arguments) -> Result<(Policy, String), Failure> {
    let format = arguments.how.format;
    let chosen = chosen::choose(
        &arguments.named.files,
        arguments.named.edge.as_deref(),
        "edgekeeper push",
        |path| Path::new(path).is_file(),
    );
    let chosen = chosen.map_err(|message| Failure::Arguments(format!("error: {message}")))?;
    let options = Options {
        config: chosen.config.clone(),
        edge: chosen.edge,
        root: arguments.named.root.clone(),
        strict: arguments.strict,
        thorough: true,
    };
    let (policy, found) = match compile(&FileSystem, &options) {
        Ok((policy, found)) => (Some(policy), found),
        Err(found) => (None, found),
    };
    let (text, stops) = check::told(found, arguments.deny);
    let policy = match policy.filter(|_| !stops) {
        Some(policy) => policy,
        None => {
            return Err(Failure::Failed(format!(
                "{}\nnothing was pushed: `edgekeeper check` refuses it",
                text.trim_end()
            )));
        }
    };
    if text.is_empty() {
        format.tell("check", "nothing found");
    } else {
        format.say(&text);
    }
    if !arguments.no_test {
        match expectations::hold(&chosen.config, &policy)? {
            None => format.tell("test", "there is no edgekeeper.test.yml"),
            Some(held) if held.failed == 0 => {
                format.tell("test", &format!("{} ({})", held.summary, held.file))
            }
            Some(held) => {
                return Err(Failure::Failed(format!(
                    "{}\nnothing was pushed: `edgekeeper test` fails",
                    held.text.trim_end()
                )));
            }
        }
    }
    let document = policy
        .to_json()
        .map_err(|error| format!("error: {error}"))?;
    // What the gateway could not load must not get there.
    Gateway::from_json(&document).map_err(|error| format!("error: {error}\nnothing was pushed"))?;
    if document.len() > LARGEST {
        return Err(Failure::Failed(format!(
            "error: the policy has {} bytes, more than the 8 MiB that can be pushed; deploy it\nnothing was pushed",
            document.len()
        )));
    }
    Ok((policy, document))
}

impl How {
    /// The requests that were given.
    pub(super) fn requests(&self) -> Result<Given, Failure> {
        let mut all = Given::default();
        for path in &self.requests {
            let given = difference::read(path).map_err(Failure::Arguments)?;
            all.asked.extend(given.asked);
            all.others = all.others.saturating_add(given.others);
        }
        Ok(all)
    }

    /// Shows the difference; the document of it, where there is a policy to compare with.
    pub(super) fn compared(
        &self,
        old: Option<&str>,
        new: &Policy,
        given: Given,
    ) -> Result<Value, Failure> {
        let Some(old) = old else {
            self.format.say("no difference is shown: only the gateway has the deployed policy; `--from policy.json` names it, and with `--to` the gateway is asked for it");
            return Ok(Value::Null);
        };
        let old = Policy::from_json(old).map_err(|error| format!("error: the policy in force: {error}\n  help: `--from policy.json` compares with another document"))?;
        if given.others > 0 {
            self.format.say(&format!(
                "{} lines of the files of requests are no requests",
                given.others
            ));
        }
        let difference = difference::between(&old, new, given.asked)?;
        let coloured = self.format == Format::Human && check::has_colours();
        self.format.say("");
        self.format.say(&difference::text(&difference, coloured));
        self.format.say("");
        Ok(difference::json(&difference))
    }
}

/// What is in force after a change was asked for. It is looked at in any case, since a connection can break when all is done.
pub(super) fn settled(
    target: &Target,
    before: &State,
    put: Result<(), String>,
    is_it: &dyn Fn(&State) -> bool,
) -> Result<State, Failure> {
    let start = Instant::now();
    loop {
        let now = target.look();
        match (&put, now) {
            (Ok(()), Ok(now)) if now.in_force.number > before.in_force.number && is_it(&now) => {
                return Ok(now);
            }
            (Ok(()), Ok(now)) if now.in_force.number > before.in_force.number.saturating_add(1) => {
                return Err(Failure::Failed(format!(
                    "it was put in force, and somebody else changed it again: {} is in force",
                    now.in_force.shown()
                )));
            }
            (Ok(()), now) if start.elapsed() >= PATIENCE => {
                let found = match now {
                    Ok(now) => format!("it still tells {}", now.in_force.shown()),
                    Err(error) => format!("it cannot be asked: {error}"),
                };
                return Err(Failure::Failed(format!(
                    "error: the policy was put in force at {}, but after {} s {found}\n  help: `edgekeeper versions` tells what is in force",
                    target.shown(),
                    PATIENCE.as_secs()
                )));
            }
            (Ok(()), _) => thread::sleep(PAUSE),
            (Err(error), Ok(now)) if now.in_force.number == before.in_force.number => {
                return Err(Failure::Failed(format!(
                    "{error}\nnothing was changed: {} is in force still",
                    now.in_force.shown()
                )));
            }
            (Err(error), Ok(now))
                if now.in_force.number == before.in_force.number.saturating_add(1)
                    && is_it(&now) =>
            {
                eprintln!("{error}\nbut it is in force all the same");
                return Ok(now);
            }
            (Err(error), Ok(now)) => {
                return Err(Failure::Failed(format!(
                    "{error}\nyours was not put in force: {} is",
                    now.in_force.shown()
                )));
            }
            (Err(error), Err(other)) => {
                return Err(Failure::Failed(format!(
                    "{error}\nand it cannot be told what is in force:\n{other}\nbefore it was {}; `edgekeeper versions` tells as soon as it answers",
                    before.in_force.shown()
                )));
            }
        }
    }
}

fn read(path: &Path) -> Result<String, Failure> {
    files::read(path).map_err(|reason| {
        Failure::Arguments(format!(
            "error: `{}` cannot be read: {reason}",
            path.display()
        ))
    })
}
