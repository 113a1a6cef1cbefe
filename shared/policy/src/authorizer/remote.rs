//! `remote`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `remote`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The service to ask.
    pub endpoint: Endpoint,
    /// Header name (lower case) and template, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Headers of the answer that the upstream gets, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward_response_headers_to_upstream: Vec<String>,
    /// How often and how long it is tried.
    pub retry: Retry,
}

/// `retry`, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// The longest time between two tries.
    pub max_delay: u64,
    /// The time after which no further try is made.
    pub give_up_after: u64,
}

impl Default for Retry {
    /// Oathkeeper's schema: 100 ms and 1 s.
    fn default() -> Self {
        Self {
            max_delay: 100,
            give_up_after: 1_000,
        }
    }
}
