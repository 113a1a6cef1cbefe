//! Under which name an answer of whoami is remembered.

use sha2::{Digest, Sha256};

use crate::credential::Credential;

/// The key of a remembered answer: SHA-256 over everything the answer depends on.
///
/// Each part goes in with its length, so no two different questions can run together into one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CacheKey([u8; 32]);

impl CacheKey {
    /// The key of one question: where and how it is asked, what is sent along, and whose credential it is about.
    #[must_use]
    pub fn new<'a>(
        method: &str,
        check_url: &str,
        sent_along: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        credential: &Credential,
    ) -> Self {
        let mut hash = Sha256::new();
        part(&mut hash, method.as_bytes());
        part(&mut hash, check_url.as_bytes());
        for (name, value) in sent_along {
            part(&mut hash, name.as_bytes());
            part(&mut hash, value);
        }
        // Keeps the last header from being read as the credential.
        part(&mut hash, b"");
        let (name, value) = credential.header();
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.as_bytes());
        Self(hash.finalize().into())
    }

    /// The key of a credential alone, to find whatever was remembered for it.
    #[must_use]
    pub fn of_credential(credential: &Credential) -> Self {
        let mut hash = Sha256::new();
        let (name, value) = credential.header();
        part(&mut hash, name.as_bytes());
        part(&mut hash, value.as_bytes());
        Self(hash.finalize().into())
    }

    /// The key of the same question where its answer means something else, told apart by a number; 0 is where it means what it
    /// says.
    #[must_use]
    pub fn apart(&self, generation: u64) -> Self {
        let mut bytes = self.0;
        for (byte, own) in bytes.iter_mut().zip(generation.to_be_bytes()) {
            *byte ^= own;
        }
        Self(bytes)
    }

    /// It as a name: lower-case hexadecimal digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().fold(String::new(), |mut hex, byte| {
            for digit in [byte >> 4, byte & 0xf] {
                hex.extend(char::from_digit(digit.into(), 16));
            }
            hex
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

fn part(hash: &mut Sha256, bytes: &[u8]) {
    hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://kratos/sessions/whoami";

    fn cookie(value: &str) -> Credential {
        Credential::Cookie(value.to_owned())
    }

    #[test]
    fn its_name_is_its_bytes_in_hexadecimal_digits() {
        let mut bytes = [0; 32];
        bytes[0] = 0xa9;
        bytes[31] = 0x0f;
        assert_eq!(CacheKey(bytes).to_hex(), format!("a9{}0f", "00".repeat(30)));
    }

    #[test]
    fn every_part_of_the_question_changes_the_key() {
        let base = CacheKey::new("GET", URL, [("a", &b"1"[..])], &cookie("s=x"));
        let same = CacheKey::new("GET", URL, [("a", &b"1"[..])], &cookie("s=x"));
        assert_eq!(base, same);
        for (what, other) in [
            (
                "method",
                CacheKey::new("POST", URL, [("a", &b"1"[..])], &cookie("s=x")),
            ),
            (
                "url",
                CacheKey::new("GET", "http://other/", [("a", &b"1"[..])], &cookie("s=x")),
            ),
            (
                "header value",
                CacheKey::new("GET", URL, [("a", &b"2"[..])], &cookie("s=x")),
            ),
            (
                "header name",
                CacheKey::new("GET", URL, [("b", &b"1"[..])], &cookie("s=x")),
            ),
            ("no header", CacheKey::new("GET", URL, [], &cookie("s=x"))),
            (
                "boundary",
                CacheKey::new("GET", URL, [("a1", &b""[..])], &cookie("s=x")),
            ),
            (
                "credential",
                CacheKey::new("GET", URL, [("a", &b"1"[..])], &cookie("s=y")),
            ),
            (
                "truncated",
                CacheKey::new("GET", URL, [("a", &b"1"[..])], &cookie("s=")),
            ),
            (
                "kind",
                CacheKey::new(
                    "GET",
                    URL,
                    [("a", &b"1"[..])],
                    &Credential::SessionToken("s=x".into()),
                ),
            ),
        ] {
            assert_ne!(base, other, "{what}");
        }
    }

    #[test]
    fn a_header_cannot_pose_as_the_credential() {
        let as_header = CacheKey::new("GET", URL, [("cookie", &b"s=x"[..])], &cookie(""));
        let as_credential = CacheKey::new("GET", URL, [], &cookie("s=x"));
        assert_ne!(as_header, as_credential);
    }
}
