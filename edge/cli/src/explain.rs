//! `edgekeeper explain`: what the gateway does with a request, and why.

pub(crate) mod answer;
mod batch;
pub(crate) mod case;
pub(crate) mod core;
mod credential;
mod differences;
pub(crate) mod text;
mod world;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};
use edgekeeper_gateway::request::Listener;
use edgekeeper_policy::compile::{Options, compile};
use edgekeeper_policy::document::Policy;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use self::core::Core;
use crate::build;
use crate::files::{self, FileSystem};
use answer::{Answer, Services};
use case::Case;

/// Show what the gateway does with a request, and why, without sending anything
///
/// The gateway's own code decides, in memory: which rule is for the request and why others are not, what each handler says,
/// what the upstream gets, or the answer. Credentials are masked. No service is asked: whoami says what `--session` holds, or
/// 401; every other question is told as not asked.
///
/// The exit code is 0 for every request that can be explained, also a refused one, 1 for a policy that cannot be used, 2 for wrong
/// arguments.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("source").required(true).args(["config", "policy"]),
    after_help = "Examples:
  edgekeeper explain GET https://app.example.com/api/items --config oathkeeper.yml --edge edge.yml
  edgekeeper explain GET https://app.example.com/api/items --policy policy.json --session ada.json
  edgekeeper explain POST https://app.example.com/api/items --policy policy.json --header Accept:text/html"
)]
pub(crate) struct Arguments {
    /// The method, such as GET
    #[arg(required_unless_present = "requests")]
    method: Option<String>,

    /// The URL in the browser's address bar
    #[arg(required_unless_present = "requests")]
    url: Option<String>,

    /// A header of the request; can be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// What whoami answers to the request's credential: a JSON document. Without a credential one is added
    #[arg(long, value_name = "FILE")]
    session: Option<PathBuf>,

    /// Oathkeeper's configuration (YAML or JSON); the rules it names are read, too
    #[arg(long, short, value_name = "FILE")]
    config: Option<String>,

    /// What Oathkeeper has no words for: `edge.yml`
    #[arg(long, value_name = "FILE", requires = "config")]
    edge: Option<String>,

    /// Look up absolute paths of rules (`file:///etc/...`) under this folder
    #[arg(long, value_name = "DIR", requires = "config")]
    root: Option<String>,

    /// Behave as Oathkeeper v26.2.0 to the letter, where that is safe
    #[arg(long, requires = "config")]
    strict: bool,

    /// The policy document that `edgekeeper build` wrote
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Where the request comes in
    #[arg(long, value_enum, default_value = "proxy")]
    listener: Door,

    /// How to write the explanation
    #[arg(long, value_enum, default_value = "text")]
    format: Format,

    /// Explain many requests: one a line, each a JSON object; one JSON document a line is written
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["method", "url", "headers", "session", "listener"])]
    requests: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Door {
    /// For requests that go on to an upstream
    Proxy,
    /// For decisions, rules, keys and health
    Api,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs: docs/explain.md
    Json,
}

/// Why nothing can be explained.
enum Failure {
    /// The arguments, or a file they name, cannot be understood.
    Arguments(String),
    /// The policy cannot be used.
    Policy(String),
}

impl From<Door> for Listener {
    fn from(door: Door) -> Self {
        match door {
            Door::Proxy => Self::Proxy,
            Door::Api => Self::Api,
        }
    }
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match explain(arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(Failure::Policy(message)) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
        Err(Failure::Arguments(message)) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn explain(arguments: &Arguments) -> Result<String, Failure> {
    if let Some(path) = &arguments.requests {
        let cases = batch::read(path).map_err(Failure::Arguments)?;
        return batch::explain(policy(arguments)?, &cases).map_err(Failure::Policy);
    }
    let case = case(arguments).map_err(Failure::Arguments)?;
    let core = Core::new(policy(arguments)?).map_err(Failure::Policy)?;
    let explanation = case.explain(&core).map_err(Failure::Policy)?;
    Ok(match arguments.format {
        Format::Text => text::write(&explanation),
        Format::Json => serde_json::to_string_pretty(&explanation)
            .map_err(|error| Failure::Policy(format!("error: {error}")))?,
    })
}

fn policy(arguments: &Arguments) -> Result<Policy, Failure> {
    if let Some(path) = &arguments.policy {
        let text = read(path).map_err(Failure::Arguments)?;
        return document(path, &text).map_err(Failure::Policy);
    }
    let options = Options {
        config: arguments.config.clone().unwrap_or_default(),
        edge: arguments.edge.clone(),
        root: arguments.root.clone(),
        strict: arguments.strict,
        ..Options::default()
    };
    compile(&FileSystem, &options)
        .map(|(policy, _)| policy)
        .map_err(|found| Failure::Policy(build::findings(&found, "nothing was explained")))
}

/// A policy document that `edgekeeper build` wrote.
///
/// # Errors
/// Says why it is none.
pub(crate) fn document(path: &Path, text: &str) -> Result<Policy, String> {
    Policy::from_json(text).map_err(|error| format!("{}: error: {error}", path.display()))
}

fn case(arguments: &Arguments) -> Result<Case, String> {
    let session = arguments.session.as_deref().map(session).transpose()?;
    let url = arguments.url.clone().unwrap_or_default();
    Ok(Case {
        method: method(arguments.method.as_deref().unwrap_or_default())?,
        headers: headers(&arguments.headers, &url)?,
        url,
        listener: arguments.listener.into(),
        adds_credential: session.is_some(),
        services: Services::Offline(session),
    })
}

/// Reads a request's method.
///
/// # Errors
/// Says what is none.
pub(crate) fn method(text: &str) -> Result<String, String> {
    Method::from_bytes(text.as_bytes())
        .map(|method| method.as_str().to_owned())
        .map_err(|_| format!("`{text}` is no method; write one such as `GET`"))
}

/// The request's headers, with the `Host` of its URL. A message never repeats a value: it may be a credential.
fn headers(given: &[String], url: &str) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    if let Ok(host) = HeaderValue::from_str(authority(url)?) {
        headers.insert(http::header::HOST, host);
    }
    for (number, header) in (1..).zip(given) {
        let (name, value) = header.split_once(':').ok_or_else(|| {
            format!("--header number {number} has no colon; write it as 'Name: value'")
        })?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| {
            format!("--header number {number}: what is before the colon is no header name; write it as 'Name: value'")
        })?;
        if name == http::header::HOST {
            return Err(format!(
                "--header number {number} is `Host`; write the host into the URL, where the browser has it"
            ));
        }
        let value = HeaderValue::from_bytes(value.trim().as_bytes()).map_err(|_| {
            format!("--header number {number}: the value of `{name}` has a control character in it")
        })?;
        headers.append(name, value);
    }
    Ok(headers)
}

/// The host of a URL, with its port, as it was written.
///
/// # Errors
/// What is wrong with a URL that is not one of a browser's.
pub(crate) fn authority(url: &str) -> Result<&str, String> {
    let refused = || {
        "the URL is not absolute; write it with scheme and host, such as `https://app.example.com/path`"
            .to_owned()
    };
    let (scheme, rest) = url.split_once("://").ok_or_else(refused)?;
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err("the URL is neither http nor https".to_owned());
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.get(..end) {
        Some("") | None => Err(refused()),
        Some(authority) => Ok(authority),
    }
}

fn session(path: &Path) -> Result<Answer, String> {
    let text = read(path)?;
    let document: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| format!("`{}` is not JSON: {error}", path.display()))?;
    if !document.is_object() {
        return Err(format!(
            "`{}` is not a JSON object, as whoami answers; `curl -b 'ory_kratos_session=…' KRATOS/sessions/whoami` writes one",
            path.display()
        ));
    }
    Ok(Answer::session(&text))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| {
        format!(
            "`{}` cannot be read: {}",
            path.display(),
            files::reason(&error)
        )
    })
}
