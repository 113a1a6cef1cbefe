//! The signed message that asks for a revocation.
//!
//! A compact JWS (HS256) with the claims `sub` (an identity's id) or `sid` (a session's), and `exp`. Any other claim only
//! makes it another message: one message has its effect once.

use std::fmt;

use edgekeeper_token::hs256;
use serde_json::{Map, Value};

use super::{Subject, hash};
use crate::freshness::SKEW;

/// How far ahead `exp` may be, in seconds: as long is a message remembered, so that nobody sends it again.
pub const LONGEST: u64 = 24 * 3_600;

/// The longest id, in bytes. Kratos' have 36.
const LONGEST_ID: usize = 256;

/// A message that was believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Whose sessions are revoked.
    pub subject: Subject,
    /// Until when (Unix seconds) it may be sent.
    pub expires: u64,
    /// The [`hash`] of what was signed.
    pub hash: u128,
}

/// Why a message has no effect. `Display` is for the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageError {
    /// The secret did not sign it. Whoever sent it learns no more.
    Signature,
    /// Its claims are not a JSON object, or can be read in two ways.
    Claims,
    /// It names neither a session nor an identity, or both.
    Subject,
    /// `exp` is missing or not a whole number.
    Expires,
    /// `exp` is past.
    Expired,
    /// `exp` is too far ahead.
    TooLong,
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "`token` is not signed with the secret (a compact JWS with HS256)",
            Self::Claims => "the token's claims are not a JSON object without repeated keys",
            Self::Subject => {
                "the token must have either `sid` (a session's id) or `sub` (an identity's id), a text of 1 to 256 bytes"
            }
            Self::Expires => {
                "the token must have `exp`, a whole number: until when it may be sent, in Unix seconds"
            }
            Self::Expired => "the token has expired (`exp`)",
            Self::TooLong => "the token's `exp` is more than 24 hours ahead",
        })
    }
}

impl std::error::Error for MessageError {}

impl Message {
    /// Reads a message at an instant (Unix seconds).
    ///
    /// # Errors
    /// The first reason found, the signature before all.
    pub fn read(token: &str, secret: &[u8], now: u64) -> Result<Self, MessageError> {
        let verified = hs256::verify(token, secret).ok_or(MessageError::Signature)?;
        let claims = verified.claims().ok_or(MessageError::Claims)?;
        let subject = match (claims.get("sid"), claims.get("sub")) {
            (Some(session), None) => Subject::session(id(session)?),
            (None, Some(identity)) => Subject::identity(id(identity)?),
            _ => return Err(MessageError::Subject),
        };
        let expires = claims
            .get("exp")
            .and_then(seconds)
            .ok_or(MessageError::Expires)?;
        if expires <= now {
            return Err(MessageError::Expired);
        }
        if expires > now.saturating_add(LONGEST).saturating_add(SKEW) {
            return Err(MessageError::TooLong);
        }
        Ok(Self {
            subject,
            expires,
            hash: hash(verified.signed.as_bytes()),
        })
    }
}

/// Signs the claims of a message; `None` for a secret that is shorter than [`hs256::SHORTEST_SECRET`].
#[must_use]
pub fn sign(claims: &Map<String, Value>, secret: &[u8]) -> Option<String> {
    hs256::sign(claims, secret)
}

fn id(claim: &Value) -> Result<&str, MessageError> {
    claim
        .as_str()
        .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
        .ok_or(MessageError::Subject)
}

/// What is negative is long past, whatever it is exactly.
fn seconds(claim: &Value) -> Option<u64> {
    claim.as_u64().or_else(|| claim.as_i64().map(|_| 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
    const NOW: u64 = 1_700_000_000;

    fn read(claims: &Value) -> Result<Message, MessageError> {
        let token = sign(claims.as_object().unwrap(), SECRET).unwrap();
        Message::read(&token, SECRET, NOW)
    }

    #[test]
    fn a_message_is_about_a_session_or_an_identity() {
        for (claims, subject) in [
            (
                json!({"sub": "ada", "exp": NOW + 60}),
                Subject::identity("ada"),
            ),
            (
                json!({"sid": "laptop", "exp": NOW + 60}),
                Subject::session("laptop"),
            ),
            (
                json!({"sub": "ada", "exp": NOW + 60, "iat": NOW, "jti": "1", "iss": []}),
                Subject::identity("ada"),
            ),
        ] {
            let message = read(&claims).unwrap();
            assert_eq!(
                (message.subject, message.expires),
                (subject, NOW + 60),
                "{claims}"
            );
        }
    }

    #[test]
    fn whatever_else_it_claims_makes_it_another_message() {
        let hash = |claims: Value| read(&claims).unwrap().hash;
        let plain = hash(json!({"sub": "ada", "exp": NOW + 60}));
        assert_eq!(plain, hash(json!({"sub": "ada", "exp": NOW + 60})));
        assert_ne!(plain, hash(json!({"sub": "ada", "exp": NOW + 61})));
        assert_ne!(
            plain,
            hash(json!({"sub": "ada", "exp": NOW + 60, "jti": "1"}))
        );
    }

    #[test]
    fn what_names_nobody_or_two_is_refused() {
        for who in [
            json!({}),
            json!({"sub": "ada", "sid": "laptop"}),
            json!({"sub": "ada", "sid": null}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sid": ""}),
            json!({"sub": 7}),
            json!({"sub": ["ada"]}),
            json!({"sub": "a".repeat(257)}),
            json!({"identity": "ada"}),
        ] {
            let mut claims = who.clone();
            claims["exp"] = json!(NOW + 60);
            assert_eq!(read(&claims), Err(MessageError::Subject), "{who}");
        }
    }

    #[test]
    fn it_may_be_sent_until_exp_and_not_for_longer_than_a_day() {
        use MessageError::{Expired, Expires, TooLong};
        for (exp, expected) in [
            (json!(NOW + 1), Ok(NOW + 1)),
            (json!(1_700_000_001.9), Err(Expires)),
            (json!(NOW + LONGEST + SKEW), Ok(NOW + LONGEST + SKEW)),
            (json!(NOW + LONGEST + SKEW + 1), Err(TooLong)),
            (json!(NOW * 1_000), Err(TooLong)),
            (json!(u64::MAX), Err(TooLong)),
            (json!(1e300), Err(Expires)),
            (json!(NOW), Err(Expired)),
            (json!(0), Err(Expired)),
            (json!(-1), Err(Expired)),
            (json!(i64::MIN), Err(Expired)),
            (json!("1700000060"), Err(Expires)),
            (json!(null), Err(Expires)),
            (json!(true), Err(Expires)),
        ] {
            let found = read(&json!({"sub": "ada", "exp": exp.clone()}));
            assert_eq!(found.map(|message| message.expires), expected, "{exp}");
        }
        assert_eq!(read(&json!({"sub": "ada"})), Err(Expires));
    }

    #[test]
    fn nothing_is_said_of_a_message_that_the_secret_did_not_sign() {
        for claims in [
            json!({}),
            json!({"sub": "ada", "exp": 0}),
            json!({"sub": "ada", "exp": NOW + 60}),
        ] {
            let token = sign(
                claims.as_object().unwrap(),
                b"another secret of 32 characters!!",
            )
            .unwrap();
            assert_eq!(
                Message::read(&token, SECRET, NOW),
                Err(MessageError::Signature)
            );
        }
    }
}
