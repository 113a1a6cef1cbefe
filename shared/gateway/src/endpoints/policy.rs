//! `/.edge/policy`: which policy is in force, and another one in its place, without a deploy.
//!
//! Only for the operator ([`crate::operator`]), who signs each request: `Authorization: Bearer <statement>`. Who cannot, learns
//! nothing, not even which methods there are.

use std::rc::Rc;

use http::HeaderValue;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE};
use serde_json::Value;

use super::{no_store, refused};
use crate::Gateway;
use crate::body::Body;
use crate::decision::Answer;
use crate::deployment::Deployment;
use crate::deployment::change::{self, Named};
use crate::operator::{self, Purpose, Verified};
use crate::policies::{Current, LARGEST, Version, is_short};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;

const PATH: &str = "/.edge/policy";

/// How the deployed policy is called in a path.
const DEPLOYED: &str = "deployed";

/// What is left of a path behind `/.edge/policy`; `None` for a path that does not begin with it.
pub(super) fn rest_of(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(PATH)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

/// Errors are told in the same form in both modes: Oathkeeper has no such endpoint.
pub(super) async fn answer<R: Runtime, B: RequestBody>(
    deployment: &Rc<Deployment>,
    runtime: &R,
    request: &Request,
    rest: &str,
    body: &Body<B>,
    trace: &mut Trace,
) -> Answer {
    let mut answer = match act(deployment, runtime, request, rest, body).await {
        Ok((document, reason)) => {
            trace.reason = Some(reason.to_owned());
            Answer {
                status: 200,
                headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                body: document,
            }
        }
        Err(refusal) => refused(request, refusal, trace),
    };
    answer.headers.push(no_store());
    answer
}

/// The answer, and what the log says of it.
async fn act<R: Runtime, B: RequestBody>(
    deployment: &Rc<Deployment>,
    runtime: &R,
    request: &Request,
    rest: &str,
    body: &Body<B>,
) -> Result<(String, &'static str), Refusal> {
    let statement = must_be_operator(deployment.deployed(), runtime, request).await?;
    let method = request.method.as_str();
    let named = match rest.strip_prefix('/') {
        None => None,
        Some(DEPLOYED) => Some(Named::Deployed),
        Some(short) if is_short(short) => Some(Named::Version(short)),
        Some(_) => {
            return Err(Refusal::new(
                404,
                "a policy is named by 16 hexadecimal digits, or `deployed`",
            ));
        }
    };
    let sent;
    let stored;
    let document = match (method, named) {
        ("GET" | "HEAD", None) => {
            change::look(deployment, runtime).await;
            return Ok((told(deployment), "the policy in force"));
        }
        ("PUT", None) => {
            following(&statement)?;
            sent = body.at_most(LARGEST).await?;
            statement.must_be_of(&sent)?;
            let document = std::str::from_utf8(&sent);
            Some(document.map_err(|_| Refusal::new(422, "the policy document is not UTF-8"))?)
        }
        ("POST", Some(Named::Deployed)) => {
            statement.must_be_of(b"")?;
            None
        }
        ("GET" | "HEAD" | "POST", Some(named)) => {
            if method == "POST" {
                statement.must_be_of(b"")?;
            }
            stored = change::document(deployment, runtime, named).await?;
            if method != "POST" {
                return Ok((stored, "a policy document"));
            }
            // It is written again: the deployed one may not be there, and the next deploy brings another.
            Some(&*stored)
        }
        (_, None) => return Err(other_method("GET, HEAD, PUT")),
        (_, Some(_)) => return Err(other_method("GET, HEAD, POST")),
    };
    let number = following(&statement)?;
    let current = change::put(deployment, runtime, document, number).await?;
    Ok((changed(deployment, &current), "a policy was put in force"))
}

/// # Errors
/// 401 unless the operator has signed this request.
async fn must_be_operator<R: Runtime>(
    deployed: &Gateway,
    runtime: &R,
    request: &Request,
) -> Result<Verified, Refusal> {
    let mut sent = request.headers.get_all(AUTHORIZATION).iter();
    let statement = match (sent.next(), sent.next()) {
        (Some(value), None) => value.to_str().ok().and_then(|value| {
            let (scheme, statement) = value.split_once(' ')?;
            scheme
                .eq_ignore_ascii_case("bearer")
                .then(|| statement.trim())
        }),
        _ => None,
    };
    let url = format!(
        "{}://{}{}",
        request.scheme.as_str(),
        request.authority(),
        request.path.encoded()
    );
    operator::verify(
        deployed.policy(),
        runtime,
        Purpose::Policy,
        (&request.method, &url),
        statement.unwrap_or_default(),
    )
    .await
}

/// # Errors
/// 400 for a statement that could be sent again later.
fn following(statement: &Verified) -> Result<u64, Refusal> {
    statement.number.ok_or_else(|| {
        Refusal::new(
            400,
            "the statement must say which change of the policy it follows (`number`, as GET tells it)",
        )
    })
}

fn other_method(allowed: &'static str) -> Refusal {
    Refusal::new(405, "Method Not Allowed").with_header(ALLOW, allowed)
}

/// Versions need not be escaped in JSON.
fn told(deployment: &Deployment) -> String {
    let current = deployment.changes();
    let source = match current.in_force.version {
        Some(_) => "pushed",
        None => DEPLOYED,
    };
    let problem = deployment.problem().map_or_else(String::new, |problem| {
        format!(r#","problem":{}"#, Value::from(problem))
    });
    format!(
        r#"{{"version":"{}","number":{},"source":"{source}","at":{},"deployed":"{}","history":{}{problem}}}"#,
        version(&deployment.gateway()),
        current.in_force.number,
        current.in_force.at,
        version(deployment.deployed()),
        current.history_json(),
    )
}

fn changed(deployment: &Deployment, current: &Current) -> String {
    let version = match &current.in_force.version {
        Some(version) => version.short(),
        None => version(deployment.deployed()),
    };
    format!(
        r#"{{"version":"{version}","number":{}}}"#,
        current.in_force.number
    )
}

fn version(gateway: &Gateway) -> &str {
    gateway.version().map_or("", Version::short)
}
