//! The gateway's own endpoints, Oathkeeper's API: decisions, rules, public keys, health; one file each.

mod decisions;
mod health;
mod jwks;
mod policy;
mod revoke;
mod rules;
mod trust;
mod unknown;

use std::rc::Rc;

use edgekeeper_policy::document::Policy;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use crate::Gateway;
use crate::body::Body;
use crate::decision::Answer;
use crate::deployment::Deployment;
use crate::errors;
use crate::explanation::Step;
use crate::refusal::Refusal;
use crate::request::{Listener, RawRequest, Request};
use crate::runtime::{RequestBody, Runtime};
use crate::trace::Trace;
use crate::upstream;

use self::trust::Asker;

/// Where verifiers find the public keys (RFC 7517; the path is Oathkeeper's).
const JWKS: &str = "/.well-known/jwks.json";

const RULES: &str = "/rules";
const ALIVE: &str = "/health/alive";
const READY: &str = "/health/ready";

/// The endpoint that a request is for, if it is for one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// Whether a request may pass; what is left of the path belongs to that request.
    Decisions(String),
    /// The rules.
    Rules,
    /// One rule, by its id.
    Rule(String),
    /// The public keys.
    Jwks,
    /// The process runs.
    Alive,
    /// There are rules to decide by.
    Ready,
    /// Where revocations are sent, which is an endpoint on the API and on every host that is served.
    Revoke,
    /// Where the operator sees and changes the policy, on the API and on every host that is served; what is left of the path.
    Policy(String),
    /// On the API, but nothing. In strict mode with its path, as it was sent but decoded.
    Unknown(String),
}

/// The path of a request as it was sent, where the API may be what it asks.
pub(crate) fn path_as_sent(policy: &Policy, raw: &RawRequest) -> Option<String> {
    let may_be_asked = raw.listener == Listener::Api || !policy.api_hosts.is_empty();
    may_be_asked.then(|| upstream::split(&raw.url).1.to_owned())
}

/// Whether a request is for the API: by its listener, or by its host where a runtime has only one.
pub(crate) fn is_api(policy: &Policy, listener: Listener, request: &Request) -> bool {
    listener == Listener::Api
        || policy
            .api_hosts
            .iter()
            .any(|host| host.matches(&request.host, request.port))
}

/// Which endpoint answers. On the API's listener and hosts everything is an endpoint; elsewhere only the keys, where
/// rules mint tokens, and not in strict mode, where Oathkeeper's proxy has none.
pub(crate) fn endpoint(gateway: &Gateway, place: Place<'_>, request: &Request) -> Option<Endpoint> {
    let policy = gateway.policy();
    let path = request.path.decoded();
    let is_api = is_api(policy, place.listener, request);
    if let Some(deployment) = place.deployment
        && let Some(rest) = policy::rest_of(path)
        && deployment.has_operator()
        // Also where the deployed policy has it: one that was pushed may serve the wrong hosts.
        && [gateway, deployment.deployed()].into_iter().any(|known| {
            self::is_api(known.policy(), place.listener, request)
                || known.must_serve(request).is_ok()
        })
    {
        return Some(Endpoint::Policy(rest.to_owned()));
    }
    if path == revoke::PATH
        && policy.session.revocation_secret.is_some()
        && (is_api || gateway.must_serve(request).is_ok())
    {
        return Some(Endpoint::Revoke);
    }
    if !is_api {
        return (path == JWKS && !policy.strict && policy.mints_tokens()).then_some(Endpoint::Jwks);
    }
    let as_sent = place.as_sent.unwrap_or_default();
    if let Some(rest) = decisions::rest_of(as_sent, policy.strict) {
        return Some(Endpoint::Decisions(rest.to_owned()));
    }
    if !policy.strict {
        return Some(route(path).unwrap_or_else(|| Endpoint::Unknown(String::new())));
    }
    // Oathkeeper's router looks at the path as it is, not cleaned.
    let path = crate::path::decode(as_sent).unwrap_or_else(|_| path.to_owned());
    Some(route(&path).unwrap_or(Endpoint::Unknown(path)))
}

fn route(path: &str) -> Option<Endpoint> {
    match path {
        JWKS => Some(Endpoint::Jwks),
        RULES => Some(Endpoint::Rules),
        ALIVE => Some(Endpoint::Alive),
        READY => Some(Endpoint::Ready),
        path => path
            .strip_prefix("/rules/")
            .filter(|id| !id.is_empty() && !id.contains('/'))
            .map(|id| Endpoint::Rule(id.to_owned())),
    }
}

impl Endpoint {
    /// What an explanation says of it.
    pub(crate) fn step(&self) -> Step {
        Step::own(match self {
            Self::Decisions(_) => {
                "the endpoint /decisions: the request that is meant is judged, not sent on"
            }
            Self::Jwks => "the endpoint /.well-known/jwks.json",
            Self::Rules | Self::Rule(_) => "the endpoint /rules",
            Self::Alive => "the endpoint /health/alive",
            Self::Ready => "the endpoint /health/ready",
            Self::Policy(_) => "the endpoint for the policy in force",
            Self::Revoke => "the endpoint that revokes sessions",
            Self::Unknown(_) => "the API, which has no such endpoint",
        })
    }
}

/// Where a request came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The deployment, where other policies may follow.
    pub(crate) deployment: Option<&'a Rc<Deployment>>,
    pub(crate) listener: Listener,
    /// See [`path_as_sent`].
    pub(crate) as_sent: Option<&'a str>,
}

/// Who asks the API, and what.
pub(crate) struct Question<'a, B> {
    pub(crate) endpoint: Endpoint,
    pub(crate) place: Place<'a>,
    pub(crate) request: &'a Request,
    pub(crate) body: &'a Body<B>,
}

/// Answers for an endpoint.
pub(crate) async fn answer<R: Runtime, B: RequestBody>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: Question<'_, B>,
    trace: &mut Trace,
) -> Result<Answer, Refusal> {
    let Question {
        endpoint,
        place,
        request,
        body,
    } = question;
    let policy = gateway.policy();
    let asker = async || Asker::of(policy, runtime, place.listener, request).await;
    let is_withheld = place.deployment.is_some_and(|own| own.is_withheld());
    if is_withheld && !matches!(endpoint, Endpoint::Alive | Endpoint::Policy(_)) {
        return Err(Deployment::refusal());
    }
    match &endpoint {
        Endpoint::Decisions(rest) => {
            let asker = asker().await?;
            return decisions::answer(gateway, runtime, request, rest, &asker, body, trace).await;
        }
        Endpoint::Policy(rest) => {
            return match place.deployment {
                Some(own) => Ok(policy::answer(own, runtime, request, rest, body, trace).await),
                None => Err(Refusal::not_found()),
            };
        }
        Endpoint::Revoke => return Ok(revoke::answer(gateway, runtime, request, body, trace).await),
        Endpoint::Unknown(path) => return unknown::answer(policy, request, path),
        _ => {}
    }
    if let Some(answer) = other_method(policy, request)? {
        return Ok(answer);
    }
    match endpoint {
        Endpoint::Jwks => jwks::answer(gateway, runtime).await,
        Endpoint::Ready => health::ready(gateway, request),
        Endpoint::Rules => {
            asker().await?.must_be_let_in()?;
            rules::list(policy, request)
        }
        Endpoint::Rule(id) => {
            asker().await?.must_be_let_in()?;
            rules::one(policy, &id, request)
        }
        _ => Ok(health::alive(gateway)),
    }
}

/// What becomes of a method that an endpoint does not have. Oathkeeper's router knows `GET` alone.
fn other_method(policy: &Policy, request: &Request) -> Result<Option<Answer>, Refusal> {
    match request.method.as_str() {
        "GET" => Ok(None),
        "HEAD" if !policy.strict => Ok(None),
        _ if !policy.strict => {
            Err(Refusal::new(405, "Method Not Allowed").with_header(ALLOW, "GET, HEAD"))
        }
        method => {
            let allow = (ALLOW, HeaderValue::from_static("GET, OPTIONS"));
            Ok(Some(if method == "OPTIONS" {
                Answer {
                    status: 200,
                    headers: vec![allow],
                    body: String::new(),
                }
            } else {
                Answer {
                    status: 405,
                    headers: vec![
                        allow,
                        (
                            CONTENT_TYPE,
                            HeaderValue::from_static("text/plain; charset=utf-8"),
                        ),
                        (
                            http::header::X_CONTENT_TYPE_OPTIONS,
                            HeaderValue::from_static("nosniff"),
                        ),
                    ],
                    body: "Method Not Allowed\n".to_owned(),
                }
            }))
        }
    }
}

/// A document, and whether anybody may keep it.
fn json(
    policy: &Policy,
    mut body: String,
    more: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
) -> Answer {
    if policy.strict {
        // As Go's encoder writes it.
        body.push('\n');
        return Answer {
            status: 200,
            headers: vec![(
                CONTENT_TYPE,
                HeaderValue::from_static("application/json; charset=utf-8"),
            )],
            body,
        };
    }
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    headers.extend(more);
    Answer {
        status: 200,
        headers,
        body,
    }
}

/// What an endpoint that Oathkeeper does not have says to who may not: the same in both modes.
fn refused(request: &Request, refusal: Refusal, trace: &mut Trace) -> Answer {
    let request_id = request.header(&errors::X_REQUEST_ID);
    let mut answer = errors::json_answer(refusal.status, &refusal.message, None, request_id);
    answer.headers.extend(refusal.headers);
    trace.reason = Some(refusal.log.unwrap_or(refusal.message));
    answer
}

/// What one asker is told is not for others.
fn no_store() -> (HeaderName, HeaderValue) {
    (CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
