//! The version of a policy document.

use std::fmt;
use std::rc::Rc;

use sha2::{Digest, Sha256};

/// Characters of a version as it is shown, and as it names an entry.
const SHORT: usize = 16;

/// What a document is known by: the SHA-256 of its bytes. Shown it is the first 16 hexadecimal digits.
#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    sha256: Rc<str>,
}

impl Version {
    /// That of a document, byte for byte: a line feed more is another version.
    #[must_use]
    pub fn of(document: &str) -> Self {
        Self {
            sha256: format!("{:x}", Sha256::digest(document)).into(),
        }
    }

    /// That of a hash; `None` unless it is 64 hexadecimal digits in lower case.
    #[must_use]
    pub fn from_sha256(sha256: &str) -> Option<Self> {
        (sha256.len() == 64 && is_hexadecimal(sha256)).then(|| Self {
            sha256: sha256.into(),
        })
    }

    /// The first 16 hexadecimal digits.
    #[must_use]
    pub fn short(&self) -> &str {
        self.sha256.get(..SHORT).unwrap_or_default()
    }

    /// The whole hash, in hexadecimal digits.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The name of the document's entry.
    #[must_use]
    pub fn name(&self) -> String {
        entry_name(self.short())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Whether a text is a version as it is shown.
#[must_use]
pub fn is_short(text: &str) -> bool {
    text.len() == SHORT && is_hexadecimal(text)
}

/// The name of the entry with the document of a version as it is shown.
pub(crate) fn entry_name(short: &str) -> String {
    format!("policy/{short}")
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_sha_256_of_the_bytes() {
        // FIPS 180-2, appendix B.1.
        let version = Version::of("abc");
        assert_eq!(
            version.sha256(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(version.short(), "ba7816bf8f01cfea");
        assert_eq!(version.name(), "policy/ba7816bf8f01cfea");
        assert_ne!(version, Version::of("abc\n"));
    }

    #[test]
    fn only_lower_case_digits_in_the_right_number_are_one() {
        let right = Version::of("abc");
        assert_eq!(Version::from_sha256(right.sha256()), Some(right.clone()));
        for wrong in [
            "",
            right.short(),
            &right.sha256().to_uppercase(),
            &format!("{}0", right.sha256()),
            &format!("g{}", &right.sha256()[1..]),
            &format!("é{}", &right.sha256()[2..]),
        ] {
            assert_eq!(Version::from_sha256(wrong), None, "{wrong}");
        }
        assert!(is_short(right.short()));
        for wrong in [
            "",
            "deployed",
            "current",
            "../keys/690abcdef",
            "BA7816BF8F01CFEA",
        ] {
            assert!(!is_short(wrong), "{wrong}");
        }
    }
}
