//! `keto`, which Oathkeeper does not have.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `keto`: the relation that must hold (Keto's `/relation-tuples/check`). Never cached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Keto {
    /// `base_url`: Keto's read API.
    pub endpoint: Endpoint,
    /// What is to hold of the subject.
    pub relation: Relation,
    /// Who is to have it.
    pub subject: Subject,
}

/// A relation to an object, in templates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// The object's namespace.
    pub namespace: String,
    /// The object.
    pub object: String,
    /// The relation to it.
    pub relation: String,
}

/// The subject of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Template of an id (`subject_id`).
    Id(String),
    /// Whoever has a relation of their own (`subject_set`).
    Set(Relation),
}
