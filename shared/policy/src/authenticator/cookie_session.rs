//! `cookie_session`.

use serde::{Deserialize, Serialize};

use super::SessionCheck;

/// `cookie_session`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CookieSession {
    /// Where and how to ask.
    pub check: SessionCheck,
    /// Cookie names that make this handler responsible; empty: the session cookies of the policy, in strict mode any cookie.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
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
