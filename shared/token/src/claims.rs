//! The claims of an `id_token`, as Oathkeeper's mutator of that name makes them.

use std::fmt;

use serde_json::{Map, Value};

use crate::object::{ObjectError, parse_object};

/// What goes into every token beside the rendered claims.
#[derive(Debug, Clone, Copy)]
pub struct Issue<'a> {
    /// `iss`: the configured `issuer_url`.
    pub issuer: &'a str,
    /// `sub`: the session's subject.
    pub subject: &'a str,
    /// `iat` and `nbf`, in Unix seconds.
    pub now: u64,
    /// Life of the token in seconds; Oathkeeper's default is 900.
    pub ttl: u64,
    /// When the session ends (Unix seconds), if it does. The token ends no later.
    pub session_expires: Option<u64>,
    /// `jti`: 16 random bytes.
    pub jti: [u8; 16],
}

impl Issue<'_> {
    /// `exp`: when the token made now expires (Unix seconds).
    ///
    /// # Errors
    /// If that is not in the future.
    pub fn expires(&self) -> Result<u64, ClaimsError> {
        let by_ttl = self.now.saturating_add(self.ttl);
        let expires = self.session_expires.map_or(by_ttl, |end| end.min(by_ttl));
        if expires <= self.now {
            return Err(ClaimsError::Over);
        }
        Ok(expires)
    }

    /// Completes the rendered claims. `exp`, `jti`, `iat`, `nbf`, `iss` and `sub` overwrite claims
    /// of these names, as in Oathkeeper; `aud` is only there if the template has it.
    ///
    /// # Errors
    /// If the token would be born expired.
    pub fn claims(
        &self,
        mut rendered: Map<String, Value>,
    ) -> Result<Map<String, Value>, ClaimsError> {
        let overwritten: [(&str, Value); 6] = [
            ("exp", self.expires()?.into()),
            ("iat", self.now.into()),
            ("nbf", self.now.into()),
            ("jti", uuid(self.jti).into()),
            ("iss", self.issuer.into()),
            ("sub", self.subject.into()),
        ];
        for (name, value) in overwritten {
            rendered.insert(name.to_owned(), value);
        }
        Ok(rendered)
    }
}

/// Reads what a claims template rendered: a JSON object whose keys are each there once.
///
/// Templates put values into JSON without escaping. A trait such as `x","role":"admin` can so add
/// claims; where it repeats one that the template sets, it is refused here.
///
/// # Errors
/// Says what was found. The rendered values are not repeated.
pub fn parse_claims(rendered: &str) -> Result<Map<String, Value>, ClaimsError> {
    parse_object(rendered).map_err(ClaimsError::Rendered)
}

/// A random (version 4) UUID from 16 random bytes (RFC 9562 section 5.4).
fn uuid(random: [u8; 16]) -> String {
    let cleared = u128::from_be_bytes(random) & !(0xf << 76) & !(0b11 << 62);
    let bits = cleared | (0x4 << 76) | (0b10 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        bits >> 96,
        (bits >> 80) & 0xffff,
        (bits >> 64) & 0xffff,
        (bits >> 48) & 0xffff,
        bits & 0xffff_ffff_ffff
    )
}

/// Claims that no token can be made of.
#[derive(Debug)]
pub enum ClaimsError {
    /// The template's result is not a JSON object, or repeats a key.
    Rendered(ObjectError),
    /// The session is over, or the ttl is 0.
    Over,
}

impl fmt::Display for ClaimsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rendered(error) => write!(
                f,
                "the claims template must render a JSON object, each key once: {error}. Values \
                 that may hold quotes need `| toJson`"
            ),
            Self::Over => {
                f.write_str("no token is made: the session has expired, or the ttl is 0 seconds")
            }
        }
    }
}

impl std::error::Error for ClaimsError {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn issue() -> Issue<'static> {
        Issue {
            issuer: "https://gateway.example/",
            subject: "ada",
            now: 1_000,
            ttl: 900,
            session_expires: None,
            jti: [0xff; 16],
        }
    }

    #[test]
    fn the_six_claims_overwrite_what_the_template_rendered() {
        let rendered = r#"{"exp":9e9,"iat":"x","nbf":null,"jti":1,"iss":"evil","sub":"root","aud":["a"],"x":1}"#;
        let claims = issue().claims(parse_claims(rendered).unwrap()).unwrap();
        let expected = json!({
            "exp": 1_900, "iat": 1_000, "nbf": 1_000,
            "jti": "ffffffff-ffff-4fff-bfff-ffffffffffff",
            "iss": "https://gateway.example/", "sub": "ada", "aud": ["a"], "x": 1,
        });
        assert_eq!(Value::Object(claims), expected);
    }

    #[test]
    fn a_token_never_outlives_its_session() {
        for (session_expires, expected) in [
            (None, Some(1_900)),
            (Some(5_000), Some(1_900)),
            (Some(1_900), Some(1_900)),
            (Some(1_001), Some(1_001)),
            (Some(1_000), None),
            (Some(0), None),
        ] {
            let issue = Issue {
                session_expires,
                ..issue()
            };
            assert_eq!(issue.expires().ok(), expected, "{session_expires:?}");
            assert_eq!(issue.claims(Map::new()).is_ok(), expected.is_some());
        }
        assert!(Issue { ttl: 0, ..issue() }.expires().is_err());
        assert!(
            Issue {
                ttl: u64::MAX,
                ..issue()
            }
            .expires()
            .is_ok()
        );
    }

    #[test]
    fn jti_is_a_version_4_uuid() {
        for (random, expected) in [
            ([0; 16], "00000000-0000-4000-8000-000000000000"),
            ([0xff; 16], "ffffffff-ffff-4fff-bfff-ffffffffffff"),
            (
                *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff",
                "00112233-4455-4677-8899-aabbccddeeff",
            ),
        ] {
            assert_eq!(uuid(random), expected);
        }
    }

    #[test]
    fn f73_claims_that_repeat_a_key_are_refused() {
        let injected = r#"{"role":"user","n":"x","role":"admin"}"#;
        let error = parse_claims(injected).unwrap_err().to_string();
        assert!(error.contains("\"role\" is there twice"), "{error}");
        assert!(
            error.contains("toJson") && !error.contains("admin"),
            "{error}"
        );
    }

    #[test]
    fn claims_that_are_no_object_are_refused() {
        for rendered in [
            "",
            "null",
            "[]",
            "\"a\"",
            "{\"a\":<no value>}",
            "{} {}",
            "{\"a\":1,}",
        ] {
            let error = parse_claims(rendered).unwrap_err().to_string();
            assert!(
                error.contains("must render a JSON object"),
                "{rendered}: {error}"
            );
        }
    }
}
