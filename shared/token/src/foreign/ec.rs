//! Elliptic curve keys of a JWK (RFC 7518 section 6.2).

use p256::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use p384::ecdsa::signature::hazmat::{PrehashSigner as _, PrehashVerifier as _};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::key::Defect;
use super::member;
use crate::jwa::Hash;

/// One of the curves that sign.
pub(crate) struct Curve {
    /// As in `crv`.
    pub(crate) name: &'static str,
    /// The hash that goes with it (RFC 7518 section 3.4).
    pub(crate) hash: Hash,
    /// Bytes of a coordinate.
    pub(crate) size: usize,
}

/// The curve of a key, if it is one of ours.
///
/// # Errors
/// If it is not.
pub(crate) fn curve(jwk: &Map<String, Value>) -> Result<Curve, Defect> {
    let (name, hash, size) = match member::text(jwk, "crv")? {
        Some("P-256") => ("P-256", Hash::Sha256, 32),
        Some("P-384") => ("P-384", Hash::Sha384, 48),
        Some("P-521") => ("P-521", Hash::Sha512, 66),
        _ => return Err(Defect::Curve),
    };
    Ok(Curve { name, hash, size })
}

/// A number of a curve's size. RFC 7518 section 6.2.1.2: always the full size.
///
/// # Errors
/// If it is missing or not of that size.
pub(crate) fn sized(
    jwk: &Map<String, Value>,
    name: &'static str,
    size: usize,
) -> Result<Zeroizing<Vec<u8>>, Defect> {
    let bytes = Zeroizing::new(member::bytes(jwk, name)?);
    if bytes.len() != size {
        return Err(Defect::Member(name));
    }
    Ok(bytes)
}

/// SEC 1 section 2.3.3: a point as both its coordinates.
fn point(jwk: &Map<String, Value>, size: usize) -> Result<Vec<u8>, Defect> {
    let (x, y) = (sized(jwk, "x", size)?, sized(jwk, "y", size)?);
    Ok([&[4], x.as_slice(), y.as_slice()].concat())
}

/// Reads the public half of a key on P-256.
///
/// # Errors
/// If the point is not on the curve.
pub(crate) fn p256_public(jwk: &Map<String, Value>) -> Result<p256::ecdsa::VerifyingKey, Defect> {
    p256::ecdsa::VerifyingKey::from_sec1_bytes(&point(jwk, 32)?).map_err(|_| Defect::Point)
}

/// Reads a private key on P-256, and checks that the point is its own.
///
/// # Errors
/// If it is no private key, or another point's.
pub(crate) fn p256_private(jwk: &Map<String, Value>) -> Result<p256::ecdsa::SigningKey, Defect> {
    let public = p256_public(jwk)?;
    let key = p256::ecdsa::SigningKey::from_slice(&sized(jwk, "d", 32)?)
        .map_err(|_| Defect::Member("d"))?;
    if *key.verifying_key() != public {
        return Err(Defect::Mismatch);
    }
    Ok(key)
}

/// Whether the signature is the key's.
pub(crate) fn p256_verify(
    key: &p256::ecdsa::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let digest = Hash::Sha256.digest(message);
    p256::ecdsa::Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
}

/// Signs, with the nonce of RFC 6979.
pub(crate) fn p256_sign(key: &p256::ecdsa::SigningKey, message: &[u8]) -> Option<Vec<u8>> {
    let digest = Hash::Sha256.digest(message);
    let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
    Some(signature.to_bytes().to_vec())
}

/// A point on one of the larger curves.
#[derive(PartialEq)]
pub(crate) enum EcPublic {
    P384(p384::ecdsa::VerifyingKey),
    P521(p521::ecdsa::VerifyingKey),
}

/// A private key of one of the larger curves. Each of these wipes itself when dropped.
pub(crate) enum EcPrivate {
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

impl EcPublic {
    /// Reads `crv`, `x` and `y`.
    ///
    /// # Errors
    /// If the curve is another, or the point is not on it.
    pub(crate) fn read(jwk: &Map<String, Value>) -> Result<Self, Defect> {
        let Curve { hash, size, .. } = curve(jwk)?;
        let point = point(jwk, size)?;
        let read = match hash {
            Hash::Sha256 => return Err(Defect::Curve),
            Hash::Sha384 => p384::ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .ok()
                .map(Self::P384),
            Hash::Sha512 => p521::ecdsa::VerifyingKey::from_sec1_bytes(&point)
                .ok()
                .map(Self::P521),
        };
        read.ok_or(Defect::Point)
    }

    /// Whether the signature is the key's.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::P384(key) => p384::ecdsa::Signature::from_slice(signature).is_ok_and(|read| {
                key.verify_prehash(&Hash::Sha384.digest(message), &read)
                    .is_ok()
            }),
            Self::P521(key) => p521::ecdsa::Signature::from_slice(signature).is_ok_and(|read| {
                key.verify_prehash(&Hash::Sha512.digest(message), &read)
                    .is_ok()
            }),
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
        let d = sized(jwk, "d", curve(jwk)?.size)?;
        let read = match public {
            EcPublic::P384(_) => p384::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P384),
            EcPublic::P521(_) => p521::ecdsa::SigningKey::from_slice(&d).ok().map(Self::P521),
        };
        let private = read.ok_or(Defect::Member("d"))?;
        if private.public() != public {
            return Err(Defect::Mismatch);
        }
        Ok(private)
    }

    fn public(&self) -> EcPublic {
        match self {
            Self::P384(key) => EcPublic::P384(*key.verifying_key()),
            Self::P521(key) => EcPublic::P521(*key.verifying_key()),
        }
    }

    /// Signs, with the nonce of RFC 6979.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::P384(key) => {
                let digest = Hash::Sha384.digest(message);
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
            Self::P521(key) => {
                let digest = Hash::Sha512.digest(message);
                let signature: p521::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                Some(signature.to_bytes().to_vec())
            }
        }
    }
}
