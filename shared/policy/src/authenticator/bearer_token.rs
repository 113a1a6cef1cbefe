//! `bearer_token`.

use serde::{Deserialize, Serialize};

use super::{SessionCheck, TokenFrom};

/// `bearer_token`, its global and its rule's configuration merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BearerToken {
    /// Where and how to ask.
    pub check: SessionCheck,
    /// Where in a request the token is.
    #[serde(default)]
    pub token_from: TokenFrom,
    /// How a token begins that this handler is responsible for; empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}
