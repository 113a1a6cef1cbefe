//! An imported key that signs.

use std::fmt;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, Mac as _};
use rsa::RsaPrivateKey;
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::foreign::ec::EcPrivate;
use crate::foreign::key::{Defect, KeyProblem, ed25519, may};
use crate::foreign::member;
use crate::foreign::rsa::{self as rsa_key, Padding};
use crate::jwa::{Hash, Jwa};
use crate::jwt::{MintError, compact};

/// What signs. Each of these wipes itself when dropped.
enum Secret {
    Rsa(RsaPrivateKey),
    Ec(EcPrivate),
    Ed25519(ed25519_dalek::SigningKey),
    Symmetric(Zeroizing<Vec<u8>>),
}

/// A private key of an imported set, and the key id its tokens name. `Debug` shows no secret.
pub struct ForeignSigner {
    secret: Secret,
    jwa: Jwa,
    kid: String,
}

impl ForeignSigner {
    /// Reads a private key, which must say how it signs and be whole.
    pub(super) fn read(jwk: &Map<String, Value>, kid: &str) -> Result<Self, Defect> {
        let alg = member::text(jwk, "alg")?.filter(|alg| !alg.is_empty());
        let jwa = Jwa::from_name(alg.ok_or(Defect::NoAlgorithm)?).ok_or(Defect::Algorithm)?;
        let secret = match (member::text(jwk, "kty")?, jwa) {
            (Some("RSA"), Jwa::Rsa(_) | Jwa::RsaPss(_)) => Secret::Rsa(rsa_key::private(jwk)?),
            (Some("EC"), Jwa::Ecdsa(hash)) => {
                let key = EcPrivate::read(jwk)?;
                if key.public().hash() != hash {
                    return Err(Defect::Algorithm);
                }
                Secret::Ec(key)
            }
            (Some("OKP"), Jwa::EdDsa) => Secret::Ed25519(private_ed25519(jwk)?),
            (Some("oct"), Jwa::Hmac(hash)) => {
                let key = Zeroizing::new(member::bytes(jwk, "k")?);
                // RFC 7518 section 3.2.
                if key.len() < hash.size() {
                    return Err(Defect::Short {
                        bytes: key.len(),
                        min: hash.size(),
                    });
                }
                Secret::Symmetric(key)
            }
            _ => return Err(Defect::Algorithm),
        };
        if !may(jwk, "sign")? {
            return Err(Defect::Operations);
        }
        Ok(Self {
            secret,
            jwa,
            kid: kid.to_owned(),
        })
    }

    /// The key id that tokens name.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// How it signs.
    pub const fn algorithm(&self) -> Jwa {
        self.jwa
    }

    /// Whether upstreams can check its tokens only with the secret itself, since there is no public half to publish.
    pub const fn is_symmetric(&self) -> bool {
        matches!(self.secret, Secret::Symmetric(_))
    }

    /// Signs claims. The header is exactly `{"alg":…,"kid":…,"typ":"JWT"}`, as Oathkeeper's. `random` are 32 bytes from a
    /// cryptographic source, new for each token: they blind RSA's arithmetic and salt PS signatures.
    ///
    /// # Errors
    /// If the token would be longer than [`crate::jwt::MAX_TOKEN_LENGTH`].
    pub fn sign(
        &self,
        claims: &Map<String, Value>,
        random: &[u8; 32],
    ) -> Result<String, MintError> {
        compact(self.jwa.name(), &self.kid, claims, |message| {
            self.signature(message, random)
        })
    }

    fn signature(&self, message: &[u8], random: &[u8; 32]) -> Option<Vec<u8>> {
        match (&self.secret, self.jwa) {
            (Secret::Rsa(key), Jwa::Rsa(hash)) => {
                rsa_key::sign(key, Padding::Pkcs1, hash, message, random)
            }
            (Secret::Rsa(key), Jwa::RsaPss(hash)) => {
                rsa_key::sign(key, Padding::Pss, hash, message, random)
            }
            (Secret::Ec(key), _) => key.sign(message),
            (Secret::Ed25519(key), _) => Some(key.sign(message).to_bytes().to_vec()),
            (Secret::Symmetric(key), Jwa::Hmac(hash)) => match hash {
                Hash::Sha256 => Hmac::<Sha256>::new_from_slice(key)
                    .ok()
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
                Hash::Sha384 => Hmac::<Sha384>::new_from_slice(key)
                    .ok()
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
                Hash::Sha512 => Hmac::<Sha512>::new_from_slice(key)
                    .ok()
                    .map(|mac| mac.chain_update(message).finalize().into_bytes().to_vec()),
            },
            _ => None,
        }
    }
}

fn private_ed25519(jwk: &Map<String, Value>) -> Result<ed25519_dalek::SigningKey, Defect> {
    let public = ed25519(jwk)?;
    let d = Zeroizing::new(member::bytes(jwk, "d")?);
    let d = <&[u8; 32]>::try_from(d.as_slice()).map_err(|_| Defect::Member("d"))?;
    let key = ed25519_dalek::SigningKey::from_bytes(d);
    if key.verifying_key() != public {
        return Err(Defect::Mismatch);
    }
    Ok(key)
}

impl fmt::Debug for ForeignSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSigner")
            .field("alg", &self.jwa.name())
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}

/// Why a set has no key that signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignerError {
    /// Only public keys, or none.
    NoPrivateKey,
    /// The private key has no `kid`.
    NoKeyId {
        /// Index in `keys`.
        position: usize,
    },
    /// The public key that tokens would name is not the private key's.
    OtherPublic {
        /// Index of the private key.
        private: usize,
        /// Index of the public key.
        public: usize,
    },
    /// The private key cannot be used.
    Key(KeyProblem),
}

impl fmt::Display for SignerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrivateKey => f.write_str(
                "key set: no private key to sign with; one is needed that has \"d\" (RSA, EC, OKP) or \"k\" (oct)",
            ),
            Self::NoKeyId { position } => write!(
                f,
                "key set: keys[{position}] has no \"kid\" for verifiers to find it by; add one"
            ),
            Self::OtherPublic { private, public } => write!(
                f,
                "key set: keys[{private}] would sign, but tokens would name keys[{public}], which is another key: \
                 nobody could check them. Put the public half of keys[{private}] beside it, or leave keys[{public}] out"
            ),
            Self::Key(problem) => write!(f, "key set: {problem}"),
        }
    }
}

impl std::error::Error for SignerError {}
