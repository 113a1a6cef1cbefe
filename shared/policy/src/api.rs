//! Whom the API believes.

use serde::{Deserialize, Serialize};

/// `api` of `edge.yml`, its hosts aside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Api {
    /// Whether whoever reaches the API's own listener may say with `X-Forwarded-*` which request is meant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub trust_forwarded_headers: bool,
    /// The name of the runtime's secret that a proxy sends along to be believed, wherever it asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl Api {
    /// Whether there is nothing to say.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
