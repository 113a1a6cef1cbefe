//! `oauth2_client_credentials`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `oauth2_client_credentials`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2ClientCredentials {
    /// `token_url`.
    pub endpoint: Endpoint,
    /// Scopes to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_scope: Vec<String>,
    /// How long a success counts, in milliseconds, and never longer than the token that was issued; `None`: not at all,
    /// 0: as long as that token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_ttl: Option<u64>,
}
