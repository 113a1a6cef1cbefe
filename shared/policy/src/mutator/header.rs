//! `header`.

use serde::{Deserialize, Serialize};

/// `header`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Header name (lower case) and template, in the order of the file.
    pub headers: Vec<(String, String)>,
}
