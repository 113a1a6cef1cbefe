//! Private signing keys.

use std::fmt;

use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::jwk::{PublicJwk, VerifyingKey};

/// The private half, in the form its library signs with. Both types wipe themselves when dropped.
pub(crate) enum Secret {
    /// Ed25519.
    Ed25519(ed25519_dalek::SigningKey),
    /// P-256.
    P256(p256::ecdsa::SigningKey),
}

/// A private signing key with its public half. `Debug` shows the algorithm and key id only.
pub struct SigningKey {
    secret: Secret,
    public: PublicJwk,
}

impl SigningKey {
    /// Makes a key from 32 random bytes, which must come from a cryptographic source.
    ///
    /// # Errors
    /// For ES256 not every 32 bytes are a key: about one in 4 billion is not, and then other bytes
    /// are needed.
    pub fn generate(algorithm: Algorithm, random: &[u8; 32]) -> Result<Self, KeyError> {
        let (secret, public) = match algorithm {
            Algorithm::EdDsa => {
                let key = ed25519_dalek::SigningKey::from_bytes(random);
                let public = VerifyingKey::Ed25519(key.verifying_key());
                (Secret::Ed25519(key), public)
            }
            Algorithm::Es256 => {
                let key = p256::ecdsa::SigningKey::from_slice(random).map_err(|_| KeyError)?;
                let public = VerifyingKey::P256(*key.verifying_key());
                (Secret::P256(key), public)
            }
        };
        Ok(Self {
            secret,
            public: PublicJwk::new(public),
        })
    }

    /// The public half, with the thumbprint as its key id.
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// The key id: the public half's RFC 7638 thumbprint.
    pub fn kid(&self) -> &str {
        self.public.kid()
    }

    /// The algorithm it signs with.
    pub const fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The 32 bytes it was generated from, to be sealed.
    pub(crate) fn secret_bytes(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(match &self.secret {
            Secret::Ed25519(key) => key.to_bytes(),
            Secret::P256(key) => key.to_bytes().into(),
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("alg", &self.algorithm().name())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

/// The bytes are not a private key of this algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyError;

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("these 32 bytes are not an ES256 private key; draw 32 new random bytes")
    }
}

impl std::error::Error for KeyError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoding::decode_32;

    #[test]
    fn the_key_of_rfc_8037_a_1_has_its_public_half_and_thumbprint() {
        let d = decode_32("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let key = SigningKey::generate(Algorithm::EdDsa, &d).unwrap();
        assert_eq!(key.kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
        let jwk = serde_json::to_value(key.public()).unwrap();
        assert_eq!(jwk["x"], "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    }

    #[test]
    fn the_key_of_rfc_7515_a_3_has_its_public_half() {
        let d = decode_32("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI").unwrap();
        let key = SigningKey::generate(Algorithm::Es256, &d).unwrap();
        let jwk = serde_json::to_value(key.public()).unwrap();
        assert_eq!(jwk["x"], "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        assert_eq!(jwk["y"], "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    }

    #[test]
    fn bytes_that_are_no_p256_scalar_are_refused() {
        for bytes in [[0; 32], [0xff; 32]] {
            let error = SigningKey::generate(Algorithm::Es256, &bytes).unwrap_err();
            assert!(error.to_string().contains("draw 32 new random bytes"));
        }
    }

    #[test]
    fn debug_and_public_json_do_not_show_the_secret() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm, &[0x42; 32]).unwrap();
            let secret = crate::encoding::encode(&[0x42; 32]);
            let debug = format!("{key:?}");
            assert!(
                !debug.contains("66, 66") && !debug.contains("4242"),
                "{debug}"
            );
            let json = serde_json::to_string(key.public()).unwrap();
            assert!(!json.contains(&secret) && !json.contains("\"d\""), "{json}");
        }
    }
}
