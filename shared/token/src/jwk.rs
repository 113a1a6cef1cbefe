//! Public keys as JSON Web Keys (RFC 7517), and their sets.

use std::fmt;

use p256::ecdsa::VerifyingKey as P256Key;
use p256::elliptic_curve::sec1::Coordinates;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;
use crate::encoding::{decode_32, encode};
use crate::object::{ObjectError, parse_object};

/// Keys in one set, at most. A set is looked through for each token.
const MAX_KEYS: usize = 64;

/// The point of a public key, known to be on its curve.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum VerifyingKey {
    /// Ed25519, not of small order.
    Ed25519(ed25519_dalek::VerifyingKey),
    /// P-256.
    P256(P256Key),
}

/// A public signing key that was checked when it was made: a valid point, a key id, and one
/// algorithm, so that a token's header has no say in how it is verified.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicJwk {
    kid: String,
    key: VerifyingKey,
}

impl PublicJwk {
    /// The key with its RFC 7638 thumbprint as key id.
    pub(crate) fn new(key: VerifyingKey) -> Self {
        let mut jwk = Self {
            kid: String::new(),
            key,
        };
        jwk.kid = jwk.thumbprint();
        jwk
    }

    /// The key id, as in a token's header.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The only algorithm this key verifies.
    pub const fn algorithm(&self) -> Algorithm {
        match self.key {
            VerifyingKey::Ed25519(_) => Algorithm::EdDsa,
            VerifyingKey::P256(_) => Algorithm::Es256,
        }
    }

    pub(crate) const fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// base64url(SHA-256) of the required members in alphabetical order (RFC 7638 section 3,
    /// RFC 8037 section 2). Written by hand: the bytes must not depend on a map's order.
    pub fn thumbprint(&self) -> String {
        let Members { kty, crv, x, y } = self.members();
        let canonical = match y {
            None => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}"}}"#),
            Some(y) => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#),
        };
        encode(&Sha256::digest(canonical))
    }

    fn members(&self) -> Members {
        match &self.key {
            VerifyingKey::Ed25519(key) => Members {
                kty: "OKP",
                crv: "Ed25519",
                x: encode(key.as_bytes()),
                y: None,
            },
            VerifyingKey::P256(key) => {
                let point = key.to_encoded_point(false);
                let (x, y) = match point.coordinates() {
                    Coordinates::Uncompressed { x, y } => (encode(x), encode(y)),
                    // A verifying key is never the identity, and we asked for both coordinates.
                    _ => (String::new(), String::new()),
                };
                Members {
                    kty: "EC",
                    crv: "P-256",
                    x,
                    y: Some(y),
                }
            }
        }
    }

    /// Reads one key. Members that are not known are ignored (RFC 7517 section 4).
    ///
    /// # Errors
    /// [`JwkError::Private`] for a key with secret material: it has no place in a public set, and
    /// whoever published it must hear so. [`JwkError::Unsupported`] for a key that is fine but of
    /// no use here. [`JwkError::Invalid`] for one that is broken.
    pub fn from_object(jwk: &Map<String, Value>) -> Result<Self, JwkError> {
        let text = |name: &'static str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(value)) => Ok(Some(value.as_str())),
            Some(_) => Err(JwkError::Invalid(name)),
        };
        let kty = text("kty")?.ok_or(JwkError::Invalid("kty"))?;
        if kty == "oct"
            || ["d", "k", "p", "q"]
                .iter()
                .any(|name| jwk.contains_key(*name))
        {
            return Err(JwkError::Private);
        }
        if !matches!(text("use")?, None | Some("sig")) {
            return Err(JwkError::Unsupported("use"));
        }
        if let Some(operations) = jwk.get("key_ops") {
            let operations = operations.as_array().ok_or(JwkError::Invalid("key_ops"))?;
            if !operations.iter().any(|operation| operation == "verify") {
                return Err(JwkError::Unsupported("key_ops"));
            }
        }
        let kid = match text("kid")? {
            Some(kid) if !kid.is_empty() => kid.to_owned(),
            _ => return Err(JwkError::Unsupported("kid")),
        };
        let coordinate = |name| {
            text(name)?
                .and_then(decode_32)
                .ok_or(JwkError::Invalid(name))
        };
        let key = match (kty, text("crv")?) {
            ("OKP", Some("Ed25519")) => ed25519(&coordinate("x")?)?,
            ("EC", Some("P-256")) => p256(&coordinate("x")?, &coordinate("y")?)?,
            ("OKP" | "EC", Some(_)) => return Err(JwkError::Unsupported("crv")),
            ("OKP" | "EC", None) => return Err(JwkError::Invalid("crv")),
            _ => return Err(JwkError::Unsupported("kty")),
        };
        let jwk = Self { kid, key };
        match text("alg")? {
            None => Ok(jwk),
            Some(alg) if alg == jwk.algorithm().name() => Ok(jwk),
            Some(_) => Err(JwkError::Invalid("alg")),
        }
    }
}

fn ed25519(x: &[u8; 32]) -> Result<VerifyingKey, JwkError> {
    let key = ed25519_dalek::VerifyingKey::from_bytes(x).map_err(|_| JwkError::Invalid("x"))?;
    // Under a key of small order one signature fits many messages.
    if key.is_weak() {
        return Err(JwkError::Invalid("x"));
    }
    Ok(VerifyingKey::Ed25519(key))
}

fn p256(x: &[u8; 32], y: &[u8; 32]) -> Result<VerifyingKey, JwkError> {
    let point = p256::EncodedPoint::from_affine_coordinates(x.into(), y.into(), false);
    P256Key::from_encoded_point(&point)
        .map(VerifyingKey::P256)
        .map_err(|_| JwkError::Invalid("x"))
}

struct Members {
    kty: &'static str,
    crv: &'static str,
    x: String,
    y: Option<String>,
}

impl Serialize for PublicJwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Members { kty, crv, x, y } = self.members();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kty", kty)?;
        map.serialize_entry("crv", crv)?;
        map.serialize_entry("x", &x)?;
        if let Some(y) = y {
            map.serialize_entry("y", &y)?;
        }
        map.serialize_entry("alg", self.algorithm().name())?;
        map.serialize_entry("use", "sig")?;
        map.serialize_entry("kid", &self.kid)?;
        map.end()
    }
}

impl fmt::Debug for PublicJwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicJwk")
            .field("alg", &self.algorithm().name())
            .field("kid", &self.kid)
            .finish()
    }
}

/// Why one key of a set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JwkError {
    /// It holds secret material.
    Private,
    /// The named member says it is for something we do not do.
    Unsupported(&'static str),
    /// The named member is missing, of the wrong type, or not a value it can have.
    Invalid(&'static str),
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private => f.write_str(
                "holds a private or symmetric key; publish only the public half, and replace this key",
            ),
            Self::Unsupported(member) => write!(
                f,
                "{member:?} is not one that is used here; allowed: signing keys with a kid on \
                 Ed25519 (EdDSA) or P-256 (ES256)"
            ),
            Self::Invalid(member) => write!(f, "{member:?} is missing or not valid"),
        }
    }
}

impl std::error::Error for JwkError {}

/// A set of public keys: what `/.well-known/jwks.json` serves (RFC 7517 section 5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Jwks {
    keys: Vec<PublicJwk>,
}

impl Jwks {
    /// The keys, in the order given.
    pub fn new(keys: Vec<PublicJwk>) -> Self {
        Self { keys }
    }

    /// The keys, in document order.
    pub fn keys(&self) -> &[PublicJwk] {
        &self.keys
    }

    /// The key with this id, if exactly one has it. Two would let the token choose.
    pub fn find(&self, kid: &str) -> Option<&PublicJwk> {
        let mut found = self.keys.iter().filter(|key| key.kid == kid);
        match (found.next(), found.next()) {
            (Some(key), None) => Some(key),
            _ => None,
        }
    }

    /// The document, as compact JSON.
    pub fn to_json(&self) -> String {
        // Strings in a vector always serialise; an empty set is the safe answer all the same.
        serde_json::to_string(self).unwrap_or_else(|_| r#"{"keys":[]}"#.to_owned())
    }

    /// Reads somebody's set. Keys of a kind not used here are skipped (RFC 7517 section 5).
    ///
    /// # Errors
    /// If it is no set, a key is broken, or one holds secret material.
    pub fn parse(text: &str) -> Result<Self, JwksError> {
        let document = parse_object(text).map_err(JwksError::Document)?;
        let listed = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(JwksError::NoKeys)?;
        if listed.len() > MAX_KEYS {
            return Err(JwksError::TooMany);
        }
        let mut keys = Vec::new();
        for (position, jwk) in listed.iter().enumerate() {
            let read = jwk
                .as_object()
                .ok_or(JwkError::Invalid("kty"))
                .and_then(PublicJwk::from_object);
            match read {
                Ok(key) => keys.push(key),
                Err(JwkError::Unsupported(_)) => {}
                Err(error) => return Err(JwksError::Key { position, error }),
            }
        }
        Ok(Self { keys })
    }
}

/// Why a document is not a usable key set.
#[derive(Debug)]
pub enum JwksError {
    /// Not a JSON object.
    Document(ObjectError),
    /// No array under `keys`.
    NoKeys,
    /// More keys than anyone publishes.
    TooMany,
    /// The key at this place, counted from 0.
    Key {
        /// Index in `keys`.
        position: usize,
        /// What is wrong with it.
        error: JwkError,
    },
}

impl fmt::Display for JwksError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Document(error) => write!(f, "key set: {error}"),
            Self::NoKeys => f.write_str("key set: \"keys\" must be an array of keys"),
            Self::TooMany => write!(f, "key set: more than {MAX_KEYS} keys"),
            Self::Key { position, error } => write!(f, "key set: keys[{position}]: {error}"),
        }
    }
}

impl std::error::Error for JwksError {}

#[cfg(test)]
mod tests {
    use super::*;

    const RFC_8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    // RFC 7515 appendix A.3.
    const P256_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    const P256_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    fn read(json: &str) -> Result<PublicJwk, JwkError> {
        PublicJwk::from_object(&parse_object(json).unwrap())
    }

    fn okp(rest: &str) -> String {
        format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{RFC_8037_X}"{rest}}}"#)
    }

    #[test]
    fn thumbprint_is_the_one_in_rfc_8037_a_3() {
        let jwk = read(&okp(r#","kid":"any""#)).unwrap();
        assert_eq!(
            jwk.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }

    #[test]
    fn thumbprint_of_an_ec_key_hashes_the_canonical_text() {
        let jwk = read(&format!(
            r#"{{"kty":"EC","crv":"P-256","x":"{P256_X}","y":"{P256_Y}","kid":"a","alg":"ES256"}}"#
        ))
        .unwrap();
        let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{P256_X}","y":"{P256_Y}"}}"#);
        assert_eq!(jwk.thumbprint(), encode(&Sha256::digest(canonical)));
        // The same text, hashed with Python's hashlib.
        assert_eq!(
            jwk.thumbprint(),
            "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"
        );
    }

    #[test]
    fn a_key_reads_back_as_it_was_written() {
        for json in [
            okp(r#","alg":"EdDSA","use":"sig","kid":"k""#),
            format!(
                r#"{{"kty":"EC","crv":"P-256","x":"{P256_X}","y":"{P256_Y}","alg":"ES256","use":"sig","kid":"k"}}"#
            ),
        ] {
            let jwk = read(&json).unwrap();
            assert_eq!(serde_json::to_string(&jwk).unwrap(), json);
        }
    }

    #[test]
    fn keys_that_are_secret_foreign_or_broken_are_told_apart() {
        let weak = encode(&[0; 32]);
        let cases = [
            (
                r#"{"kty":"oct","k":"AAAA","kid":"a"}"#.to_owned(),
                JwkError::Private,
            ),
            (okp(r#","kid":"a","d":"AAAA""#), JwkError::Private),
            (
                okp(r#","kid":"a","use":"enc""#),
                JwkError::Unsupported("use"),
            ),
            (
                okp(r#","kid":"a","key_ops":["sign"]"#),
                JwkError::Unsupported("key_ops"),
            ),
            (okp(""), JwkError::Unsupported("kid")),
            (okp(r#","kid":"""#), JwkError::Unsupported("kid")),
            (okp(r#","kid":7"#), JwkError::Invalid("kid")),
            (okp(r#","kid":"a","alg":"ES256""#), JwkError::Invalid("alg")),
            (okp(r#","kid":"a","alg":"none""#), JwkError::Invalid("alg")),
            (
                r#"{"kty":"RSA","n":"AQ","e":"Aw","kid":"a"}"#.to_owned(),
                JwkError::Unsupported("kty"),
            ),
            (
                r#"{"kty":"EC","crv":"P-384","kid":"a"}"#.to_owned(),
                JwkError::Unsupported("crv"),
            ),
            (
                r#"{"kty":"EC","kid":"a"}"#.to_owned(),
                JwkError::Invalid("crv"),
            ),
            (r#"{"kid":"a"}"#.to_owned(), JwkError::Invalid("kty")),
            (
                format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{weak}","kid":"a"}}"#),
                JwkError::Invalid("x"),
            ),
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"AA","kid":"a"}"#.to_owned(),
                JwkError::Invalid("x"),
            ),
            (
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{P256_X}","y":"{P256_X}","kid":"a"}}"#),
                JwkError::Invalid("x"),
            ),
            (
                format!(r#"{{"kty":"EC","crv":"P-256","x":"{P256_X}","kid":"a"}}"#),
                JwkError::Invalid("y"),
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(read(&json), Err(expected), "{json}");
        }
    }

    #[test]
    fn a_set_skips_foreign_keys_and_refuses_secret_ones() {
        let good = okp(r#","kid":"a""#);
        let rsa = r#"{"kty":"RSA","n":"AQ","e":"Aw","kid":"r"}"#;
        let set = Jwks::parse(&format!(r#"{{"keys":[{rsa},{good}],"more":1}}"#)).unwrap();
        assert_eq!(set.keys().len(), 1);
        let oct = r#"{"kty":"oct","k":"AAAA"}"#;
        let error = Jwks::parse(&format!(r#"{{"keys":[{good},{oct}]}}"#)).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("key set: keys[1]: holds a private"),
            "{error}"
        );
        for text in [
            "",
            "[]",
            "{}",
            r#"{"keys":{}}"#,
            r#"{"keys":[1]}"#,
            r#"{"keys":[],"keys":[]}"#,
        ] {
            assert!(Jwks::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn two_keys_with_one_id_are_not_chosen_between() {
        let set = Jwks::parse(&format!(
            r#"{{"keys":[{},{{"kty":"EC","crv":"P-256","x":"{P256_X}","y":"{P256_Y}","kid":"a"}}]}}"#,
            okp(r#","kid":"a""#)
        ))
        .unwrap();
        assert_eq!(set.find("a"), None);
    }
}
