//! `oauth2_introspection`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ScopeStrategy, TokenFrom};
use crate::endpoint::Endpoint;

/// `oauth2_introspection`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OAuth2Introspection {
    /// `introspection_url`.
    pub endpoint: Endpoint,
    /// A token of the gateway's own that the endpoint asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_authorization: Option<PreAuthorization>,
    /// Scopes a token must have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub required_scope: Vec<String>,
    /// Audiences, all of which a token must name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_audience: Vec<String>,
    /// Issuers, one of which a token must come from; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trusted_issuers: Vec<String>,
    /// How `required_scope` is compared; `none` leaves it to the endpoint.
    #[serde(default)]
    pub scope_strategy: ScopeStrategy,
    /// Where in a request the token is.
    #[serde(default)]
    pub token_from: TokenFrom,
    /// How a token begins that this handler is responsible for; empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Tells the endpoint the client's host in `X-Forwarded-Host`.
    #[serde(default)]
    pub preserve_host: bool,
    /// Headers to set on the question (`introspection_request_headers`), lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// How long an answer counts, in milliseconds; `None`: not at all, 0: as long as the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_ttl: Option<u64>,
}

/// Client credentials with which the gateway gets a token of its own (RFC 6749 section 4.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreAuthorization {
    /// `token_url`.
    pub endpoint: Endpoint,
    /// `client_id`.
    pub client_id: String,
    /// `client_secret`. Never log it.
    pub client_secret: String,
    /// `audience` to ask for; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub audience: String,
    /// Scopes to ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scope: Vec<String>,
}
