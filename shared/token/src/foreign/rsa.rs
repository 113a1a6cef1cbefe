//! RSA keys of a JWK (RFC 7518 section 6.3).

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

use super::key::Defect;
use super::member;
use crate::jwa::Hash;

/// Bits a modulus has at least (RFC 7518 sections 3.3 and 3.5).
pub(crate) const MIN_BITS: usize = 2048;
/// Bits a modulus has at least in Oathkeeper: what Go's `crypto/rsa` still verifies with.
pub(crate) const STRICT_MIN_BITS: usize = 1024;
/// Beyond this, one check takes long enough to hold up others.
const MAX_BITS: usize = 8192;
/// The work of a signature grows with the cube.
const MAX_SIGNING_BITS: usize = 4096;

/// Which padding a signature has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Padding {
    /// RSASSA-PKCS1-v1_5, the RS algorithms.
    Pkcs1,
    /// RSASSA-PSS, the PS algorithms.
    Pss,
}

/// Reads `n` and `e`.
///
/// # Errors
/// If they are no public key, or fewer than `min_bits` or too many.
pub(crate) fn public(jwk: &Map<String, Value>, min_bits: usize) -> Result<RsaPublicKey, Defect> {
    let number = |name| Ok(BigUint::from_bytes_be(&member::bytes(jwk, name)?));
    let (n, e) = (number("n")?, number("e")?);
    let bits = n.bits();
    if !(min_bits..=MAX_BITS).contains(&bits) {
        return Err(Defect::Modulus {
            bits,
            min: min_bits,
        });
    }
    RsaPublicKey::new_with_max_size(n, e, MAX_BITS).map_err(|_| Defect::Member("e"))
}

/// Reads a private key. Its two primes must be there; the rest of what speeds up signing is computed.
///
/// # Errors
/// If it is no private key for its `n` and `e`, or of a size that is not signed with.
pub(crate) fn private(jwk: &Map<String, Value>) -> Result<RsaPrivateKey, Defect> {
    let public = public(jwk, MIN_BITS)?;
    let bits = public.n().bits();
    if bits > MAX_SIGNING_BITS {
        return Err(Defect::Modulus {
            bits,
            min: MIN_BITS,
        });
    }
    let number = |name| Ok(BigUint::from_bytes_be(&member::bytes(jwk, name)?));
    let (d, p, q) = (number("d")?, number("p")?, number("q")?);
    RsaPrivateKey::from_components(public.n().clone(), public.e().clone(), d, vec![p, q])
        .map_err(|_| Defect::Mismatch)
}

/// Whether the signature is the key's. With `longest_salt`, also a PSS signature with the longest salt that fits: old
/// golang-jwt wrote those, though RFC 7518 section 3.5 has the salt as long as the hash.
pub(crate) fn verify(
    key: &RsaPublicKey,
    padding: Padding,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
    longest_salt: bool,
) -> bool {
    // RFC 8017 section 5.2.2: a number below n, and as many bytes as n.
    if signature.len() != key.size() || BigUint::from_bytes_be(signature) >= *key.n() {
        return false;
    }
    let digest = hash.digest(message);
    match padding {
        Padding::Pkcs1 => key.verify(pkcs1(hash), &digest, signature).is_ok(),
        Padding::Pss => {
            let fits = |salt| key.verify(pss(hash, salt), &digest, signature).is_ok();
            let encoded = key.n().bits().saturating_sub(1).div_ceil(8);
            let longest = encoded.checked_sub(hash.size().saturating_add(2));
            fits(hash.size()) || (longest_salt && longest.is_some_and(fits))
        }
    }
}

/// Signs, blinded by numbers that `random` is the seed of.
pub(crate) fn sign(
    key: &RsaPrivateKey,
    padding: Padding,
    hash: Hash,
    message: &[u8],
    random: &[u8; 32],
) -> Option<Vec<u8>> {
    let mut random = ChaCha20Rng::from_seed(*random);
    let digest = hash.digest(message);
    match padding {
        Padding::Pkcs1 => key.sign_with_rng(&mut random, pkcs1(hash), &digest),
        Padding::Pss => key.sign_with_rng(&mut random, pss(hash, hash.size()), &digest),
    }
    .ok()
}

fn pkcs1(hash: Hash) -> Pkcs1v15Sign {
    match hash {
        Hash::Sha256 => Pkcs1v15Sign::new::<Sha256>(),
        Hash::Sha384 => Pkcs1v15Sign::new::<Sha384>(),
        Hash::Sha512 => Pkcs1v15Sign::new::<Sha512>(),
    }
}

fn pss(hash: Hash, salt: usize) -> Pss {
    match hash {
        Hash::Sha256 => Pss::new_with_salt::<Sha256>(salt),
        Hash::Sha384 => Pss::new_with_salt::<Sha384>(salt),
        Hash::Sha512 => Pss::new_with_salt::<Sha512>(salt),
    }
}
