//! Authenticators of a rule, configured.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::path::GjsonPath;

/// Who is asking? One entry of a rule's `authenticators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "handler", rename_all = "snake_case")]
pub enum Authenticator {
    /// Lets everybody through with an empty subject.
    Noop,
    /// Lets nobody through.
    Unauthorized,
    /// Lets a request without `Authorization` through under a fixed subject.
    Anonymous(Anonymous),
    /// Asks Kratos' whoami.
    CookieSession(Box<CookieSession>),
}

/// `anonymous`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anonymous {
    /// The subject of a guest; never empty.
    pub subject: String,
}

/// `cookie_session`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieSession {
    /// The URL to ask, after `upstreams` of `edge.yml` was applied.
    pub check_session_url: String,
    /// A runtime binding that takes the check instead of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
    /// Cookie names that make this handler responsible; empty: the session cookies of the policy, in strict mode any cookie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// Keeps the path of `check_session_url`; otherwise the request's path replaces it, as in Oathkeeper.
    #[serde(default)]
    pub preserve_path: bool,
    /// Keeps the query of `check_session_url`; otherwise the request's query replaces it.
    #[serde(default)]
    pub preserve_query: bool,
    /// Tells the check the client's host in `X-Forwarded-Host`.
    #[serde(default)]
    pub preserve_host: bool,
    /// The method to ask with. Empty: the request's own.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub force_method: String,
    /// Request headers to send along, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward_http_headers: Vec<String>,
    /// Headers to set on the check, lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub additional_headers: BTreeMap<String, String>,
    /// Where in the answer `Extra` is.
    pub extra_from: GjsonPath,
    /// Where in the answer the subject is.
    pub subject_from: GjsonPath,
    /// Which `Authorization: Bearer` values are taken for a session token.
    #[serde(default)]
    pub bearer: Bearer,
}

/// Which bearer tokens `cookie_session` gives to Kratos (default mode only).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// Those with the prefix of a Kratos session token; others belong to a later authenticator of the rule.
    #[default]
    SessionToken,
    /// Any: no later authenticator of the rule could take it.
    Any,
}
