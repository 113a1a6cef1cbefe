//! How a policy gets in force that was not deployed but pushed.

use serde::{Deserialize, Serialize};

/// `policy` of `edge.yml`. It is the deployment's: a policy that is pushed does not change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// After how many seconds at most an instance looks whether there is another policy. `None`: it never looks, and the policy
    /// that was deployed stays in force.
    pub refresh: Option<u64>,
    /// What an instance does that cannot tell which policy is in force, and never could.
    pub on_store_failure: OnStoreFailure,
}

/// What counts for an instance that cannot read which policy is in force.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnStoreFailure {
    /// The policy that the gateway was deployed with.
    #[default]
    Deployed,
    /// None: every request is 503.
    Refuse,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            refresh: Some(30),
            on_store_failure: OnStoreFailure::Deployed,
        }
    }
}

impl Policies {
    /// Whether there is nothing to say.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
