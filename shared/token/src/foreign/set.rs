//! A set of other people's keys (RFC 7517 section 5).

use std::fmt;

use serde_json::{Map, Value};

use super::key::{Defect, ForeignKey, KeyProblem};
use super::large::LargeKey;
use super::member;
use crate::object::{ObjectError, parse_object};

/// Keys in one set, at most. A set is looked through for each token.
const MAX_KEYS: usize = 256;

/// Longest document that is read, in bytes.
pub const MAX_LENGTH: usize = 512 * 1024;

/// How a set is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// As Oathkeeper: one key that it does not know, and the whole set is refused.
    pub strict: bool,
    /// Whether symmetric keys count.
    pub symmetric: bool,
}

impl Reading {
    /// A set that comes from a URL, in default mode. Who can fetch a symmetric key can sign with it, so it does not count.
    pub const PUBLISHED: Self = Self {
        strict: false,
        symmetric: false,
    };
    /// A set that nobody but the gateway can read, in default mode: imported and sealed.
    pub const SEALED: Self = Self {
        strict: false,
        symmetric: true,
    };
    /// Any set, in strict mode.
    pub const STRICT: Self = Self {
        strict: true,
        symmetric: true,
    };
}

/// Keys to check tokens with. `Debug` shows how many, and no key.
pub struct JwkSet {
    keys: Vec<Kept>,
    problems: Vec<KeyProblem>,
}

/// A key with a kid that signs, or why it does not.
struct Kept {
    kid: String,
    key: Result<ForeignKey, Defect>,
}

impl JwkSet {
    /// Reads a document. A key that cannot be used costs no other key its use; see [`Self::problems`].
    ///
    /// # Errors
    /// If the document is no set of keys. In strict mode also if one key has a member or type that go-jose refuses.
    pub fn parse(text: &str, reading: Reading) -> Result<Self, SetError> {
        Self::read(text, reading, LargeKey::prove_public)
    }

    /// The same for a runtime that checks signatures itself (see [`super::check`]): that a point is on P-384 or P-521 is left
    /// for it to find out.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_unproven(text: &str, reading: Reading) -> Result<Self, SetError> {
        Self::read(text, reading, |_| Ok(()))
    }

    fn read(
        text: &str,
        reading: Reading,
        prove: impl Fn(&LargeKey) -> Result<(), Defect>,
    ) -> Result<Self, SetError> {
        let mut keys = Vec::new();
        let mut problems = Vec::new();
        for (position, listed) in list(text, reading.strict)?.iter().enumerate() {
            let mut found = |defect| problems.push(KeyProblem { position, defect });
            let refused = |defect| SetError::Key(KeyProblem { position, defect });
            let Some(jwk) = listed.as_object() else {
                if reading.strict {
                    return Err(refused(Defect::KeyType));
                }
                found(Defect::KeyType);
                continue;
            };
            let key = ForeignKey::read(jwk, reading, &prove);
            match key {
                Ok(_) if jwk.contains_key("d") => found(Defect::Private),
                Ok(_) => {}
                // What Go's crypto/rsa refuses, go-jose has let through.
                Err(defect) if reading.strict && !matches!(defect, Defect::Modulus { .. }) => {
                    return Err(refused(defect));
                }
                Err(defect) => found(defect),
            }
            let (Ok(kid), Ok(usage)) = (member::text(jwk, "kid"), member::text(jwk, "use")) else {
                if reading.strict {
                    return Err(refused(Defect::Member("kid")));
                }
                found(Defect::Member("kid"));
                continue;
            };
            match (kid, usage) {
                (Some(kid), Some("sig")) => keys.push(Kept {
                    kid: kid.to_owned(),
                    key,
                }),
                (_, None) if key.is_ok() => found(Defect::NoUse),
                _ => {}
            }
        }
        Ok(Self { keys, problems })
    }

    /// What is wrong with which key, in document order; for the log. A key may be there twice.
    pub fn problems(&self) -> &[KeyProblem] {
        &self.problems
    }

    /// Whether no key can be used.
    pub fn is_empty(&self) -> bool {
        self.keys.iter().all(|kept| kept.key.is_err())
    }

    /// Whether a key to check signatures with has this key id, be it usable or not.
    pub fn has(&self, kid: &str) -> bool {
        self.find(kid).is_some()
    }

    /// The first key with this id and `"use":"sig"`, as in Oathkeeper.
    pub(crate) fn find(&self, kid: &str) -> Option<&Result<ForeignKey, Defect>> {
        self.keys
            .iter()
            .find(|kept| kept.kid == kid)
            .map(|kept| &kept.key)
    }
}

impl fmt::Debug for JwkSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwkSet")
            .field("keys", &self.keys.len())
            .field("problems", &self.problems)
            .finish()
    }
}

/// The listed keys of a document.
///
/// # Errors
/// If it is none.
pub(crate) fn list(text: &str, strict: bool) -> Result<Vec<Value>, SetError> {
    if text.len() > MAX_LENGTH {
        return Err(SetError::TooLong);
    }
    let mut document: Map<String, Value> = parse_object(text).map_err(SetError::Document)?;
    match document.remove("keys") {
        Some(Value::Array(keys)) if keys.len() > MAX_KEYS => Err(SetError::TooMany),
        Some(Value::Array(keys)) => Ok(keys),
        // To Go an array that is not there is an empty one.
        None | Some(Value::Null) if strict => Ok(Vec::new()),
        _ => Err(SetError::NoKeys),
    }
}

/// Why a document is not a usable set of keys.
#[derive(Debug)]
pub enum SetError {
    /// Longer than [`MAX_LENGTH`].
    TooLong,
    /// Not a JSON object.
    Document(ObjectError),
    /// No array under `keys`.
    NoKeys,
    /// More keys than anyone publishes.
    TooMany,
    /// A key that spoils the set, in strict mode.
    Key(KeyProblem),
}

impl fmt::Display for SetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "key set: over {MAX_LENGTH} bytes long"),
            Self::Document(error) => write!(f, "key set: {error}"),
            Self::NoKeys => f.write_str("key set: \"keys\" must be an array of keys"),
            Self::TooMany => write!(f, "key set: more than {MAX_KEYS} keys"),
            Self::Key(problem) => write!(f, "key set: {problem}"),
        }
    }
}

impl std::error::Error for SetError {}

#[cfg(test)]
mod tests;
