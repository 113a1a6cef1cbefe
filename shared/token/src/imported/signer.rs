//! An imported key that signs.

use std::fmt;

use ed25519_dalek::Signer as _;
use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use crate::foreign::ec::{self, EcPrivate, p256_private, p256_sign};
use crate::foreign::key::{Defect, KeyProblem, ed25519, may};
use crate::foreign::large::LargeKey;
use crate::foreign::member;
use crate::foreign::rsa::{self as rsa_key, Padding};
use crate::jwa::{Hash, Jwa};
use crate::jwt::{MintError, message, signed};

/// What signs. Each of these wipes itself when dropped.
enum Secret {
    /// RSA, P-384 or P-521.
    Large(LargeKey),
    P256(p256::ecdsa::SigningKey),
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
    /// Reads a private key, which must say how it signs and be whole. What `prove` says of a large one counts.
    pub(super) fn read(
        jwk: &Map<String, Value>,
        kid: &str,
        prove: impl Fn(&LargeKey) -> Result<(), Defect>,
    ) -> Result<Self, Defect> {
        let alg = member::text(jwk, "alg")?.filter(|alg| !alg.is_empty());
        let jwa = Jwa::from_name(alg.ok_or(Defect::NoAlgorithm)?).ok_or(Defect::Algorithm)?;
        let secret = match (member::text(jwk, "kty")?, jwa) {
            (Some("RSA"), Jwa::Rsa(_) | Jwa::RsaPss(_)) => {
                Secret::Large(LargeKey::rsa_private(jwk)?)
            }
            (Some("EC"), Jwa::Ecdsa(hash)) => {
                let own = ec::curve(jwk)?.hash;
                let secret = match own {
                    Hash::Sha256 => Secret::P256(p256_private(jwk)?),
                    Hash::Sha384 | Hash::Sha512 => Secret::Large(LargeKey::ec_private(jwk)?),
                };
                if own != hash {
                    return Err(Defect::Algorithm);
                }
                secret
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
        if let Secret::Large(key) = &secret {
            prove(key)?;
        }
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

    /// Signs claims: [`Self::begin`], and what is left with the arithmetic of this crate. `random` are 32 bytes from a
    /// cryptographic source, new for each token: they blind RSA's arithmetic and salt PS signatures.
    ///
    /// # Errors
    /// If the key cannot sign, or the token would be longer than [`crate::jwt::MAX_TOKEN_LENGTH`].
    pub fn sign(
        &self,
        claims: &Map<String, Value>,
        random: &[u8; 32],
    ) -> Result<String, MintError> {
        match self.begin(claims)? {
            Begun::Signed(token) => Ok(token),
            Begun::Unsigned(unsigned) => {
                let signature = unsigned.sign(random).ok_or(MintError::Signature)?;
                unsigned.finish(&signature)
            }
        }
    }

    /// Makes a token as far as it can be made without large arithmetic. The header is exactly
    /// `{"alg":…,"kid":…,"typ":"JWT"}`, as Oathkeeper's.
    ///
    /// # Errors
    /// As [`Self::sign`].
    pub fn begin(&self, claims: &Map<String, Value>) -> Result<Begun<'_>, MintError> {
        let message = message(self.jwa.name(), &self.kid, claims)?;
        match &self.secret {
            Secret::Large(key) => Ok(Begun::Unsigned(Unsigned {
                jwa: self.jwa,
                key,
                message,
            })),
            small => {
                let signature = small
                    .sign(self.jwa, message.as_bytes())
                    .ok_or(MintError::Signature)?;
                signed(message, &signature).map(Begun::Signed)
            }
        }
    }
}

impl Secret {
    /// The signature of a key that takes no large arithmetic.
    fn sign(&self, jwa: Jwa, message: &[u8]) -> Option<Vec<u8>> {
        match (self, jwa) {
            (Self::P256(key), _) => p256_sign(key, message),
            (Self::Ed25519(key), _) => Some(key.sign(message).to_bytes().to_vec()),
            (Self::Symmetric(key), Jwa::Hmac(hash)) => match hash {
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
            (Self::Large(_) | Self::Symmetric(_), _) => None,
        }
    }
}

/// A token that was begun.
pub enum Begun<'a> {
    /// It is done.
    Signed(String),
    /// Its signature is left to make.
    Unsigned(Unsigned<'a>),
}

/// A token that lacks a signature of an RS or PS algorithm, ES384 or ES512. `Debug` shows the algorithm alone.
pub struct Unsigned<'a> {
    jwa: Jwa,
    key: &'a LargeKey,
    message: String,
}

impl Unsigned<'_> {
    /// How it is to be signed. In PSS the salt is as long as the hash (RFC 7518 section 3.5).
    pub const fn algorithm(&self) -> Jwa {
        self.jwa
    }

    /// The private key: the members of a JWK with nothing but `kty`, `crv` and its numbers. Never log them.
    pub fn jwk(&self) -> impl Iterator<Item = (&str, &str)> {
        self.key.members()
    }

    /// What is to be signed.
    pub const fn message(&self) -> &[u8] {
        self.message.as_bytes()
    }

    /// Signs here, without a runtime; `None` if the key is none. `random` as in [`ForeignSigner::sign`].
    pub fn sign(&self, random: &[u8; 32]) -> Option<Vec<u8>> {
        let rsa = |padding, hash| {
            let key = rsa_key::private(self.key.jwk()).ok()?;
            rsa_key::sign(&key, padding, hash, self.message(), random)
        };
        match self.jwa {
            Jwa::Rsa(hash) => rsa(Padding::Pkcs1, hash),
            Jwa::RsaPss(hash) => rsa(Padding::Pss, hash),
            _ => EcPrivate::read(self.key.jwk()).ok()?.sign(self.message()),
        }
    }

    /// The token with its signature, that of ECDSA being two numbers of the curve's size (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// If the token is longer than [`crate::jwt::MAX_TOKEN_LENGTH`].
    pub fn finish(self, signature: &[u8]) -> Result<String, MintError> {
        signed(self.message, signature)
    }
}

impl fmt::Debug for Unsigned<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unsigned")
            .field("alg", &self.jwa.name())
            .finish_non_exhaustive()
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
