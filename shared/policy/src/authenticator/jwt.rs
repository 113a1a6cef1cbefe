//! `jwt`.

use serde::{Deserialize, Serialize};

use super::{ScopeStrategy, TokenFrom};
use crate::endpoint::Endpoint;

/// The algorithms a token can be signed with (RFC 7518 section 3.1, RFC 8037). `none` is not among them.
pub const ALGORITHMS: [&str; 13] = [
    "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256",
    "ES384", "ES512", "EdDSA",
];

/// `jwt`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Jwt {
    /// `jwks_urls`: where the keys are published that may have signed a token; a `file` was imported into the store.
    pub jwks: Vec<Endpoint>,
    /// How long, in milliseconds, keys count before they are fetched again (`jwks_ttl`).
    pub jwks_ttl: u64,
    /// How long, in milliseconds, a request waits for keys (`jwks_max_wait`); older ones are used after that.
    pub jwks_max_wait: u64,
    /// Names of algorithms a token may be signed with (RFC 7518 section 3.1).
    pub allowed_algorithms: Vec<String>,
    /// Scopes a token must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_scope: Vec<String>,
    /// Audiences, all of which a token must name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_audience: Vec<String>,
    /// Issuers, one of which a token must come from; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_issuers: Vec<String>,
    /// How `required_scope` is compared.
    #[serde(default)]
    pub scope_strategy: ScopeStrategy,
    /// Where in a request the token is.
    #[serde(default)]
    pub token_from: TokenFrom,
}
