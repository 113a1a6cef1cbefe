//! Services the gateway asks.

use serde::{Deserialize, Serialize};

/// Where a service is, after `upstreams` of `edge.yml` was applied.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its URL, absolute.
    pub url: String,
    /// A runtime binding that takes the request instead of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
}

impl Endpoint {
    /// Whether it is a set of keys from a file, which lies in the key-value store and not on the network.
    #[must_use]
    pub fn is_file(&self) -> bool {
        self.url.starts_with("file:")
    }
}
