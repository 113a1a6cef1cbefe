//! Mutators of a rule, configured.

use serde::{Deserialize, Serialize};

/// What does the upstream get told? One entry of a rule's `mutators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "handler", rename_all = "snake_case")]
pub enum Mutator {
    /// Nothing.
    Noop,
    /// Headers made from templates.
    Header(Header),
    /// A signed token in `Authorization`.
    IdToken(IdToken),
}

/// `header`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// Header name (lower case) and template, in the order of the file.
    pub headers: Vec<(String, String)>,
}

/// `id_token`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdToken {
    /// The `iss` claim (RFC 7519 section 4.1.1).
    pub issuer_url: String,
    /// Template of a JSON object with further claims; empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub claims: String,
    /// Life of a token in seconds.
    pub ttl: u64,
}
