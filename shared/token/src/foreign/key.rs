//! A key somebody else made, to check signatures with.

use std::fmt;

use ed25519_dalek::Verifier as _;
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::ec;
use super::large::LargeKey;
use super::member;
use super::rsa::{MIN_BITS, STRICT_MIN_BITS};
use super::set::Reading;
use crate::jwa::{Hash, Jwa};

/// What a key checks signatures with.
pub(crate) enum Material {
    Rsa(LargeKey),
    /// With the hash of its curve.
    Ec(LargeKey, Hash),
    P256(p256::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
    Symmetric(Zeroizing<Vec<u8>>),
}

/// A key that can be used, and the algorithm its owner means it for.
pub(crate) struct ForeignKey {
    material: Material,
    alg: Option<String>,
}

impl ForeignKey {
    /// Reads the public half of a key, or a symmetric key. What `prove` says of a large one counts.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(crate) fn read(
        jwk: &Map<String, Value>,
        reading: Reading,
        prove: impl Fn(&LargeKey) -> Result<(), Defect>,
    ) -> Result<Self, Defect> {
        let material = match member::text(jwk, "kty")? {
            Some("RSA") => {
                let min_bits = if reading.strict {
                    STRICT_MIN_BITS
                } else {
                    MIN_BITS
                };
                let key = LargeKey::rsa(jwk, min_bits)?;
                prove(&key)?;
                Material::Rsa(key)
            }
            Some("EC") => match ec::curve(jwk)?.hash {
                Hash::Sha256 => Material::P256(ec::p256_public(jwk)?),
                hash => {
                    let key = LargeKey::ec(jwk)?;
                    prove(&key)?;
                    Material::Ec(key, hash)
                }
            },
            Some("OKP") => Material::Ed25519(ed25519(jwk)?),
            Some("oct") => {
                let key = Zeroizing::new(member::bytes(jwk, "k")?);
                if !reading.symmetric {
                    return Err(Defect::Symmetric);
                }
                Material::Symmetric(key)
            }
            _ => return Err(Defect::KeyType),
        };
        // go-jose reads none of this, so it means nothing in strict mode.
        if !reading.strict && !may(jwk, "verify")? {
            return Err(Defect::Operations);
        }
        Ok(Self {
            material,
            alg: member::text(jwk, "alg")?.map(str::to_owned),
        })
    }

    /// Whether signatures of this algorithm can be the key's. In strict mode its type decides. Otherwise its curve, its
    /// length and its `alg` have a say, too (RFC 8725 section 3.1).
    pub(crate) fn fits(&self, jwa: Jwa, strict: bool) -> bool {
        let by_type = match (&self.material, jwa) {
            (Material::Rsa(_), Jwa::Rsa(_) | Jwa::RsaPss(_))
            | (Material::Ec(..) | Material::P256(_), Jwa::Ecdsa(_))
            | (Material::Symmetric(_), Jwa::Hmac(_)) => true,
            (Material::Ed25519(_), Jwa::EdDsa) => !strict,
            _ => false,
        };
        let by_size = match (&self.material, jwa) {
            (Material::Ec(_, own), Jwa::Ecdsa(hash)) => *own == hash,
            (Material::P256(_), Jwa::Ecdsa(hash)) => hash == Hash::Sha256,
            // RFC 7518 section 3.2.
            (Material::Symmetric(key), Jwa::Hmac(hash)) => key.len() >= hash.size(),
            _ => true,
        };
        let by_alg = self.alg.as_deref().is_none_or(|alg| alg == jwa.name());
        by_type && (strict || (by_size && by_alg))
    }

    /// The key's numbers, where an algorithm that fits it takes large arithmetic.
    pub(crate) fn large(&self, jwa: Jwa) -> Option<&LargeKey> {
        match (&self.material, jwa) {
            (Material::Rsa(key), Jwa::Rsa(_) | Jwa::RsaPss(_)) => Some(key),
            (Material::Ec(key, own), Jwa::Ecdsa(hash)) if *own == hash => Some(key),
            _ => None,
        }
    }

    /// Whether the signature is the key's, for any other algorithm that fits it.
    pub(crate) fn verify(&self, jwa: Jwa, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, jwa) {
            (Material::P256(key), Jwa::Ecdsa(Hash::Sha256)) => {
                ec::p256_verify(key, message, signature)
            }
            (Material::Ed25519(key), Jwa::EdDsa) => verify_ed25519(key, message, signature),
            (Material::Symmetric(key), Jwa::Hmac(hash)) => match hash {
                Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
                Hash::Sha384 => Hmac::<Sha384>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
                Hash::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                    .is_ok_and(|mac| mac.chain_update(message).verify_slice(signature).is_ok()),
            },
            _ => false,
        }
    }
}

/// Whether the signature is the key's.
pub(crate) fn verify_ed25519(
    key: &ed25519_dalek::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    ed25519_dalek::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}

/// Whether `key_ops` (RFC 7517 section 4.3), if it is there, has this operation.
pub(crate) fn may(jwk: &Map<String, Value>, operation: &str) -> Result<bool, Defect> {
    match jwk.get("key_ops") {
        None => Ok(true),
        Some(Value::Array(operations)) => Ok(operations.iter().any(|listed| listed == operation)),
        Some(_) => Err(Defect::Member("key_ops")),
    }
}

/// Reads the public half of an Ed25519 key (RFC 8037 section 2).
pub(crate) fn ed25519(jwk: &Map<String, Value>) -> Result<ed25519_dalek::VerifyingKey, Defect> {
    if member::text(jwk, "crv")? != Some("Ed25519") {
        return Err(Defect::Curve);
    }
    let x = <[u8; 32]>::try_from(member::bytes(jwk, "x")?).map_err(|_| Defect::Member("x"))?;
    ed25519_dalek::VerifyingKey::from_bytes(&x)
        .ok()
        // Under a key of small order one signature fits many messages.
        .filter(|key| !key.is_weak())
        .ok_or(Defect::Point)
}

/// What is wrong with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// `kty` is missing or one that does not sign.
    KeyType,
    /// `crv` is missing or one that is not known.
    Curve,
    /// The named member is missing, of the wrong type, or not a value it can have.
    Member(&'static str),
    /// The coordinates are not a point of the curve, or one nobody should use.
    Point,
    /// An RSA key of a size that is not used.
    Modulus {
        /// Bits of `n`.
        bits: usize,
        /// Bits it needs at least.
        min: usize,
    },
    /// The runtime, which checks signatures of its kind, does not take it.
    Refused,
    /// The private half does not belong to the public one.
    Mismatch,
    /// `key_ops` does not have what the key would be used for.
    Operations,
    /// `use` is missing.
    NoUse,
    /// A symmetric key where everybody can read it.
    Symmetric,
    /// A symmetric key with fewer bytes than its algorithm's hash.
    Short {
        /// Bytes of `k`.
        bytes: usize,
        /// Bytes it needs at least.
        min: usize,
    },
    /// A private key where only public ones belong. Its public half is used all the same.
    Private,
    /// `alg` is missing in a private key.
    NoAlgorithm,
    /// `alg` is not one that a key of this type signs with.
    Algorithm,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::Member(name) => return write!(f, "{name:?} is missing or not valid"),
            Self::Modulus { bits, min } => {
                return write!(
                    f,
                    "an RSA key of {bits} bits; allowed: {min} and more, and not so many that it takes long"
                );
            }
            Self::Short { bytes, min } => {
                return write!(
                    f,
                    "\"k\" has {bytes} bytes; its algorithm needs at least {min}"
                );
            }
            Self::KeyType => "\"kty\" is not one that signs; allowed: RSA, EC, OKP, oct",
            Self::Curve => {
                "\"crv\" is not one that is used here; allowed: P-256, P-384, P-521 (EC), Ed25519 (OKP)"
            }
            Self::Point => "its coordinates are not a point of its curve",
            Self::Refused => "is not one that this runtime can check signatures with",
            Self::Mismatch => "its private half does not belong to its public half",
            Self::Operations => {
                "its \"key_ops\" do not allow it; needed: \"verify\", or \"sign\" for a private key"
            }
            Self::NoUse => "has no \"use\"; only keys with \"use\":\"sig\" check tokens",
            Self::Symmetric => {
                "is a symmetric key: whoever can read the set can sign tokens; let the issuer sign with RS256, ES256 or \
                 EdDSA and publish the public key"
            }
            Self::Private => {
                "holds a private key; only its public half is used, but whoever can read the set can sign tokens: \
                 publish the public half, and replace this key"
            }
            Self::NoAlgorithm => {
                "has no \"alg\", which says how it signs; add one such as \"alg\":\"RS256\""
            }
            Self::Algorithm => {
                "its \"alg\" is not one that it signs with; allowed: RS256 to RS512 and PS256 to PS512 (RSA), ES256 \
                 (P-256), ES384 (P-384), ES512 (P-521), EdDSA (Ed25519), HS256 to HS512 (oct)"
            }
        };
        f.write_str(said)
    }
}

impl std::error::Error for Defect {}

/// What is wrong with which key of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyProblem {
    /// Index in `keys`.
    pub position: usize,
    /// What it is.
    pub defect: Defect,
}

impl fmt::Display for KeyProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "keys[{}] {}", self.position, self.defect)
    }
}

impl std::error::Error for KeyProblem {}
