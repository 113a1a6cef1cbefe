//! `keto_engine_acp_ory`.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `keto_engine_acp_ory`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KetoEngineAcpOry {
    /// `base_url`, with the path of the engine's `allowed` and its flavor.
    pub endpoint: Endpoint,
    /// Template of the action.
    pub required_action: String,
    /// Template of the resource.
    pub required_resource: String,
    /// Template of the subject; empty: the authenticated one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// Rules are not matched as regular expressions: Oathkeeper refuses every request then (strict mode alone).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_regexp: bool,
}
