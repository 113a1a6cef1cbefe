//! A set of private keys, and which of them signs.

use std::fmt;

use serde_json::{Map, Value, json};
use zeroize::Zeroize as _;

use super::signer::{ForeignSigner, SignerError};
use crate::encoding::encode;
use crate::foreign::key::{Defect, KeyProblem};
use crate::foreign::large::LargeKey;
use crate::foreign::member;
use crate::foreign::set::{SetError, list};

/// Members of a key that everybody may know, beside its numbers.
const PUBLIC_TEXT: [&str; 5] = ["kty", "use", "kid", "crv", "alg"];
/// Its numbers.
const PUBLIC_NUMBERS: [&str; 4] = ["n", "e", "x", "y"];
/// Certificates, which are passed on as they are (RFC 7517 sections 4.6 to 4.9).
const CERTIFICATES: [&str; 4] = ["x5c", "x5u", "x5t", "x5t#S256"];

/// A set of keys, some of them private. `Debug` shows how many, and no key.
pub struct ImportedSet {
    keys: Vec<Map<String, Value>>,
}

impl ImportedSet {
    /// Reads a document. Its keys are checked when they are used; see [`Self::signer`].
    ///
    /// # Errors
    /// If the document is no set of keys.
    pub fn parse(text: &str) -> Result<Self, SetError> {
        let keys = list(text, false)?
            .into_iter()
            .enumerate()
            .map(|(position, key)| match key {
                Value::Object(jwk) if matches!(jwk.get("kty"), Some(Value::String(_))) => Ok(jwk),
                _ => Err(SetError::Key(KeyProblem {
                    position,
                    defect: Defect::KeyType,
                })),
            });
        Ok(Self {
            keys: keys.collect::<Result<_, _>>()?,
        })
    }

    /// The key that signs, chosen as Oathkeeper does: looking through the set, the last private key seen before there is
    /// both a private key and the key id of a public one. Tokens name the public key, if there is one, else the private.
    ///
    /// # Errors
    /// If there is none, it cannot be used, or tokens would name a key that did not sign them.
    pub fn signer(&self) -> Result<ForeignSigner, SignerError> {
        self.signer_if(LargeKey::prove_private)
    }

    /// The same for a runtime that signs itself (see [`super::signer::Unsigned`]): that the halves of an RSA key, or of one on
    /// P-384 or P-521, belong together is left for it to find out, and an RSA key needs `dp`, `dq` and `qi`.
    ///
    /// # Errors
    /// As [`Self::signer`].
    pub fn signer_unproven(&self) -> Result<ForeignSigner, SignerError> {
        self.signer_if(LargeKey::is_complete)
    }

    fn signer_if(
        &self,
        prove: impl Fn(&LargeKey) -> Result<(), Defect>,
    ) -> Result<ForeignSigner, SignerError> {
        let mut private = None;
        let mut public: Option<(usize, &str)> = None;
        for (position, jwk) in self.keys.iter().enumerate() {
            let problem = |defect| SignerError::Key(KeyProblem { position, defect });
            let kid = member::text(jwk, "kid")
                .map_err(problem)?
                .unwrap_or_default();
            match member::text(jwk, "kty").map_err(problem)? {
                Some("oct") => {
                    private = Some((position, jwk));
                    public = Some((position, kid));
                }
                Some("RSA" | "EC" | "OKP") if jwk.contains_key("d") => {
                    private = Some((position, jwk));
                }
                Some("RSA" | "EC" | "OKP") => public = Some((position, kid)),
                _ => return Err(problem(Defect::KeyType)),
            }
            if private.is_some() && public.is_some_and(|(_, kid)| !kid.is_empty()) {
                break;
            }
        }
        let (position, jwk) = private.ok_or(SignerError::NoPrivateKey)?;
        let problem = |defect| SignerError::Key(KeyProblem { position, defect });
        let own = member::text(jwk, "kid")
            .map_err(problem)?
            .unwrap_or_default();
        if own.is_empty() {
            return Err(SignerError::NoKeyId { position });
        }
        let named = public.filter(|(_, kid)| !kid.is_empty());
        if let Some((named, _)) = named
            && self.numbers(named) != self.numbers(position)
        {
            return Err(SignerError::OtherPublic {
                private: position,
                public: named,
            });
        }
        let kid = named.map_or(own, |(_, kid)| kid);
        ForeignSigner::read(jwk, kid, prove).map_err(problem)
    }

    /// What makes a public key the one it is.
    fn numbers(&self, position: usize) -> Vec<Option<Vec<u8>>> {
        let jwk = self.keys.get(position);
        PUBLIC_NUMBERS
            .iter()
            .map(|name| jwk.and_then(|jwk| number(jwk, name)))
            .collect()
    }

    /// The public halves of all its keys, for the JWKS endpoint, in document order; symmetric keys have none.
    pub fn public(&self) -> Vec<Map<String, Value>> {
        self.keys
            .iter()
            .filter(|jwk| {
                matches!(
                    jwk.get("kty").and_then(Value::as_str),
                    Some("RSA" | "EC" | "OKP")
                )
            })
            .map(|jwk| {
                let texts = PUBLIC_TEXT
                    .iter()
                    .filter_map(|name| Some((*name, jwk.get(*name)?.clone())));
                let numbers = PUBLIC_NUMBERS
                    .iter()
                    .filter_map(|name| Some((*name, encode(&number(jwk, name)?).into())));
                let certificates = CERTIFICATES
                    .iter()
                    .filter_map(|name| Some((*name, jwk.get(*name)?.clone())));
                let members = texts.chain(numbers).chain(certificates);
                let mut public = Map::new();
                public.extend(members.map(|(name, value)| (name.to_owned(), value)));
                public
            })
            .collect()
    }

    /// [`Self::public`] as a document.
    pub fn public_json(&self) -> String {
        json!({ "keys": self.public() }).to_string()
    }
}

/// A number of a public key, in its shortest form where leading zeros mean nothing.
fn number(jwk: &Map<String, Value>, name: &'static str) -> Option<Vec<u8>> {
    let bytes = member::bytes(jwk, name).ok()?;
    let zeros = match name {
        "n" | "e" => bytes.iter().take_while(|byte| **byte == 0).count(),
        _ => 0,
    };
    Some(bytes.into_iter().skip(zeros).collect())
}

impl Drop for ImportedSet {
    /// Private numbers do not stay in memory.
    fn drop(&mut self) {
        for value in self.keys.iter_mut().flat_map(Map::values_mut) {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl fmt::Debug for ImportedSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ImportedSet")
            .field("keys", &self.keys.len())
            .finish()
    }
}

#[cfg(test)]
mod tests;
