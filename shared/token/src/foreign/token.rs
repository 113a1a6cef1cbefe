//! Tokens that others signed, checked as golang-jwt v5 does it in Oathkeeper's `jwt` authenticator.
//!
//! Stricter than there in both modes, because the rest is unsafe: extensions that a token demands (`crit`, `b64`) are
//! refused, an `exp` of 0 is past, and a signature has to be on the curve that its algorithm names.

use std::fmt;

use serde_json::{Map, Value};

use super::check::{SignatureCheck, Verdict};
use super::key::Defect;
use super::lifetime::{self, LifetimeProblem};
use super::set::JwkSet;
use crate::encoding::{decode, decode_loose};
use crate::jwa::Jwa;
use crate::jwt::MAX_TOKEN_LENGTH;
use crate::object::{ObjectError, parse_object};

/// What a token has to satisfy.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// `allowed_algorithms`. `none` is refused even when it is listed; EdDSA in strict mode, as in Oathkeeper.
    pub algorithms: &'a [String],
    /// Unix seconds.
    pub now: u64,
    /// As Oathkeeper: base64url with bits left over is read, of a repeated JSON key the last counts, and a key's `alg`
    /// means nothing.
    pub strict: bool,
}

/// Checks a token, and returns its claims: [`begin`], and what is left with the arithmetic of this crate.
///
/// # Errors
/// The first reason found, in golang-jwt's order.
pub fn verify(
    token: &str,
    sets: &[&JwkSet],
    options: &Options<'_>,
) -> Result<Map<String, Value>, VerifyError> {
    let begun = begin(token, sets, options)?;
    let verdict = begun
        .check()
        .map_or(Verdict::Genuine, SignatureCheck::verify);
    begun.finish(verdict)
}

/// Checks a token as far as it can be without large arithmetic. The key is the first with the token's `kid` and `"use":"sig"` in the first
/// set that has one. Audience, issuer and scope are the caller's to check.
///
/// # Errors
/// The first reason found, in golang-jwt's order. On [`VerifyError::KidUnknown`] newer sets may help.
pub fn begin<'a>(
    token: &'a str,
    sets: &[&'a JwkSet],
    options: &Options<'_>,
) -> Result<Begun<'a>, VerifyError> {
    let parts = Parts::split(token)?;
    let header = parts.header(options.strict)?;
    let claims = parts.claims(options.strict)?;
    let name = match header.get("alg") {
        Some(Value::String(name)) => name.as_str(),
        _ => return Err(VerifyError::AlgorithmMissing),
    };
    let jwa = Jwa::from_name(name);
    if jwa.is_none() && name != "none" {
        return Err(VerifyError::AlgorithmUnknown);
    }
    let signature = segment(Part::Signature, parts.signature, options.strict)?;
    // RFC 7515 section 4.1.11: what `crit` lists must be understood, and we understand nothing.
    if header.contains_key("crit") || header.contains_key("b64") {
        return Err(VerifyError::Critical);
    }
    if !options.algorithms.iter().any(|allowed| allowed == name) {
        return Err(VerifyError::AlgorithmNotAllowed);
    }
    let kid = match header.get("kid") {
        Some(Value::String(kid)) if !kid.is_empty() => kid,
        _ => return Err(VerifyError::KidMissing),
    };
    let key = sets
        .iter()
        .find_map(|set| set.find(kid))
        .ok_or(VerifyError::KidUnknown)?;
    let jwa = match jwa {
        Some(jwa) if !(options.strict && jwa == Jwa::EdDsa) => jwa,
        _ => return Err(VerifyError::AlgorithmUnsupported),
    };
    let key = key
        .as_ref()
        .map_err(|defect| VerifyError::Key(*defect, jwa))?;
    if !key.fits(jwa, options.strict) {
        return Err(VerifyError::KeyUnfit);
    }
    let message = parts.signed.as_bytes();
    let check = match key.large(jwa) {
        Some(key) => Some(SignatureCheck {
            jwa,
            key,
            message,
            signature,
            longest_salt: options.strict,
        }),
        None if key.verify(jwa, message, &signature) => None,
        None => return Err(VerifyError::Signature(jwa)),
    };
    Ok(Begun {
        claims,
        now: options.now,
        check,
    })
}

/// A token that is checked except for its signature, where that takes large arithmetic, and its lifetime.
pub struct Begun<'a> {
    claims: Map<String, Value>,
    now: u64,
    check: Option<SignatureCheck<'a>>,
}

impl<'a> Begun<'a> {
    /// The signature that is left to check; `None` where that is done.
    pub const fn check(&self) -> Option<&SignatureCheck<'a>> {
        self.check.as_ref()
    }

    /// The claims, if the signature that was left is genuine and the token counts now.
    ///
    /// # Errors
    /// If not.
    pub fn finish(self, verdict: Verdict) -> Result<Map<String, Value>, VerifyError> {
        if let Some(check) = &self.check {
            match verdict {
                Verdict::Genuine => {}
                Verdict::Forged => return Err(VerifyError::Signature(check.jwa)),
                Verdict::KeyUnusable => return Err(VerifyError::Key(Defect::Refused, check.jwa)),
            }
        }
        let problems = lifetime::check(&self.claims, self.now);
        if problems.is_empty() {
            Ok(self.claims)
        } else {
            Err(VerifyError::Lifetime(problems))
        }
    }
}

/// The claims of a token that nobody vouches for: what Oathkeeper tells the client about a token it refuses
/// (`details.jwt_claims`). `None` for what is not a token.
pub fn unverified_claims(token: &str) -> Option<Map<String, Value>> {
    let parts = Parts::split(token).ok()?;
    parts.header(true).ok()?;
    parts.claims(true).ok()
}

/// The `kid` of a token that nobody vouches for. `None` where there is none.
#[must_use]
pub fn unverified_kid(token: &str) -> Option<String> {
    let header = Parts::split(token).ok()?.header(true).ok()?;
    header.get("kid")?.as_str().map(str::to_owned)
}

/// The three parts of a token, still encoded.
struct Parts<'a> {
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
    /// What the signature is of.
    signed: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(VerifyError::TooLong);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(VerifyError::Segments)?;
        let (header, claims) = signed.split_once('.').ok_or(VerifyError::Segments)?;
        if claims.contains('.') {
            return Err(VerifyError::Segments);
        }
        Ok(Self {
            header,
            claims,
            signature,
            signed,
        })
    }

    fn header(&self, strict: bool) -> Result<Map<String, Value>, VerifyError> {
        object(Part::Header, self.header, strict)
    }

    fn claims(&self, strict: bool) -> Result<Map<String, Value>, VerifyError> {
        object(Part::Claims, self.claims, strict)
    }
}

fn segment(part: Part, encoded: &str, strict: bool) -> Result<Vec<u8>, VerifyError> {
    let decoded = match decode_loose(encoded) {
        Ok(_) if !strict => decode(encoded).ok_or(encoded.len().saturating_sub(1)),
        other => other,
    };
    decoded.map_err(|offset| VerifyError::Encoding(part, offset))
}

fn object(part: Part, encoded: &str, strict: bool) -> Result<Map<String, Value>, VerifyError> {
    let bytes = segment(part, encoded, strict)?;
    let text = String::from_utf8(bytes).map_err(|_| VerifyError::Text(part))?;
    let read = if strict {
        serde_json::from_str(&text).map_err(ObjectError::Json)
    } else {
        parse_object(&text)
    };
    read.map_err(|error| VerifyError::Json {
        part,
        error,
        begins: text.chars().find(|c| !c.is_ascii_whitespace()),
    })
}

/// One of a token's three parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The first.
    Header,
    /// The second.
    Claims,
    /// The third.
    Signature,
}

impl Part {
    /// Its name; golang-jwt calls the claims `claim`.
    const fn name(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Claims => "claim",
            Self::Signature => "signature",
        }
    }
}

/// Why a token is not accepted. `Display` is for the log and repeats nothing from the token.
#[derive(Debug)]
pub enum VerifyError {
    /// Longer than [`MAX_TOKEN_LENGTH`].
    TooLong,
    /// Not three parts with dots between.
    Segments,
    /// The part is not base64url from this byte on.
    Encoding(Part, usize),
    /// The part is not UTF-8.
    Text(Part),
    /// The part is not a JSON object; in default mode, not one that can be read in one way only.
    Json {
        /// Which.
        part: Part,
        /// Where and what.
        error: ObjectError,
        /// The first character.
        begins: Option<char>,
    },
    /// No `alg`.
    AlgorithmMissing,
    /// An `alg` that nobody knows.
    AlgorithmUnknown,
    /// The header demands extensions.
    Critical,
    /// An `alg` that is not in [`Options::algorithms`].
    AlgorithmNotAllowed,
    /// No `kid` to find the key by.
    KidMissing,
    /// No key has this `kid`. It may have been published since the sets were fetched.
    KidUnknown,
    /// An `alg` that is allowed, but never accepted: `none`; in strict mode, EdDSA.
    AlgorithmUnsupported,
    /// The key cannot be used.
    Key(Defect, Jwa),
    /// The key is not one for this `alg`.
    KeyUnfit,
    /// The signature does not fit.
    Signature(Jwa),
    /// The token does not count now.
    Lifetime(Vec<LifetimeProblem>),
}

/// herodot's texts for the two kinds of errors that Oathkeeper wraps.
const INTERNAL: &str = "An internal server error occurred, please contact the system administrator";
const BAD_REQUEST: &str = "The request was malformed or contained invalid parameters";

impl VerifyError {
    /// What Oathkeeper says of it: the `error=` in the `reason` of its verbose JSON error. Where it accepts what we
    /// refuse, the text is ours.
    pub fn oathkeeper(&self) -> String {
        let (class, detail) = match self {
            Self::Segments => (
                "malformed",
                "token contains an invalid number of segments".into(),
            ),
            Self::Encoding(part, offset) => (
                "malformed",
                format!(
                    "could not base64 decode {}: illegal base64 data at input byte {offset}",
                    part.name()
                ),
            ),
            Self::Json {
                part,
                error,
                begins,
            } => (
                "malformed",
                format!(
                    "could not JSON decode {}: {}",
                    part.name(),
                    json_reason(error, *begins)
                ),
            ),
            Self::TooLong | Self::Text(_) => ("malformed", self.to_string()),
            Self::AlgorithmMissing => {
                ("unverifiable", "signing method (alg) is unspecified".into())
            }
            Self::AlgorithmUnknown => {
                ("unverifiable", "signing method (alg) is unavailable".into())
            }
            Self::AlgorithmNotAllowed | Self::KidUnknown => (
                "unverifiable",
                format!("error while executing keyfunc: {INTERNAL}"),
            ),
            Self::KidMissing | Self::AlgorithmUnsupported | Self::KeyUnfit => (
                "unverifiable",
                format!("error while executing keyfunc: {BAD_REQUEST}"),
            ),
            Self::Critical => ("unverifiable", self.to_string()),
            Self::Key(Defect::Modulus { bits, .. }, _) => {
                let detail = format!(
                    "crypto/rsa: {bits}-bit keys are insecure (see https://go.dev/pkg/crypto/rsa#hdr-Minimum_key_size)"
                );
                return format!("token signature is invalid: {detail}");
            }
            Self::Key(..) => ("unverifiable", self.to_string()),
            Self::Signature(jwa) => {
                let detail = match jwa {
                    Jwa::Hmac(_) => "signature is invalid",
                    Jwa::Rsa(_) | Jwa::RsaPss(_) => "crypto/rsa: verification error",
                    Jwa::Ecdsa(_) => "crypto/ecdsa: verification error",
                    Jwa::EdDsa => "ed25519: verification error",
                };
                return format!("token signature is invalid: {detail}");
            }
            Self::Lifetime(problems) => {
                let said: Vec<_> = problems.iter().map(|problem| problem.golang()).collect();
                return format!("token has invalid claims: {}", said.join(", "));
            }
        };
        format!("token is {class}: {detail}")
    }
}

/// encoding/json's words for the two commonest mistakes.
fn json_reason(error: &ObjectError, begins: Option<char>) -> String {
    match (error, begins) {
        (ObjectError::Json(error), _) if error.is_eof() => "unexpected end of JSON input".into(),
        (_, Some(begins)) if !"{[\"-0123456789tfn".contains(begins) => {
            format!("invalid character '{begins}' looking for beginning of value")
        }
        _ => error.to_string(),
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self {
            Self::TooLong => return write!(f, "the token is over {MAX_TOKEN_LENGTH} bytes long"),
            Self::Encoding(part, offset) => {
                return write!(
                    f,
                    "the token's {} is not base64url without padding, from byte {offset} on",
                    part.name()
                );
            }
            Self::Text(part) => return write!(f, "the token's {} is not UTF-8", part.name()),
            Self::Json { part, error, .. } => {
                return write!(f, "the token's {}: {error}", part.name());
            }
            Self::Key(defect, _) => return write!(f, "the key that the token names {defect}"),
            Self::Lifetime(problems) => {
                f.write_str("the token does not count now: ")?;
                for (position, problem) in problems.iter().enumerate() {
                    let separator = if position == 0 { "" } else { "; " };
                    write!(f, "{separator}{problem}")?;
                }
                return Ok(());
            }
            Self::Segments => "the token must have three parts: header, claims, signature",
            Self::AlgorithmMissing => "the token's header has no alg",
            Self::AlgorithmUnknown => "the token's alg is not one that exists",
            Self::Critical => "the token demands extensions (crit or b64); none are supported",
            Self::AlgorithmNotAllowed => "the token's alg is not one of allowed_algorithms",
            Self::KidMissing => "the token's header has no kid",
            Self::KidUnknown => "no key of jwks_urls has the token's kid and \"use\":\"sig\"",
            Self::AlgorithmUnsupported => {
                "the token's alg is never accepted, even where allowed_algorithms lists it: none; in strict mode, EdDSA"
            }
            Self::KeyUnfit => "the key that the token names is not one for its alg",
            Self::Signature(_) => "the token's signature does not fit",
        };
        f.write_str(said)
    }
}

impl std::error::Error for VerifyError {}

#[cfg(test)]
mod tests;
