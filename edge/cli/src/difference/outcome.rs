//! What a policy makes of a request, in the parts in which it may differ from another's.

use std::collections::BTreeMap;

use edgekeeper_gateway::decision::{Decision, apply};
use edgekeeper_gateway::explanation::{Step, Token};
use http::header::{AUTHORIZATION, HOST, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use serde_json::{Map, Value, json};

use crate::explain::case::Decided;

/// Claims that differ with each token.
const FLEETING: [&str; 4] = ["iat", "exp", "nbf", "jti"];

/// What stands for the time that a token counts, in seconds.
const LIFETIME: &str = "exp - iat";

/// What became of a request under one policy. Values of headers are compared and never shown.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    /// The rule's id.
    pub(super) rule: Option<String>,
    pub(super) end: End,
}

#[derive(Debug, PartialEq)]
pub(super) enum End {
    Forward {
        url: String,
        binding: Option<String>,
        headers: Headers,
        /// Claims of the token that a mutator made.
        claims: Map<String, Value>,
    },
    Answer {
        status: u16,
        headers: Headers,
        location: Option<String>,
    },
}

/// All values of each name.
pub(super) type Headers = BTreeMap<String, Vec<Vec<u8>>>;

impl Outcome {
    pub(super) fn of(decided: &Decided) -> Self {
        let steps = &decided.explanation.steps;
        let rule = steps.iter().find_map(|step| match step {
            Step::Rule { id, .. } => Some(id.clone()),
            _ => None,
        });
        let token = steps.iter().rev().find_map(|step| match step {
            Step::Mutator { token, .. } => token.as_ref(),
            _ => None,
        });
        let end = match &decided.decision {
            Decision::Forward(forward) => {
                let mut headers = decided.headers.clone();
                apply(&mut headers, &forward.edits);
                // Without one the upstream's own is sent, which the URL has.
                headers.remove(HOST);
                if let Some(host) = forward.host.as_deref()
                    && let Ok(host) = HeaderValue::from_str(host)
                {
                    headers.insert(HOST, host);
                }
                if token.is_some() {
                    headers.insert(AUTHORIZATION, HeaderValue::from_static("a minted token"));
                }
                End::Forward {
                    url: forward.url.clone(),
                    binding: forward.binding.clone(),
                    headers: sorted(&headers),
                    claims: token.map(lasting).unwrap_or_default(),
                }
            }
            Decision::Answer(answer) => {
                let mut headers = HeaderMap::new();
                for (name, value) in &answer.headers {
                    let value = if name == SET_COOKIE {
                        cookie_name(value)
                    } else if token.is_some() && name == AUTHORIZATION {
                        HeaderValue::from_static("a minted token")
                    } else {
                        value.clone()
                    };
                    headers.append(name, value);
                }
                let location = headers.remove(LOCATION);
                let location = location.as_ref().and_then(|value| value.to_str().ok());
                End::Answer {
                    status: answer.status,
                    headers: sorted(&headers),
                    location: location.map(str::to_owned),
                }
            }
        };
        Self { rule, end }
    }

    /// Whether the request goes on, or is answered as if it did: a decision for another proxy, a preflight.
    pub(super) fn is_allowed(&self) -> bool {
        match &self.end {
            End::Forward { .. } => true,
            End::Answer { status, .. } => *status < 300,
        }
    }

    /// Where it ends, in a word; a query may have a credential in it.
    pub(super) fn shown(&self) -> String {
        match &self.end {
            End::Forward { url, binding, .. } => {
                let binding = binding
                    .as_ref()
                    .map(|name| format!(" by the binding {name}"));
                format!("{}{}", without_query(url), binding.unwrap_or_default())
            }
            End::Answer {
                status,
                location: Some(location),
                ..
            } => format!("{status} to {}", without_query(location)),
            End::Answer { status, .. } => status.to_string(),
        }
    }

    /// The same without what differs between requests that are treated alike.
    pub(super) fn kind(&self) -> String {
        match &self.end {
            End::Forward { url, binding, .. } => {
                let origin = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
                format!("{origin} {}", binding.as_deref().unwrap_or_default())
            }
            End::Answer { .. } => self.shown(),
        }
    }
}

fn sorted(headers: &HeaderMap) -> Headers {
    let mut sorted = Headers::new();
    for (name, value) in headers {
        let values = sorted.entry(name.as_str().to_owned()).or_default();
        values.push(value.as_bytes().to_vec());
    }
    sorted
}

/// The claims that two tokens of one rule share, its algorithm, and for how long it counts.
fn lasting(token: &Token) -> Map<String, Value> {
    let mut claims = token.claims.as_object().cloned().unwrap_or_default();
    let seconds = |name: &str| claims.get(name).and_then(Value::as_u64);
    if let (Some(from), Some(until)) = (seconds("iat"), seconds("exp")) {
        claims.insert(LIFETIME.to_owned(), json!(until.saturating_sub(from)));
    }
    claims.retain(|name, _| !FLEETING.contains(&name.as_str()));
    if let Some(algorithm) = token.header.get("alg") {
        claims.insert("alg".to_owned(), algorithm.clone());
    }
    claims
}

/// A cookie that the gateway makes is sealed, and differs each time.
fn cookie_name(value: &HeaderValue) -> HeaderValue {
    let name = value.as_bytes().split(|byte| *byte == b'=').next();
    HeaderValue::from_bytes(name.unwrap_or_default()).unwrap_or_else(|_| value.clone())
}

pub(super) fn without_query(url: &str) -> &str {
    url.split_once('?').map_or(url, |(url, _)| url)
}
