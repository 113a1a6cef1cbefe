//! Keys whose arithmetic is large: RSA, P-384 and P-521. A runtime may have that already, so what can be told of such a key
//! without arithmetic is told apart from its proof.

use serde_json::{Map, Value};
use zeroize::Zeroize as _;

use super::ec::{self, EcPrivate, EcPublic};
use super::key::Defect;
use super::rsa;
use crate::encoding::encode;

/// What speeds up signing with RSA (RFC 7518 section 6.3.2). All of them are there, or none.
const SPEED_UP: [&str; 3] = ["dp", "dq", "qi"];

/// A key as its numbers, each in its only spelling. Wiped when dropped, since some are private.
#[derive(PartialEq)]
pub(crate) struct LargeKey {
    jwk: Map<String, Value>,
}

impl LargeKey {
    /// Reads the public half of an RSA key with at least `min_bits`.
    ///
    /// # Errors
    /// If its numbers are not those of a public key.
    pub(crate) fn rsa(jwk: &Map<String, Value>, min_bits: usize) -> Result<Self, Defect> {
        rsa::check_public(jwk, min_bits)?;
        Self::new("RSA", jwk, &["n", "e"], trimmed)
    }

    /// Reads an RSA key that signs. Its two primes must be there.
    ///
    /// # Errors
    /// If a number is missing, or it is of a size that is not signed with.
    pub(crate) fn rsa_private(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        rsa::check_public(jwk, rsa::MIN_BITS)?;
        rsa::check_signing(jwk)?;
        let mut key = Self::new("RSA", jwk, &["n", "e", "d", "p", "q"], trimmed)?;
        for name in SPEED_UP {
            if let Ok(value) = trimmed(jwk, name) {
                key.jwk.insert(name.to_owned(), value.into());
            }
        }
        Ok(key)
    }

    /// Reads the public half of a key on P-384 or P-521.
    ///
    /// # Errors
    /// If it is on another curve, or a coordinate is not of its size.
    pub(crate) fn ec(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        Self::on_curve(jwk, &["x", "y"])
    }

    /// Reads a key on P-384 or P-521 that signs.
    ///
    /// # Errors
    /// If it is on another curve, or a number is not of its size.
    pub(crate) fn ec_private(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        Self::on_curve(jwk, &["x", "y", "d"])
    }

    fn on_curve(jwk: &Map<String, Value>, numbers: &[&'static str]) -> Result<Self, Defect> {
        let curve = ec::curve(jwk)?;
        let mut key = Self::new("EC", jwk, numbers, |jwk, name| {
            ec::sized(jwk, name, curve.size).map(|bytes| encode(&bytes))
        })?;
        key.jwk.insert("crv".to_owned(), curve.name.into());
        Ok(key)
    }

    fn new(
        kty: &str,
        jwk: &Map<String, Value>,
        numbers: &[&'static str],
        number: impl Fn(&Map<String, Value>, &'static str) -> Result<String, Defect>,
    ) -> Result<Self, Defect> {
        let mut key = Self { jwk: Map::new() };
        for name in numbers {
            let value = number(jwk, name)?;
            key.jwk.insert((*name).to_owned(), value.into());
        }
        key.jwk.insert("kty".to_owned(), kty.into());
        Ok(key)
    }

    /// `kty`, `crv` of an elliptic curve key, and the numbers in base64url.
    pub(crate) const fn jwk(&self) -> &Map<String, Value> {
        &self.jwk
    }

    /// The same, one by one.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &str)> {
        self.jwk
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
    }

    /// Proves a public key.
    ///
    /// # Errors
    /// If it is none.
    pub(crate) fn prove_public(&self) -> Result<(), Defect> {
        if self.jwk.contains_key("crv") {
            EcPublic::read(&self.jwk).map(drop)
        } else {
            rsa::public(&self.jwk).map(drop)
        }
    }

    /// Proves that a private key belongs to its public half.
    ///
    /// # Errors
    /// If it does not.
    pub(crate) fn prove_private(&self) -> Result<(), Defect> {
        if self.jwk.contains_key("crv") {
            EcPrivate::read(&self.jwk).map(drop)
        } else {
            rsa::private(&self.jwk).map(drop)
        }
    }

    /// What a runtime needs that computes nothing of a private key itself.
    ///
    /// # Errors
    /// If a number is missing.
    pub(crate) fn is_complete(&self) -> Result<(), Defect> {
        let missing = SPEED_UP
            .into_iter()
            .find(|name| !self.jwk.contains_key(*name));
        match missing {
            Some(name) if !self.jwk.contains_key("crv") => Err(Defect::Member(name)),
            _ => Ok(()),
        }
    }
}

/// A number without leading zeros (RFC 7518 section 2, Base64urlUInt).
fn trimmed(jwk: &Map<String, Value>, name: &'static str) -> Result<String, Defect> {
    rsa::number(jwk, name).map(|bytes| encode(&bytes))
}

impl Drop for LargeKey {
    fn drop(&mut self) {
        for value in self.jwk.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}
