//! A signature that is still to be checked: the seam between what this crate judges of a token and the arithmetic, which a
//! runtime may have built in.

use std::fmt;

use super::ec::EcPublic;
use super::large::LargeKey;
use super::rsa::{self, Padding};
use crate::jwa::Jwa;

/// A signature of an RS or PS algorithm, ES384 or ES512, with all that it takes to check it. `Debug` shows the algorithm
/// alone.
pub struct SignatureCheck<'a> {
    pub(super) jwa: Jwa,
    pub(super) key: &'a LargeKey,
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    /// Whether a PSS signature may have the longest salt that fits.
    pub(super) longest_salt: bool,
}

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is the key's.
    Genuine,
    /// It is not.
    Forged,
    /// The key cannot be used, whatever the signature: its point is not on its curve, or the runtime refuses it.
    KeyUnusable,
}

impl SignatureCheck<'_> {
    /// How it was made.
    pub const fn algorithm(&self) -> Jwa {
        self.jwa
    }

    /// The public key: the members of a JWK with nothing but `kty`, `crv` and its numbers.
    pub fn jwk(&self) -> impl Iterator<Item = (&str, &str)> {
        self.key.members()
    }

    /// What it is a signature of.
    pub const fn message(&self) -> &[u8] {
        self.message
    }

    /// The signature, as in a token: that of ECDSA are two numbers of the curve's size (RFC 7518 section 3.4).
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The lengths of salt, in bytes, that it may have with a PS algorithm.
    pub fn salts(&self) -> Vec<usize> {
        match self.jwa {
            Jwa::RsaPss(hash) => rsa::salts(self.key.jwk(), hash, self.longest_salt),
            _ => Vec::new(),
        }
    }

    /// Checks it here, without a runtime.
    pub fn verify(&self) -> Verdict {
        let genuine = match self.jwa {
            Jwa::Rsa(hash) => rsa::public(self.key.jwk()).map(|key| {
                rsa::verify(
                    &key,
                    Padding::Pkcs1,
                    hash,
                    self.message,
                    &self.signature,
                    &[],
                )
            }),
            Jwa::RsaPss(hash) => rsa::public(self.key.jwk()).map(|key| {
                rsa::verify(
                    &key,
                    Padding::Pss,
                    hash,
                    self.message,
                    &self.signature,
                    &self.salts(),
                )
            }),
            _ => {
                EcPublic::read(self.key.jwk()).map(|key| key.verify(self.message, &self.signature))
            }
        };
        match genuine {
            Ok(true) => Verdict::Genuine,
            Ok(false) => Verdict::Forged,
            Err(_) => Verdict::KeyUnusable,
        }
    }
}

impl fmt::Debug for SignatureCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignatureCheck")
            .field("alg", &self.jwa.name())
            .finish_non_exhaustive()
    }
}
