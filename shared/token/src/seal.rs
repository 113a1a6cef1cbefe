//! Sealing what lies in a store: private keys, so that reading it is not enough to sign; sessions, so that it is neither
//! enough to read about people nor to write to become one; which policy is in force, so that writing is not enough to choose.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Characters a sealing secret needs, at least.
pub const MIN_SECRET_LENGTH: usize = 32;

/// Bytes of a nonce. Long enough to be drawn at random for every seal.
pub const NONCE_LENGTH: usize = 24;

/// Separates one use of the secret from any other (RFC 5869 section 3.2).
const SIGNING_KEYS: &[u8] = b"edgekeeper signing keys, XChaCha20-Poly1305, format 1";
const SESSIONS: &[u8] = b"edgekeeper sessions, XChaCha20-Poly1305, format 1";
const POLICIES: &[u8] = b"edgekeeper policies, XChaCha20-Poly1305, format 1";

/// Seals and opens under one secret: XChaCha20-Poly1305 under HKDF-SHA256 of the secret.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// Derives the key that seals signing keys. White space around the secret is not part of it, since tools that
    /// store secrets differ in whether they keep the last line feed.
    ///
    /// # Errors
    /// If the secret is shorter than [`MIN_SECRET_LENGTH`]. HKDF does not slow down guessing, so
    /// the secret must be random, not a phrase.
    pub fn new(secret: &[u8]) -> Result<Self, SecretError> {
        Self::derive(secret, SIGNING_KEYS)
    }

    /// Derives, from the same secret, the key that seals sessions.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_sessions(secret: &[u8]) -> Result<Self, SecretError> {
        Self::derive(secret, SESSIONS)
    }

    /// Derives, from the same secret, the key that seals which policy is in force.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn for_policies(secret: &[u8]) -> Result<Self, SecretError> {
        Self::derive(secret, POLICIES)
    }

    fn derive(secret: &[u8], context: &[u8]) -> Result<Self, SecretError> {
        let secret = secret.trim_ascii();
        let refused = SecretError {
            length: secret.len(),
        };
        if secret.len() < MIN_SECRET_LENGTH {
            return Err(refused);
        }
        let mut key = Zeroizing::new([0_u8; 32]);
        Hkdf::<Sha256>::new(None, secret)
            .expand(context, key.as_mut())
            .map_err(|_| refused)?;
        Ok(Self {
            cipher: XChaCha20Poly1305::new(key.as_ref().into()),
        })
    }

    /// Seals `plaintext`; returns nonce and ciphertext in one. `aad` is not stored, but opening
    /// needs the same. A nonce must never be used twice; 24 random bytes are safe.
    ///
    /// # Errors
    /// Only for a plaintext beyond the cipher's 256 GiB.
    pub fn seal(
        &self,
        aad: &[u8],
        nonce: [u8; NONCE_LENGTH],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let payload = Payload {
            msg: plaintext,
            aad,
        };
        let ciphertext = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| SealError)?;
        Ok([nonce.as_slice(), &ciphertext].concat())
    }

    /// Opens what [`Sealer::seal`] returned.
    ///
    /// # Errors
    /// One error for another secret, other `aad`, and damage: the cipher cannot tell them apart.
    pub fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_LENGTH>()
            .ok_or(SealError)?;
        let payload = Payload {
            msg: ciphertext,
            aad,
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .map_err(|_| SealError)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

/// The secret is too short to seal with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretError {
    length: usize,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "KEYS_SECRET has {} characters; it needs at least {MIN_SECRET_LENGTH} random ones. \
             Make one with: openssl rand -base64 32",
            self.length
        )
    }
}

impl std::error::Error for SecretError {}

/// Sealed bytes do not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SealError;

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sealed under another secret, moved from another name, or damaged")
    }
}

impl std::error::Error for SealError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn sealer() -> Sealer {
        Sealer::new(SECRET).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_only_under_the_same_secret_and_aad() {
        let sealed = sealer().seal(b"keys/7", [3; 24], b"private").unwrap();
        assert_eq!(
            sealer().open(b"keys/7", &sealed).unwrap().as_slice(),
            b"private"
        );
        assert_eq!(sealer().open(b"keys/8", &sealed), Err(SealError));
        let other = Sealer::new(b"0123456789abcdef0123456789abcdeF").unwrap();
        assert_eq!(other.open(b"keys/7", &sealed), Err(SealError));
    }

    #[test]
    fn what_is_sealed_for_one_use_does_not_open_for_another() {
        let sealers = [Sealer::new, Sealer::for_sessions, Sealer::for_policies];
        for (i, one) in sealers.iter().enumerate() {
            let sealed = one(SECRET).unwrap().seal(b"a", [3; 24], b"x").unwrap();
            for (j, other) in sealers.iter().enumerate() {
                let opened = other(SECRET).unwrap().open(b"a", &sealed);
                assert_eq!(opened.is_ok(), i == j, "{i}, {j}");
            }
        }
    }

    #[test]
    fn every_changed_or_missing_byte_is_noticed() {
        let sealed = sealer().seal(b"a", [3; 24], b"private").unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(sealer().open(b"a", &changed), Err(SealError), "{position}");
            assert_eq!(sealer().open(b"a", &sealed[..position]), Err(SealError));
        }
    }

    #[test]
    fn the_ciphertext_hides_the_plaintext_and_differs_by_nonce() {
        let one = sealer().seal(b"a", [1; 24], b"private").unwrap();
        let two = sealer().seal(b"a", [2; 24], b"private").unwrap();
        assert!(!one.windows(7).any(|window| window == b"private"));
        assert_ne!(one[24..], two[24..]);
    }

    #[test]
    fn a_short_secret_is_refused_with_how_to_make_one() {
        for secret in [
            "",
            "short",
            &"x".repeat(31),
            &format!("{}\n\n", "x".repeat(31)),
        ] {
            let error = Sealer::new(secret.as_bytes()).unwrap_err().to_string();
            assert!(error.contains("openssl rand -base64 32"), "{error}");
            assert!(secret.is_empty() || !error.contains(secret), "{error}");
        }
    }

    #[test]
    fn a_line_feed_after_the_secret_changes_nothing() {
        let sealed = sealer().seal(b"a", [3; 24], b"private").unwrap();
        let with_line_feed = Sealer::new(&[SECRET, b"\r\n"].concat()).unwrap();
        assert!(with_line_feed.open(b"a", &sealed).is_ok());
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", sealer()), "Sealer { .. }");
    }
}
