//! JSON Web Tokens in compact form (RFC 7515, RFC 7519): made, and checked.

use std::fmt;

use ed25519_dalek::Signer as _;
use serde_json::{Map, Value, json};

use crate::encoding::{decode, encode};
use crate::foreign::ec::{p256_sign, p256_verify};
use crate::foreign::key::verify_ed25519;
use crate::jwk::{Jwks, PublicJwk, VerifyingKey};
use crate::key::{Secret, SigningKey};
use crate::object::{ObjectError, parse_object};

/// Longest token that is made or read, in bytes. Servers commonly refuse longer headers.
pub const MAX_TOKEN_LENGTH: usize = 64 * 1024;

/// Last second of the year 9999. Later times are mistakes, such as milliseconds.
const MAX_TIME: u64 = 253_402_300_799;

/// Signs claims. The header is exactly `{"alg":…,"kid":…,"typ":"JWT"}`, as Oathkeeper's.
///
/// # Errors
/// If the token would be longer than [`MAX_TOKEN_LENGTH`].
pub fn mint(key: &SigningKey, claims: &Map<String, Value>) -> Result<String, MintError> {
    compact(
        key.algorithm().name(),
        key.kid(),
        claims,
        |message| match key.secret() {
            Secret::Ed25519(secret) => Some(secret.sign(message).to_bytes().to_vec()),
            Secret::P256(secret) => p256_sign(secret, message),
        },
    )
}

/// A token in compact form (RFC 7515 section 7.1), with the signature that `sign` makes of its first two parts.
fn compact(
    alg: &str,
    kid: &str,
    claims: &Map<String, Value>,
    sign: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Result<String, MintError> {
    let message = message(alg, kid, claims)?;
    let signature = sign(message.as_bytes()).ok_or(MintError::Signature)?;
    signed(message, &signature)
}

/// The first two parts of a token, which the signature is of.
pub(crate) fn message(
    alg: &str,
    kid: &str,
    claims: &Map<String, Value>,
) -> Result<String, MintError> {
    let header = json!({ "alg": alg, "kid": kid, "typ": "JWT" }).to_string();
    let claims = serde_json::to_vec(claims).map_err(|_| MintError::Claims)?;
    Ok(format!("{}.{}", encode(header.as_bytes()), encode(&claims)))
}

/// A token of its first two parts and their signature.
pub(crate) fn signed(message: String, signature: &[u8]) -> Result<String, MintError> {
    let mut token = message;
    token.push('.');
    token.push_str(&encode(signature));
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(MintError::TooLong(token.len()));
    }
    Ok(token)
}

/// No token could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MintError {
    /// The claims cannot be written as JSON.
    Claims,
    /// The key could not sign.
    Signature,
    /// The token would have this many bytes.
    TooLong(usize),
}

impl fmt::Display for MintError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Claims => f.write_str("the claims cannot be written as JSON"),
            Self::Signature => f.write_str("the key could not sign the token"),
            Self::TooLong(length) => write!(
                f,
                "the token would be {length} bytes long, at most {MAX_TOKEN_LENGTH} are allowed; \
                 put fewer claims into the template"
            ),
        }
    }
}

impl std::error::Error for MintError {}

/// A token that was checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// Its claims. `exp` is there and in the future.
    pub claims: Map<String, Value>,
    /// The key that signed it.
    pub kid: String,
}

/// Checks a token at `now` (Unix seconds), with `leeway` seconds for clocks that disagree.
///
/// The algorithm is the key's, and the key is one of `keys`: what the header says about either is
/// compared, never followed. `kid` and `exp` must be there; `nbf` and `iat`, if there, must not be
/// in the future. Issuer, audience and the like are the caller's to check.
///
/// # Errors
/// The first reason found. None repeats a value from the token.
pub fn verify(token: &str, keys: &Jwks, now: u64, leeway: u64) -> Result<Verified, VerifyError> {
    if token.len() > MAX_TOKEN_LENGTH {
        return Err(VerifyError::TooLong);
    }
    let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Parts)?;
    let (header, payload) = signed.split_once('.').ok_or(VerifyError::Parts)?;
    if payload.contains('.') {
        return Err(VerifyError::Parts);
    }
    let header = part("header", header)?;
    let key = select_key(&header, keys)?;
    // Before the signature is checked nothing in the claims counts, except that they are JSON.
    let claims = part("claims", payload)?;
    let signature = decode(signature).ok_or(VerifyError::Encoding("signature"))?;
    let genuine = match key.key() {
        VerifyingKey::Ed25519(public) => verify_ed25519(public, signed.as_bytes(), &signature),
        VerifyingKey::P256(public) => p256_verify(public, signed.as_bytes(), &signature),
    };
    if !genuine {
        return Err(VerifyError::Signature);
    }
    check_times(&claims, now, leeway)?;
    Ok(Verified {
        claims,
        kid: key.kid().to_owned(),
    })
}

fn part(name: &'static str, encoded: &str) -> Result<Map<String, Value>, VerifyError> {
    let bytes = decode(encoded).ok_or(VerifyError::Encoding(name))?;
    let text = String::from_utf8(bytes).map_err(|_| VerifyError::Encoding(name))?;
    parse_object(&text).map_err(|error| VerifyError::Object { name, error })
}

fn select_key<'a>(
    header: &Map<String, Value>,
    keys: &'a Jwks,
) -> Result<&'a PublicJwk, VerifyError> {
    // RFC 7515 section 4.1.11: what `crit` lists must be understood, and we understand nothing.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(VerifyError::Critical);
    }
    let text = |name| header.get(name).map(Value::as_str);
    match text("typ") {
        None => {}
        // RFC 7519 section 5.1 and RFC 9068 section 2.1; compared as media types, without case.
        Some(Some(typ))
            if ["jwt", "at+jwt"]
                .iter()
                .any(|known| typ.eq_ignore_ascii_case(known)) => {}
        Some(_) => return Err(VerifyError::Type),
    }
    // RFC 7519 section 5.2: a content type means that the payload is another token.
    if header.contains_key("cty") {
        return Err(VerifyError::Type);
    }
    let kid = text("kid").flatten().ok_or(VerifyError::KidMissing)?;
    let alg = text("alg").flatten().ok_or(VerifyError::Algorithm)?;
    let key = keys.find(kid).ok_or(VerifyError::KeyUnknown)?;
    if alg != key.algorithm().name() {
        return Err(VerifyError::Algorithm);
    }
    Ok(key)
}

fn check_times(claims: &Map<String, Value>, now: u64, leeway: u64) -> Result<(), VerifyError> {
    let latest = now.saturating_add(leeway);
    let expires = time(claims, "exp")?.ok_or(VerifyError::ExpMissing)?;
    // RFC 7519 section 4.1.4: "on or after which" it is not accepted.
    if expires.saturating_add(leeway) <= now {
        return Err(VerifyError::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|begins| begins > latest) {
            return Err(VerifyError::NotYet);
        }
    }
    Ok(())
}

/// Whole seconds only: that is what issuers write, and fractions only invite disagreement.
fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<u64>, VerifyError> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_u64() {
            Some(seconds) if seconds <= MAX_TIME => Ok(Some(seconds)),
            _ => Err(VerifyError::Time),
        },
    }
}

/// Why a token is not accepted.
#[derive(Debug)]
pub enum VerifyError {
    /// Longer than [`MAX_TOKEN_LENGTH`].
    TooLong,
    /// Not three parts with dots between.
    Parts,
    /// The named part is not base64url in its only spelling, or not of UTF-8 text.
    Encoding(&'static str),
    /// The named part is not a JSON object that can be read in one way only.
    Object {
        /// `header` or `claims`.
        name: &'static str,
        /// Where and what.
        error: ObjectError,
    },
    /// The header demands extensions.
    Critical,
    /// The header's `typ` or `cty` says that it is something else.
    Type,
    /// No `kid` to find the key by.
    KidMissing,
    /// No key, or more than one, has this `kid`.
    KeyUnknown,
    /// The header's `alg` is not the key's.
    Algorithm,
    /// The signature does not fit.
    Signature,
    /// No `exp`.
    ExpMissing,
    /// A time is not whole Unix seconds before the year 10000.
    Time,
    /// `exp` is past.
    Expired,
    /// `nbf` or `iat` is in the future.
    NotYet,
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::Encoding(name) => {
                return write!(f, "the token's {name} is not base64url without padding");
            }
            Self::Object { name, error } => return write!(f, "the token's {name}: {error}"),
            Self::TooLong => return write!(f, "the token is over {MAX_TOKEN_LENGTH} bytes long"),
            Self::Parts => "the token must have three parts: header, claims, signature",
            Self::Critical => "the token demands extensions (crit or b64); none are supported",
            Self::Type => "the token is of another type; allowed in typ: JWT, at+jwt; no cty",
            Self::KidMissing => "the token's header has no kid",
            Self::KeyUnknown => "the token's kid is not that of exactly one key in the set",
            Self::Algorithm => "the token's alg is not its key's",
            Self::Signature => "the token's signature does not fit",
            Self::ExpMissing => "the token has no exp",
            Self::Time => "exp, nbf and iat must be whole Unix seconds before the year 10000",
            Self::Expired => "the token has expired",
            Self::NotYet => "the token is not valid yet (nbf or iat is in the future)",
        };
        f.write_str(said)
    }
}

impl std::error::Error for VerifyError {}

#[cfg(test)]
mod tests;
