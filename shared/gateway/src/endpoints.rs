//! The gateway's own endpoints: its public keys and its health.

use edgekeeper_policy::document::Policy;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue};

use crate::Gateway;
use crate::decision::Answer;
use crate::refusal::Refusal;
use crate::request::{Listener, Request};
use crate::runtime::Runtime;

/// Where verifiers find the public keys (RFC 7517; the path is Oathkeeper's).
const JWKS: &str = "/.well-known/jwks.json";

/// The endpoint that a request is for, if it is for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// The public keys.
    Jwks,
    /// The process runs.
    Alive,
    /// There are rules to decide by.
    Ready,
    /// On the API, but nothing.
    Unknown,
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
pub(crate) fn endpoint(
    gateway: &Gateway,
    listener: Listener,
    request: &Request,
) -> Option<Endpoint> {
    let policy = gateway.policy();
    let path = request.path.decoded();
    if !is_api(policy, listener, request) {
        return (path == JWKS && !policy.strict && policy.mints_tokens()).then_some(Endpoint::Jwks);
    }
    Some(match path {
        JWKS => Endpoint::Jwks,
        "/health/alive" => Endpoint::Alive,
        "/health/ready" => Endpoint::Ready,
        _ => Endpoint::Unknown,
    })
}

/// Answers for an endpoint.
pub(crate) async fn answer<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    endpoint: Endpoint,
    request: &Request,
) -> Result<Answer, Refusal> {
    if endpoint == Endpoint::Unknown {
        return Err(Refusal::new(
            404,
            "The requested resource could not be found",
        ));
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Err(Refusal::new(405, "Method Not Allowed").with_header(ALLOW, "GET, HEAD"));
    }
    match endpoint {
        Endpoint::Jwks => jwks(gateway, runtime).await,
        Endpoint::Ready if gateway.policy().rules.is_empty() => {
            Err(Refusal::new(503, "No rule is loaded").logged("the policy has no rules"))
        }
        _ => Ok(json(200, r#"{"status":"ok"}"#.to_owned(), Vec::new())),
    }
}

async fn jwks<R: Runtime>(gateway: &Gateway, runtime: &R) -> Result<Answer, Refusal> {
    if !gateway.policy().mints_tokens() {
        return Err(Refusal::internal(
            "no rule mints tokens, so there are no keys",
        ));
    }
    let ring = gateway
        .public_ring(runtime)
        .await
        .map_err(|error| Refusal::no_keys(&error, gateway.policy().strict))?;
    let now = runtime.seconds();
    let keys = ring.jwks(now);
    // No keys yet is an answer that must not last.
    let lifetime = if keys.keys().is_empty() {
        "no-store"
    } else {
        "public, max-age=300"
    };
    Ok(json(
        200,
        keys.to_json(),
        vec![
            (CACHE_CONTROL, HeaderValue::from_static(lifetime)),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ],
    ))
}

fn json(status: u16, body: String, more: Vec<(HeaderName, HeaderValue)>) -> Answer {
    let mut headers = vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    headers.extend(more);
    Answer {
        status,
        headers,
        body,
    }
}
