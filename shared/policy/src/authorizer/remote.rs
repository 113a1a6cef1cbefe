//! `remote`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::retry::Retry;

/// `remote`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remote {
    /// The service to ask.
    pub endpoint: Endpoint,
    /// Header name and template, in the order of the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, String)>,
    /// Headers of the answer that the upstream gets, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward_response_headers_to_upstream: Vec<String>,
    /// How often and how long it is tried.
    pub retry: Retry,
}
