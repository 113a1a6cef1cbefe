//! `keto`, which Oathkeeper does not have.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `keto`: the relation that must hold (Keto's `/relation-tuples/check`). Never cached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keto {
    /// `base_url`: Keto's read API.
    pub endpoint: Endpoint,
    /// Template of the namespace.
    pub namespace: String,
    /// Template of the object.
    pub object: String,
    /// Template of the relation.
    pub relation: String,
    /// Template of the subject's id; empty: the authenticated one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub subject: String,
}
