//! `/.well-known/jwks.json`: the public keys (RFC 7517), the gateway's own and those of the sets that rules sign with.

use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};
use serde_json::Value;

use super::json;
use crate::Gateway;
use crate::decision::Answer;
use crate::jwks::{self, Wanted};
use crate::refusal::Refusal;
use crate::runtime::{Runtime, Unavailable};

pub(super) async fn answer<R: Runtime>(gateway: &Gateway, runtime: &R) -> Result<Answer, Refusal> {
    let policy = gateway.policy();
    let sets = policy.published_sets();
    if sets.is_empty() && !policy.needs_own_keys() {
        let error = Unavailable("no rule mints tokens, so there are no keys".to_owned());
        return Err(if policy.strict {
            jwks::none_found(&error, true)
        } else {
            Refusal::internal(error.to_string())
        });
    }
    let mut keys: Vec<Value> = Vec::new();
    let (mut is_any, mut missing, mut lasts) = (false, None, true);
    for endpoint in sets {
        let found = jwks::load(gateway, runtime, &Wanted::to_sign(endpoint)).await;
        match found.keys {
            Some(set) => {
                is_any = true;
                keys.extend(set.public().into_iter().map(Value::Object));
            }
            None => missing = found.failure.map(|failure| failure.reason),
        }
    }
    if policy.needs_own_keys() {
        let published = gateway
            .published_keys(runtime)
            .await
            .map_err(|error| Refusal::no_keys(&error, policy.strict))?;
        is_any = true;
        lasts = published.lasts;
        let own = published.ring.jwks(runtime.seconds());
        if let Ok(Value::Array(own)) = serde_json::to_value(own.keys()) {
            keys.extend(own);
        }
    }
    if !is_any {
        let error = Unavailable(missing.unwrap_or_default());
        return Err(jwks::none_found(&error, policy.strict));
    }
    // No keys yet, or not all of them, is an answer that must not last.
    let lifetime = if keys.is_empty() || missing.is_some() || !lasts {
        HeaderValue::from_static("no-store")
    } else {
        HeaderValue::try_from(format!("public, max-age={}", gateway.keys_max_age()))
            .map_err(|error| Refusal::internal(error.to_string()))?
    };
    Ok(json(
        policy,
        serde_json::json!({ "keys": keys }).to_string(),
        [
            (CACHE_CONTROL, lifetime),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ],
    ))
}
