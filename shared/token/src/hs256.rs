//! Messages between programs that share a secret: compact JWS with HS256 (RFC 7515, RFC 7518 section 3.2).
//!
//! Other people's tokens are not read here, see [`crate::foreign`].

use hmac::{Hmac, Mac as _};
use serde_json::{Map, Value};
use sha2::Sha256;

use crate::encoding::{decode, encode};
use crate::object::parse_object;

/// The shortest secret, in bytes: as long as the hash (RFC 7518 section 3.2).
pub const SHORTEST_SECRET: usize = 32;

/// The longest message that is read, in bytes.
pub const LONGEST_MESSAGE: usize = 8 << 10;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A message whose signature is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified<'a> {
    /// What was signed; two messages that differ in nothing else are one.
    pub signed: &'a str,
    payload: &'a str,
}

impl Verified<'_> {
    /// Its claims; `None` unless they are a JSON object that can be read in one way only.
    #[must_use]
    pub fn claims(&self) -> Option<Map<String, Value>> {
        parse_object(&String::from_utf8(decode(self.payload)?).ok()?).ok()
    }
}

/// Signs claims. The secret has [`SHORTEST_SECRET`] bytes at least.
#[must_use]
pub fn sign(claims: &Map<String, Value>, secret: &[u8]) -> Option<String> {
    let claims = serde_json::to_vec(claims).ok()?;
    let signed = format!("{}.{}", encode(HEADER.as_bytes()), encode(&claims));
    let signature = mac(secret)?.chain_update(&signed).finalize().into_bytes();
    Some(format!("{signed}.{}", encode(&signature)))
}

/// Checks a signature, in a time that tells nothing of the right one. `None` for whatever is wrong with the message, and
/// for a secret that is too short.
#[must_use]
pub fn verify<'a>(token: &'a str, secret: &[u8]) -> Option<Verified<'a>> {
    if token.len() > LONGEST_MESSAGE {
        return None;
    }
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, payload) = signed.split_once('.')?;
    let signature = decode(signature)?;
    mac(secret)?
        .chain_update(signed)
        .verify_slice(&signature)
        .ok()?;
    // What is in the header, somebody with the secret wrote. It still has to say what this is, so that nothing else that is
    // signed with the secret passes for it.
    let header = parse_object(&String::from_utf8(decode(header)?).ok()?).ok()?;
    let is_plain = !header.contains_key("crit") && !header.contains_key("b64");
    (is_plain && header.get("alg") == Some(&Value::from("HS256")))
        .then_some(Verified { signed, payload })
}

fn mac(secret: &[u8]) -> Option<Hmac<Sha256>> {
    (secret.len() >= SHORTEST_SECRET)
        .then(|| Hmac::new_from_slice(secret).ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    fn claims() -> Map<String, Value> {
        json!({"sub": "ada", "exp": 1_700_000_000})
            .as_object()
            .unwrap()
            .clone()
    }

    /// A message with any header and payload, rightly signed.
    fn signed(header: &str, payload: &[u8]) -> String {
        let signed = format!("{}.{}", encode(header.as_bytes()), encode(payload));
        let signature = mac(SECRET).unwrap().chain_update(&signed).finalize();
        format!("{signed}.{}", encode(&signature.into_bytes()))
    }

    #[test]
    fn what_was_signed_is_read() {
        let token = sign(&claims(), SECRET).unwrap();
        let verified = verify(&token, SECRET).unwrap();
        assert_eq!(verified.claims(), Some(claims()));
        assert_eq!(
            Some(verified.signed),
            token.rsplit_once('.').map(|parts| parts.0)
        );
    }

    #[test]
    fn another_implementation_reads_and_writes_the_same() {
        use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        let token = sign(&claims(), SECRET).unwrap();
        let theirs = jsonwebtoken::decode::<Map<String, Value>>(
            &token,
            &DecodingKey::from_secret(SECRET),
            &validation,
        );
        assert_eq!(theirs.unwrap().claims, claims());
        let token = jsonwebtoken::encode(
            &Header::default(),
            &claims(),
            &EncodingKey::from_secret(SECRET),
        )
        .unwrap();
        assert_eq!(verify(&token, SECRET).unwrap().claims(), Some(claims()));
    }

    #[test]
    fn what_is_not_signed_with_the_secret_is_nothing() {
        let good = sign(&claims(), SECRET).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let (header, payload) = message.split_once('.').unwrap();
        let none = encode(br#"{"alg":"none"}"#);
        let other = encode(br#"{"sub":"bob","exp":1700000000}"#);
        for token in [
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            message.to_owned(),
            format!("{message}."),
            format!("{message}.{signature}="),
            format!("{message}.{}", &signature[1..]),
            format!("{message}.{signature}.{signature}"),
            format!("{header}.{other}.{signature}"),
            format!("{none}.{payload}."),
            format!("{none}.{payload}.{signature}"),
            format!(" {good}"),
            format!("{good}\n"),
        ] {
            assert_eq!(verify(&token, SECRET), None, "{token}");
        }
        assert_eq!(verify(&good, b"another secret of 32 characters!!"), None);
    }

    #[test]
    fn no_bit_of_a_signature_can_be_another() {
        let good = sign(&claims(), SECRET).unwrap();
        let (message, signature) = good.rsplit_once('.').unwrap();
        let bytes = decode(signature).unwrap();
        for bit in 0..256 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                verify(&format!("{message}.{}", encode(&changed)), SECRET),
                None,
                "{bit}"
            );
        }
    }

    #[test]
    fn a_secret_that_could_be_guessed_signs_and_checks_nothing() {
        assert_eq!(sign(&claims(), &SECRET[1..]), None);
        let good = sign(&claims(), SECRET).unwrap();
        assert_eq!(verify(&good, &SECRET[1..]), None);
        assert_eq!(verify(&good, b""), None);
    }

    #[test]
    fn a_header_that_says_something_else_is_refused_though_it_is_signed() {
        for header in [
            "",
            "{}",
            "[]",
            r#"{"alg":"none"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":"hs256"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"alg":"HS256","alg":"HS256"}"#,
            r#"{"alg":"HS256","crit":["exp"]}"#,
            r#"{"alg":"HS256","b64":false}"#,
        ] {
            assert_eq!(verify(&signed(header, b"{}"), SECRET), None, "{header}");
        }
        assert!(verify(&signed(HEADER, b"{}"), SECRET).is_some());
    }

    #[test]
    fn claims_that_mean_two_things_are_none() {
        for payload in [
            &b""[..],
            b"[]",
            b"null",
            b"{",
            b"\xff",
            br#"{"sub":"a","sub":"b"}"#,
        ] {
            let token = signed(HEADER, payload);
            assert_eq!(
                verify(&token, SECRET).unwrap().claims(),
                None,
                "{payload:?}"
            );
        }
    }

    #[test]
    fn a_message_that_is_too_long_is_not_looked_at() {
        let long = json!({"sub": "a".repeat(LONGEST_MESSAGE)});
        let token = sign(long.as_object().unwrap(), SECRET).unwrap();
        assert_eq!(verify(&token, SECRET), None);
    }
}
