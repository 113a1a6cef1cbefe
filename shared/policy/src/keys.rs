//! How signing keys are made.

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;

/// `keys` of `edge.yml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Keys {
    /// The algorithm of new keys: `EdDSA` or `ES256`.
    pub algorithm: String,
    /// Length of a rotation period in seconds.
    pub rotation: u64,
    /// Makes a key on first use where there is none. For development: two places could make two first keys at once.
    pub development: bool,
    /// Whose keys sign.
    #[serde(skip_serializing_if = "Source::is_own")]
    pub source: Source,
    /// The global configuration's `jwks_url`, whose public halves are published whether a rule signs with it or not (strict
    /// mode).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Endpoint>,
}

/// `keys.source`: whose keys sign tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The gateway's own, which rotate.
    #[default]
    Own,
    /// Those at each `id_token`'s `jwks_url`, as in Oathkeeper: fetched from `http` and `https`, imported for `file`.
    JwksUrl,
}

impl Source {
    fn is_own(&self) -> bool {
        *self == Self::Own
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            algorithm: "EdDSA".to_owned(),
            rotation: 30 * 24 * 60 * 60,
            development: false,
            source: Source::Own,
            published: None,
        }
    }
}
