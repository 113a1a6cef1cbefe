//! A token as a person reads it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JWT, decoded and without its signature: it cannot be used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// Its JOSE header (RFC 7515 section 4).
    pub header: Value,
    /// Its claims.
    pub claims: Value,
}

impl Token {
    /// Decodes a token in compact form; `None` for what is none.
    pub(super) fn decode(token: &str) -> Option<Self> {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        Some(Self {
            header: parts.next()??,
            claims: parts.next()??,
        })
    }
}
