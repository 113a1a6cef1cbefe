//! `cookie`.

use serde::{Deserialize, Serialize};

/// `cookie`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cookie {
    /// Cookie name and template, in the order of the file.
    pub cookies: Vec<(String, String)>,
}
