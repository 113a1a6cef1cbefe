//! `edgekeeper explain`: what the gateway does with a request, and why.

pub(crate) mod answer;
pub(crate) mod batch;
pub(crate) mod case;
pub(crate) mod core;
mod credential;
mod differences;
mod running;
pub(crate) mod text;
mod world;

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{ArgGroup, Args, ValueEnum};
use edgekeeper_gateway::request::Listener;
use edgekeeper_policy::compile::{Options, compile};
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use self::core::Core;
use crate::build;
use crate::files::{self, FileSystem};
use answer::{Answer, Services};
use case::Case;

/// Show what the gateway does with a request, and why, without sending it on
///
/// The gateway's own code decides, in memory: which rule is for the request and why others are not, what each handler says,
/// what the upstream gets, or the answer. Credentials are masked. No service is asked unless you say `--live`: whoami says what
/// `--session` holds, or 401; every other question is told as not asked. With `--gateway` a running gateway explains it itself.
///
/// The exit code is 0 for every request that can be explained, also a refused one, 1 for a policy that cannot be used, 2 for wrong
/// arguments.
#[derive(Debug, Args)]
#[command(
    group = ArgGroup::new("source").required(true).args(["config", "policy", "gateway"]),
    after_help = "Examples:
  edgekeeper explain GET https://app.example.com/api/items --config oathkeeper.yml --edge edge.yml
  edgekeeper explain GET https://app.example.com/api/items --policy policy.json --session ada.json
  edgekeeper explain POST https://app.example.com/api/items --policy policy.json --header Accept:text/html
  edgekeeper explain GET https://app.example.com/api/items --policy policy.json --cookie - --live    the cookie from standard input
  edgekeeper explain GET https://app.example.com/api/items --gateway https://app.example.com"
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

    /// The cookies of the request, as `name=value; name=value`. `-` reads them from standard input, so that no list of processes
    /// and no shell's history has them
    #[arg(long, value_name = "COOKIES")]
    cookie: Option<String>,

    /// Ask the services of the policy, such as Kratos' whoami, at their addresses; the request itself is not sent on
    #[arg(long, conflicts_with_all = ["session", "gateway"])]
    live: bool,

    /// Have a running gateway explain it, by its origin, such as https://app.example.com; signed with `OPERATOR_SECRET`
    #[arg(long, value_name = "URL", conflicts_with_all = ["session", "listener"])]
    gateway: Option<String>,

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
    #[arg(long, value_name = "FILE", hide = true, conflicts_with_all = ["method", "url", "headers", "session", "listener", "cookie", "live", "gateway"])]
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

/// Bytes of cookies that are read: more no server takes.
const MOST_COOKIES: u64 = 64 << 10;

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
            files::print(&text);
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
        return batch::explain(&core(arguments)?, &cases).map_err(Failure::Policy);
    }
    let case = case(arguments).map_err(Failure::Arguments)?;
    let explanation = match &arguments.gateway {
        Some(gateway) => running::explain(gateway, &case.method, &case.url, &case.headers)?,
        None => case.explain(&core(arguments)?).map_err(Failure::Policy)?,
    };
    Ok(match arguments.format {
        Format::Text => text::write(&explanation),
        Format::Json => serde_json::to_string_pretty(&explanation)
            .map_err(|error| Failure::Policy(format!("error: {error}")))?,
    })
}

fn core(arguments: &Arguments) -> Result<Core, Failure> {
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
    let (policy, _) = compile(&FileSystem, &options)
        .map_err(|found| Failure::Policy(build::findings(&found, "nothing was explained")))?;
    Core::new(&policy).map_err(Failure::Policy)
}

/// A policy document that `edgekeeper build` wrote.
///
/// # Errors
/// Says why it is none.
pub(crate) fn document(path: &Path, text: &str) -> Result<Core, String> {
    Core::of_document(text).map_err(|error| format!("{}: {error}", path.display()))
}

fn case(arguments: &Arguments) -> Result<Case, String> {
    let session = arguments.session.as_deref().map(session).transpose()?;
    let url = sent(arguments.url.as_deref().unwrap_or_default()).to_owned();
    let mut headers = headers(&arguments.headers, &url)?;
    if let Some(given) = &arguments.cookie {
        headers.append(COOKIE, cookies(given)?);
    }
    Ok(Case {
        method: method(arguments.method.as_deref().unwrap_or_default())?,
        headers,
        url,
        listener: arguments.listener.into(),
        adds_credential: session.is_some(),
        services: if arguments.live {
            Services::Live
        } else {
            Services::Offline(session)
        },
    })
}

/// The value of `Cookie`. No message repeats it.
fn cookies(given: &str) -> Result<HeaderValue, String> {
    let mut read = String::new();
    let text = if given == "-" {
        let mut input = io::stdin().lock().take(MOST_COOKIES);
        input
            .read_to_string(&mut read)
            .map_err(|_| "--cookie -: standard input is not text".to_owned())?;
        read.trim()
    } else {
        given.trim()
    };
    let value = HeaderValue::from_str(text).ok();
    let mut value = value
        .filter(|_| text.split(';').all(|pair| pair.contains('=')))
        .ok_or("--cookie: write `name=value`, or several with `; ` between them, in one line")?;
    value.set_sensitive(true);
    Ok(value)
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
    let host = authority(url)?;
    if host.contains('@') {
        return Err("the URL has credentials in it; write them as a browser sends them: `--header 'Authorization: Basic …'`".to_owned());
    }
    if let Ok(host) = HeaderValue::from_str(host) {
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

/// What a browser sends of the URL in its address bar: what is behind a `#` is its own.
pub(crate) fn sent(url: &str) -> &str {
    url.split_once('#').map_or(url, |(url, _)| url)
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
    files::read(path).map_err(|reason| format!("`{}` cannot be read: {reason}", path.display()))
}
