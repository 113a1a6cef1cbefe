//! What a pattern says about the URLs it matches without being run, for the rule index.

use serde::{Deserialize, Serialize};

/// Every URL that the pattern matches has all of this. What is empty says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Hints {
    /// Its host, with the port if it has one, is this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) host: Option<String>,
    /// Its host starts with this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) host_start: String,
    /// Its host ends with this, behind what it starts with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) host_end: String,
    /// Its path starts with this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) path_start: String,
    /// It contains this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) text: String,
}

impl Hints {
    /// True if nothing is known.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Hints::default()
    }
}
