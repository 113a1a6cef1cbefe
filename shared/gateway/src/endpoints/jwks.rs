//! `/.well-known/jwks.json`: the public keys (RFC 7517).

use http::HeaderValue;
use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL};

use super::json;
use crate::Gateway;
use crate::decision::Answer;
use crate::refusal::Refusal;
use crate::runtime::Runtime;

pub(super) async fn answer<R: Runtime>(gateway: &Gateway, runtime: &R) -> Result<Answer, Refusal> {
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
        gateway.policy(),
        keys.to_json(),
        [
            (CACHE_CONTROL, HeaderValue::from_static(lifetime)),
            (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        ],
    ))
}
