//! Elliptic curve keys of a JWK (RFC 7518 section 6.2).

use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p384::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::key::Defect;
use super::member;
use crate::jwa::Hash;

/// A point on its curve.
#[derive(Clone, PartialEq)]
pub(crate) enum EcPublic {
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// A private key. Each of these wipes itself when dropped.
pub(crate) enum EcPrivate {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// The curve's name, if it is one of ours, and the bytes of a coordinate.
fn curve(jwk: &Map<String, Value>) -> Result<(Hash, usize), Defect> {
    match member::text(jwk, "crv")? {
        Some("P-256") => Ok((Hash::Sha256, 32)),
        Some("P-384") => Ok((Hash::Sha384, 48)),
        Some("P-521") => Ok((Hash::Sha512, 66)),
        _ => Err(Defect::Curve),
    }
}

/// RFC 7518 section 6.2.1.2: always the full size.
fn sized(jwk: &Map<String, Value>, name: &'static str, size: usize) -> Result<Vec<u8>, Defect> {
    let bytes = member::bytes(jwk, name)?;
    if bytes.len() != size {
        return Err(Defect::Member(name));
    }
    Ok(bytes)
}

impl EcPublic {
    /// Reads `crv`, `x` and `y`.
    ///
    /// # Errors
    /// If the curve is another, or the point is not on it.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        let (hash, size) = curve(jwk)?;
        // SEC 1 section 2.3.3: a point as both its coordinates.
        let point = [vec![4], sized(jwk, "x", size)?, sized(jwk, "y", size)?].concat();
        let read = match hash {
            Hash::Sha256 => p256::ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .ok()
                .map(Self::P256),
            Hash::Sha384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .ok()
                .map(Self::P384),
            Hash::Sha512 => p521::ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .ok()
                .map(Self::P521),
        };
        read.ok_or(Defect::Point)
    }

    /// The hash that goes with the curve (RFC 7518 section 3.4).
    pub(crate) const fn hash(&self) -> Hash {
        match self {
            Self::P256(_) => Hash::Sha256,
            Self::P384(_) => Hash::Sha384,
            Self::P521(_) => Hash::Sha512,
        }
    }

    /// Whether the signature is the key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let digest = self.hash().digest(message);
        match self {
            Self::P256(key) => p256::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Self::P384(key) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok()),
        }
    }
}

impl EcPrivate {
    /// Reads `d`, and checks that the point is its own.
    ///
    /// # Errors
    /// If it is no private key, or another point's.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        let public = EcPublic::read(jwk)?;
        let (_, size) = curve(jwk)?;
        let d = Zeroizing::new(sized(jwk, "d", size)?);
        let read = match public {
            EcPublic::P256(_) => p256::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P256),
            EcPublic::P384(_) => p384::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P384),
            EcPublic::P521(_) => p521::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P521),
        };
        let private = read.ok_or(Defect::Member("d"))?;
        if private.public() != public {
            return Err(Defect::Mismatch);
        }
        Ok(private)
    }

    pub(crate) fn public(&self) -> EcPublic {
        match self {
            Self::P256(key) => EcPublic::P256(*key.verifying_key()),
            Self::P384(key) => EcPublic::P384(*key.verifying_key()),
            Self::P521(key) => EcPublic::P521(*key.verifying_key()),
        }
    }

    /// Signs, with the nonce of RFC 6979.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let digest = self.public().hash().digest(message);
        match self {
            Self::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
        }
    }
}
