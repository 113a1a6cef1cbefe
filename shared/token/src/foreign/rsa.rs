//! RSA keys of a JWK (RFC 7518 section 6.3).

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Pkcs1v15Sign, Pss, RsaPrivateKey, RsaPublicKey};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

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

/// The largest exponent of a public key that is read, in bits.
const MAX_EXPONENT_BITS: usize = 33;

/// The bytes of a number, without leading zeros.
///
/// # Errors
/// If it is missing or not base64url.
pub(crate) fn number(
    jwk: &Map<String, Value>,
    name: &'static str,
) -> Result<Zeroizing<Vec<u8>>, Defect> {
    let bytes = Zeroizing::new(member::bytes(jwk, name)?);
    let significant = bytes.iter().skip_while(|byte| **byte == 0).copied();
    Ok(Zeroizing::new(significant.collect()))
}

/// Bits of a number without leading zeros.
fn bits(number: &[u8]) -> usize {
    let zeros = number.first().map_or(0, |byte| byte.leading_zeros());
    let zeros = usize::try_from(zeros).unwrap_or_default();
    number.len().saturating_mul(8).saturating_sub(zeros)
}

fn is_odd(number: &[u8]) -> bool {
    number.last().is_some_and(|byte| byte & 1 == 1)
}

/// Checks `n` and `e`.
///
/// # Errors
/// If they are no public key, or fewer than `min_bits` or too many.
pub(crate) fn check_public(jwk: &Map<String, Value>, min_bits: usize) -> Result<(), Defect> {
    let (n, e) = (number(jwk, "n")?, number(jwk, "e")?);
    let bits_of_n = bits(&n);
    if !(min_bits..=MAX_BITS).contains(&bits_of_n) {
        return Err(Defect::Modulus {
            bits: bits_of_n,
            min: min_bits,
        });
    }
    if !is_odd(&n) {
        return Err(Defect::Member("n"));
    }
    // 1 is odd, too, and signs nothing.
    if !is_odd(&e) || !(2..=MAX_EXPONENT_BITS).contains(&bits(&e)) {
        return Err(Defect::Member("e"));
    }
    Ok(())
}

/// Checks that the key is not too large to sign with.
///
/// # Errors
/// If it is.
pub(crate) fn check_signing(jwk: &Map<String, Value>) -> Result<(), Defect> {
    let bits = bits(&number(jwk, "n")?);
    if bits > MAX_SIGNING_BITS {
        return Err(Defect::Modulus {
            bits,
            min: MIN_BITS,
        });
    }
    Ok(())
}

/// The key of a JWK that [`check_public`] has checked.
///
/// # Errors
/// If it is no public key.
pub(crate) fn public(jwk: &Map<String, Value>) -> Result<RsaPublicKey, Defect> {
    let number = |name| Ok(BigUint::from_bytes_be(&number(jwk, name)?));
    RsaPublicKey::new_with_max_size(number("n")?, number("e")?, MAX_BITS)
        .map_err(|_| Defect::Member("e"))
}

/// A private key. What speeds up signing is computed.
///
/// # Errors
/// If it is no private key for its `n` and `e`.
pub(crate) fn private(jwk: &Map<String, Value>) -> Result<RsaPrivateKey, Defect> {
    let number = |name| Ok(BigUint::from_bytes_be(&number(jwk, name)?));
    let primes = vec![number("p")?, number("q")?];
    RsaPrivateKey::from_components(number("n")?, number("e")?, number("d")?, primes)
        .map_err(|_| Defect::Mismatch)
}

/// The lengths of salt, in bytes, that a PSS signature of this key may have. RFC 7518 section 3.5 has it as long as the
/// hash. With `longest` also the longest that fits: old golang-jwt wrote those.
pub(crate) fn salts(jwk: &Map<String, Value>, hash: Hash, longest: bool) -> Vec<usize> {
    let modulus = number(jwk, "n").map_or(0, |n| bits(&n));
    let encoded = modulus.saturating_sub(1).div_ceil(8);
    let longest = longest
        .then(|| encoded.checked_sub(hash.size().saturating_add(2)))
        .flatten();
    std::iter::once(hash.size()).chain(longest).collect()
}

/// Whether the signature is the key's, in PSS with a salt of one of these lengths.
pub(crate) fn verify(
    key: &RsaPublicKey,
    padding: Padding,
    hash: Hash,
    message: &[u8],
    signature: &[u8],
    salts: &[usize],
) -> bool {
    // RFC 8017 section 5.2.2: a number below n, and as many bytes as n.
    if signature.len() != key.size() || BigUint::from_bytes_be(signature) >= *key.n() {
        return false;
    }
    let digest = hash.digest(message);
    match padding {
        Padding::Pkcs1 => key.verify(pkcs1(hash), &digest, signature).is_ok(),
        Padding::Pss => salts
            .iter()
            .any(|salt| key.verify(pss(hash, *salt), &digest, signature).is_ok()),
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
