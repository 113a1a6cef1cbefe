//! Whose key signs: the gateway's own, which rotates, or one from Oathkeeper's `jwks_url`.

use std::borrow::Cow;
use std::fmt::Display;
use std::rc::Rc;

use edgekeeper_policy::mutator::IdToken;
use edgekeeper_token::imported::signer::{Begun, SignerError};
use edgekeeper_token::jwt;
use edgekeeper_token::key::SigningKey;
use edgekeeper_token::ring::KeyRing;
use serde_json::{Map, Value};

use crate::Gateway;
use crate::jwks::{self, Keys, Wanted};
use crate::refusal::Refusal;
use crate::runtime::{Runtime, Unavailable};

/// What signs a token.
pub(super) enum Signer {
    Own {
        ring: Rc<KeyRing>,
        /// When it signs, in Unix seconds.
        now: u64,
    },
    Theirs {
        keys: Rc<Keys>,
        /// Where they are from: two sets can have a key of one name.
        url: String,
    },
}

impl Signer {
    /// # Errors
    /// 500 or 503 when there is no key.
    pub(super) async fn of<R: Runtime>(
        gateway: &Gateway,
        runtime: &R,
        config: &IdToken,
    ) -> Result<Self, Refusal> {
        let strict = gateway.policy().strict;
        let Some(endpoint) = &config.jwks else {
            let ring = gateway.key_ring(runtime).await;
            return Ok(Self::Own {
                ring: ring.map_err(|error| Refusal::no_keys(&error, strict))?,
                now: runtime.seconds(),
            });
        };
        let found = jwks::load(gateway, runtime, &Wanted::to_sign(endpoint)).await;
        let keys = found.keys.ok_or_else(|| {
            let reason = found.failure.map(|failure| failure.reason);
            let reason = format!("no keys to sign with: {}", reason.unwrap_or_default());
            jwks::none_found(&Unavailable(reason), strict)
        })?;
        Ok(Self::Theirs {
            keys,
            url: endpoint.url.clone(),
        })
    }

    /// The key's `kid`.
    pub(super) fn kid(&self, strict: bool) -> Result<String, Refusal> {
        let kid = match self {
            Self::Own { ring, now } => own_key(ring, *now, strict)?.kid(),
            Self::Theirs { keys, .. } => keys
                .to_sign()
                .map_err(|error| unusable(&error, strict))?
                .kid(),
        };
        Ok(kid.to_owned())
    }

    /// What tells the key of a `kid` from any other.
    pub(super) fn name<'a>(&self, kid: &'a str) -> Cow<'a, str> {
        match self {
            Self::Own { .. } => Cow::Borrowed(kid),
            Self::Theirs { url, .. } => Cow::Owned(format!("{kid} {url}")),
        }
    }

    /// Signs claims.
    pub(super) async fn sign<R: Runtime>(
        &self,
        runtime: &R,
        claims: &Map<String, Value>,
        strict: bool,
    ) -> Result<String, Refusal> {
        match self {
            Self::Own { ring, now } => jwt::mint(own_key(ring, *now, strict)?, claims),
            Self::Theirs { keys, .. } => {
                let signer = keys.to_sign().map_err(|error| unusable(&error, strict))?;
                match signer.begin(claims) {
                    Ok(Begun::Signed(token)) => Ok(token),
                    Ok(Begun::Unsigned(unsigned)) => {
                        let signature = runtime.sign(&unsigned).await;
                        unsigned.finish(&signature.map_err(|error| not_made(&error))?)
                    }
                    Err(error) => Err(error),
                }
            }
        }
        .map_err(|error| not_made(&error))
    }
}

fn not_made(error: &impl Display) -> Refusal {
    Refusal::internal(format!("no token could be made: {error}"))
}

fn own_key(ring: &KeyRing, now: u64, strict: bool) -> Result<&SigningKey, Refusal> {
    ring.signing(now).ok_or_else(|| {
        let error = "there is no signing key whose period has begun; run `edgekeeper keys new`";
        Refusal::no_keys(&Unavailable(error.to_owned()), strict)
    })
}

/// A set without a key that signs.
fn unusable(error: &SignerError, strict: bool) -> Refusal {
    match error {
        SignerError::NoPrivateKey | SignerError::NoKeyId { .. } if strict => {
            Refusal::new(500, "credentials: no suitable key could be found")
                .logged(error.to_string())
        }
        _ => Refusal::internal(error.to_string()),
    }
}
