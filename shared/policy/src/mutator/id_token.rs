//! `id_token`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `id_token`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// `jwks_url`, where its keys sign instead of the gateway's own; see [`crate::keys::Source`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<Endpoint>,
    /// The `iss` claim (RFC 7519 section 4.1.1).
    pub issuer_url: String,
    /// Template of a JSON object with further claims; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub claims: String,
    /// Life of a token in seconds.
    pub ttl: u64,
}
