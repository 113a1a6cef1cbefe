//! `hydrator`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::retry::Retry;

/// `hydrator`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hydrator {
    /// `api.url`.
    pub endpoint: Endpoint,
    /// `api.auth.basic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic: Option<BasicAuth>,
    /// `api.retry`.
    pub retry: Retry,
    /// How long an answer counts, in milliseconds; `None`: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_ttl: Option<u64>,
}

/// A user and password (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BasicAuth {
    /// `username`.
    pub username: String,
    /// `password`. Never log it.
    pub password: String,
}
