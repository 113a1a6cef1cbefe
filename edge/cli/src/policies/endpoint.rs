//! `/.edge/policy` of a running gateway.

use std::env;
use std::time::Duration;

use edgekeeper_gateway::operator::{Purpose, Statement};
use edgekeeper_gateway::policies::LARGEST;
use edgekeeper_policy::compile::printable;
use edgekeeper_policy::document::Policy;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::failure::Failure;
use super::state::{Named, State};
use crate::client::{self, Question, Reply};
use crate::time;

/// The environment variable with the operator's secret.
pub(crate) const SECRET: &str = "OPERATOR_SECRET";

/// How long the gateway has: it writes a document of megabytes into its store.
const PATIENCE: Duration = Duration::from_secs(30);

/// How much of an error of the gateway's is shown.
const LONGEST_MESSAGE: usize = 500;

pub(super) struct Endpoint {
    origin: String,
    secret: Zeroizing<String>,
}

impl Endpoint {
    /// # Errors
    /// Where the URL is not an origin that a signed statement may go to, or the secret is not there.
    pub(super) fn new(url: &str) -> Result<Self, Failure> {
        let origin = origin(url, "--to").map_err(Failure::Arguments)?;
        let secret = secret().map_err(Failure::Arguments)?;
        Ok(Self { origin, secret })
    }

    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    pub(super) fn look(&self) -> Result<State, String> {
        let body = self.ask("GET", "", b"", None)?;
        state(body.as_bytes()).ok_or_else(|| {
            format!("error: {} answers something else than which policy is in force\n  help: is it a gateway of Edgekeeper's, of this version?", self.origin)
        })
    }

    pub(super) fn document(&self, named: &Named) -> Result<String, String> {
        self.ask("GET", &path(named), b"", None)
    }

    pub(super) fn put(&self, number: u64, document: &str) -> Result<(), String> {
        self.ask("PUT", "", document.as_bytes(), Some(number))
            .map(drop)
    }

    pub(super) fn back_to(&self, number: u64, named: &Named) -> Result<(), String> {
        self.ask("POST", &path(named), b"", Some(number)).map(drop)
    }

    /// How often instances look (`policy.refresh` of the deployed policy); `None` where that cannot be told.
    pub(super) fn refresh(&self) -> Option<Option<u64>> {
        let document = self.document(&Named::Deployed).ok()?;
        let policy = Policy::from_json(&document).ok()?;
        Some(policy.policies.refresh)
    }

    fn ask(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        follows: Option<u64>,
    ) -> Result<String, String> {
        let url = format!("{}/.edge/policy{path}", self.origin);
        let statement = Statement::new(Purpose::Policy, method, &url).with_body(body);
        let statement = match follows {
            Some(number) => statement.following(number),
            None => statement,
        };
        let signed = signed(&statement, &self.secret)?;
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_str(&format!("Bearer {signed}")) {
            headers.insert(AUTHORIZATION, value);
        }
        if !body.is_empty() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let question = Question {
            method,
            url: &url,
            headers,
            is_of_another: false,
            body,
            patience: PATIENCE,
            largest: LARGEST,
        };
        let reply = client::ask(&question)
            .map_err(|error| format!("error: {} cannot be asked: {}", self.origin, error.reason))?;
        self.read(reply)
    }

    fn read(&self, reply: Reply) -> Result<String, String> {
        let Self { origin, .. } = self;
        let status = reply.status;
        let body = reply
            .body
            .ok_or_else(|| format!("error: {origin} answers with more than 8 MiB"))?;
        let body = String::from_utf8(body)
            .map_err(|_| format!("error: {origin} answers with something that is not text"))?;
        if status == 200 {
            return Ok(body);
        }
        let told = message(&body)
            .map(|told| format!(": {told}"))
            .unwrap_or_default();
        Err(match status {
            401 => format!(
                "error: {origin} does not know you for its operator{told}\n  help: {SECRET} must be the secret that `operator.secret` of its edge.yml names, and the clocks of both machines right"
            ),
            404 => format!(
                "error: {origin} has no `/.edge/policy`, or not this policy: 404{told}\n  help: its edge.yml needs `operator.secret`, deployed once, and the gateway has to serve this host (`hosts`); `edgekeeper versions` lists the policies that are there"
            ),
            409 => format!(
                "error: somebody else changed the policy meanwhile{told}\n  help: look at the difference anew"
            ),
            413 | 422 => format!("error: {origin} does not take the policy{told}"),
            503 => format!("error: {origin} cannot use its store now{told}"),
            300..=399 => format!(
                "error: {origin} answers {status}, a redirect\n  help: name the origin where the gateway itself answers"
            ),
            _ => format!("error: {origin} answers {status}{told}"),
        })
    }
}

/// The origin of a URL that a statement may be sent to.
///
/// # Errors
/// Says what to write.
pub(crate) fn origin(text: &str, argument: &str) -> Result<String, String> {
    let example = format!("{argument} https://app.example.com");
    let url = Url::parse(text).map_err(|error| {
        format!(
            "error: `{}` is no URL: {error}\n  help: write an origin: `{example}`",
            printable(text)
        )
    })?;
    let is_origin = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    if !["http", "https"].contains(&url.scheme()) || !url.has_host() || !is_origin {
        return Err(format!(
            "error: `{}` is not the origin of a gateway\n  help: write scheme, host and perhaps port: `{example}`",
            printable(&without_credentials(&url))
        ));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!(
            "error: the URL has a user name or a password in it\n  help: write `{example}`"
        ));
    }
    if !client::is_confidential(&url) {
        return Err(format!(
            "error: `{text}` is plain http: whoever sees the request could send it again\n  help: write https; plain http is for this machine (localhost, 127.0.0.1) alone"
        ));
    }
    Ok(url.origin().ascii_serialization())
}

fn without_credentials(url: &Url) -> String {
    let mut url = url.clone();
    // A URL that can have neither has neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.to_string()
}

/// The operator's secret.
///
/// # Errors
/// Says where it has to be.
pub(crate) fn secret() -> Result<Zeroizing<String>, String> {
    env::var(SECRET).map(Zeroizing::new).map_err(|_| {
        format!(
            "error: {SECRET} is not set\n  help: it is the secret that `operator.secret` of edge.yml names; `openssl rand -base64 32` makes one"
        )
    })
}

/// # Errors
/// For a secret that is too short.
pub(crate) fn signed(statement: &Statement<'_>, secret: &str) -> Result<String, String> {
    let signed = statement.sign(secret.as_bytes(), time::now()?);
    signed.ok_or_else(|| {
        format!(
            "error: {SECRET} has {} bytes, too few: it must have 32 at least\n  help: `openssl rand -base64 32` makes one",
            secret.len()
        )
    })
}

fn state(body: &[u8]) -> Option<State> {
    let told: Value = serde_json::from_slice(body).ok()?;
    State::read(&told)
}

/// Whether a gateway answered that knows its operator. Where there is none, an upstream may answer whatever it is asked.
pub(crate) fn is_of_gateway(body: &[u8]) -> bool {
    state(body).is_some()
}

fn path(named: &Named) -> String {
    match named {
        Named::Deployed => "/deployed".to_owned(),
        Named::Version(version) => format!("/{version}"),
    }
}

/// What an error of the gateway's says.
pub(crate) fn message(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let message = body.get("error")?.get("message")?.as_str()?;
    Some(printable(
        &message.chars().take(LONGEST_MESSAGE).collect::<String>(),
    ))
}
