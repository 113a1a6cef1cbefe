//! Every signature algorithm that other people's keys may have (RFC 7518 section 3.1, RFC 8037).

use std::fmt;

use sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash of the SHA-2 family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// Bytes of a digest.
    pub const fn size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    pub(crate) fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// A JWS signature algorithm, by what it does with which hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jwa {
    /// HS256, HS384, HS512: HMAC.
    Hmac(Hash),
    /// RS256, RS384, RS512: RSASSA-PKCS1-v1_5.
    Rsa(Hash),
    /// PS256, PS384, PS512: RSASSA-PSS.
    RsaPss(Hash),
    /// ES256 on P-256, ES384 on P-384, ES512 on P-521: ECDSA.
    Ecdsa(Hash),
    /// EdDSA on Ed25519.
    EdDsa,
}

impl Jwa {
    /// Every algorithm, in the registry's order.
    pub const ALL: [Self; 13] = [
        Self::Hmac(Hash::Sha256),
        Self::Hmac(Hash::Sha384),
        Self::Hmac(Hash::Sha512),
        Self::Rsa(Hash::Sha256),
        Self::Rsa(Hash::Sha384),
        Self::Rsa(Hash::Sha512),
        Self::Ecdsa(Hash::Sha256),
        Self::Ecdsa(Hash::Sha384),
        Self::Ecdsa(Hash::Sha512),
        Self::RsaPss(Hash::Sha256),
        Self::RsaPss(Hash::Sha384),
        Self::RsaPss(Hash::Sha512),
        Self::EdDsa,
    ];

    /// The algorithm with this registered name. Names are case-sensitive (RFC 7515 section 4.1.1).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|jwa| jwa.name() == name)
    }

    /// The registered name, as in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hmac(Hash::Sha256) => "HS256",
            Self::Hmac(Hash::Sha384) => "HS384",
            Self::Hmac(Hash::Sha512) => "HS512",
            Self::Rsa(Hash::Sha256) => "RS256",
            Self::Rsa(Hash::Sha384) => "RS384",
            Self::Rsa(Hash::Sha512) => "RS512",
            Self::Ecdsa(Hash::Sha256) => "ES256",
            Self::Ecdsa(Hash::Sha384) => "ES384",
            Self::Ecdsa(Hash::Sha512) => "ES512",
            Self::RsaPss(Hash::Sha256) => "PS256",
            Self::RsaPss(Hash::Sha384) => "PS384",
            Self::RsaPss(Hash::Sha512) => "PS512",
            Self::EdDsa => "EdDSA",
        }
    }
}

impl fmt::Display for Jwa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_algorithm_s_and_no_other_spelling_is_read() {
        for jwa in Jwa::ALL {
            assert_eq!(Jwa::from_name(jwa.name()), Some(jwa));
            assert_eq!(jwa.to_string(), jwa.name());
        }
        for name in [
            "", "none", "NONE", "rs256", "RS256 ", "HS1", "ES256K", "RS", "A128KW",
        ] {
            assert_eq!(Jwa::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn digests_have_the_size_that_is_said() {
        for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
            assert_eq!(hash.digest(b"abc").len(), hash.size());
        }
    }
}
