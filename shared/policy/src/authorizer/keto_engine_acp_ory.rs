//! `keto_engine_acp_ory`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `keto_engine_acp_ory`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KetoEngineAcpOry {
    /// `base_url`.
    pub endpoint: Endpoint,
    /// Template of the action.
    pub required_action: String,
    /// Template of the resource.
    pub required_resource: String,
    /// Template of the subject; empty: the authenticated one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// How Keto compares.
    #[serde(default)]
    pub flavor: Flavor,
}

/// How policies of Keto before version 0.6 are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flavor {
    /// As text.
    Exact,
    /// As globs.
    Glob,
    /// As regular expressions.
    #[default]
    Regex,
}

impl Flavor {
    /// The name as it stands in Keto's path.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Glob => "glob",
            Self::Regex => "regex",
        }
    }
}
