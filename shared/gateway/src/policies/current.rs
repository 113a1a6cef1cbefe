//! Which policy is in force, as it lies in the store.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgekeeper_token::object::parse_object;
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use serde_json::{Map, Value};

use super::{CURRENT, Version};

/// How the entry and what is sealed in it are written.
const FORMAT: u64 = 1;

/// How many earlier changes are listed at most.
pub const LONGEST_HISTORY: usize = 20;

/// One change of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Which one it is: 0 for the deploy, and one more with each push or rollback.
    pub number: u64,
    /// The document; `None` for the one that the gateway was deployed with.
    pub version: Option<Version>,
    /// When, in Unix seconds.
    pub at: u64,
}

/// Which policy is in force, and which were before it. The default is where nothing was pushed yet.
///
/// In the store it is one line of JSON, bound to its name:
///
/// ```json
/// {"format":1,"sealed":"base64url(nonce, ciphertext)"}
/// ```
///
/// and inside, `history` newest first and without the change that is in force:
///
/// ```json
/// {"format":1,"number":2,"version":"1f0c…","sha256":"1f0c…","at":1790000000,
///  "history":[{"number":1,"version":null,"sha256":null,"at":1780000000}]}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Current {
    /// The change that is in force.
    pub in_force: Change,
    /// Those before it, newest first, [`LONGEST_HISTORY`] at most.
    pub history: Vec<Change>,
}

impl Current {
    /// The next one: this document in force (`None`: the deployed one) from `at` (Unix seconds) on.
    #[must_use]
    pub fn followed_by(&self, version: Option<Version>, at: u64) -> Self {
        let before = std::iter::once(&self.in_force).chain(&self.history);
        Self {
            in_force: Change {
                number: self.in_force.number.saturating_add(1),
                version,
                at,
            },
            history: before
                // Before the first push nothing was changed.
                .filter(|change| change.number > 0)
                .take(LONGEST_HISTORY)
                .cloned()
                .collect(),
        }
    }

    /// The documents that `before` named and this does not any more, so that nobody needs their entries.
    #[must_use]
    pub fn dropped(&self, before: &Self) -> Vec<Version> {
        let mut dropped: Vec<Version> = Vec::new();
        for version in before.versions() {
            if !self.versions().any(|kept| kept == version) && !dropped.contains(version) {
                dropped.push(version.clone());
            }
        }
        dropped
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        std::iter::once(&self.in_force)
            .chain(&self.history)
            .filter_map(|change| change.version.as_ref())
    }

    /// The changes before, as they are told, in JSON: `[{"number","version","sha256","at"}]`.
    #[must_use]
    pub fn history_json(&self) -> String {
        let mut told = String::from("[");
        for change in &self.history {
            if told.len() > 1 {
                told.push(',');
            }
            told.push('{');
            told.push_str(&change.members());
            told.push('}');
        }
        told.push(']');
        told
    }

    /// The value to store under [`CURRENT`]. The nonce must be random and used once.
    ///
    /// # Errors
    /// If sealing fails, which for so little it does not.
    pub fn seal(&self, sealer: &Sealer, nonce: [u8; NONCE_LENGTH]) -> Result<String, CurrentError> {
        let inside = format!(
            r#"{{"format":{FORMAT},{},"history":{}}}"#,
            self.in_force.members(),
            self.history_json()
        );
        let sealed = sealer
            .seal(CURRENT.as_bytes(), nonce, inside.as_bytes())
            .map_err(|_| CurrentError::Sealed)?;
        let sealed = URL_SAFE_NO_PAD.encode(sealed);
        Ok(format!(r#"{{"format":{FORMAT},"sealed":"{sealed}"}}"#))
    }

    /// Reads what [`Self::seal`] made.
    ///
    /// # Errors
    /// Says whether it is another format, does not open, or opens and is not what it should be.
    pub fn open(sealer: &Sealer, entry: &str) -> Result<Self, CurrentError> {
        let entry = parse_object(entry).map_err(|_| CurrentError::Entry)?;
        of_our_format(&entry).ok_or(CurrentError::Entry)??;
        let sealed = entry
            .get("sealed")
            .and_then(Value::as_str)
            .filter(|_| entry.len() == 2)
            .ok_or(CurrentError::Entry)?;
        let opened = URL_SAFE_NO_PAD
            .decode(sealed)
            .ok()
            .and_then(|sealed| sealer.open(CURRENT.as_bytes(), &sealed).ok())
            .ok_or(CurrentError::Sealed)?;
        // Whoever sealed it knows the secret; it can still be of a version to come.
        let inside = std::str::from_utf8(&opened)
            .ok()
            .and_then(|inside| parse_object(inside).ok())
            .ok_or(CurrentError::Inside)?;
        of_our_format(&inside).ok_or(CurrentError::Inside)??;
        Self::read(&inside).ok_or(CurrentError::Inside)
    }

    fn read(inside: &Map<String, Value>) -> Option<Self> {
        let history = inside.get("history")?.as_array()?;
        if history.len() > LONGEST_HISTORY {
            return None;
        }
        Some(Self {
            in_force: Change::read(inside)?,
            history: history
                .iter()
                .map(|change| Change::read(change.as_object()?))
                .collect::<Option<_>>()?,
        })
    }
}

impl Change {
    /// Its members in JSON. Nothing in them needs to be escaped.
    fn members(&self) -> String {
        let Self {
            number,
            version,
            at,
        } = self;
        match version {
            Some(version) => format!(
                r#""number":{number},"version":"{version}","sha256":"{}","at":{at}"#,
                version.sha256()
            ),
            None => format!(r#""number":{number},"version":null,"sha256":null,"at":{at}"#),
        }
    }

    fn read(members: &Map<String, Value>) -> Option<Self> {
        let version = match (members.get("version")?, members.get("sha256")?) {
            (Value::Null, Value::Null) => None,
            (Value::String(short), Value::String(sha256)) => {
                Some(Version::from_sha256(sha256).filter(|version| version.short() == short)?)
            }
            _ => return None,
        };
        Some(Self {
            number: members.get("number")?.as_u64()?,
            version,
            at: members.get("at")?.as_u64()?,
        })
    }
}

/// `None` for what says no format.
fn of_our_format(object: &Map<String, Value>) -> Option<Result<(), CurrentError>> {
    let format = object.get("format")?.as_u64()?;
    Some(if format == FORMAT {
        Ok(())
    } else {
        Err(CurrentError::Format(format))
    })
}

/// An entry `policy/current` that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrentError {
    /// It is not what is written there.
    Entry,
    /// Written in another format.
    Format(u64),
    /// It does not open.
    Sealed,
    /// It opens, but there is something else in it.
    Inside,
}

impl fmt::Display for CurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the entry `{CURRENT}` ")?;
        match self {
            Self::Entry => f.write_str("is not one that `edgekeeper push` or the gateway wrote; push a policy anew"),
            Self::Format(found) => write!(
                f,
                "is written in format {found}, this version reads format {FORMAT}; deploy the version that wrote it, or push a policy anew"
            ),
            Self::Sealed => f.write_str(
                "does not open: it was sealed under another KEYS_SECRET, or it was changed; push a policy anew under the gateway's secret",
            ),
            Self::Inside => f.write_str("opens, but says nothing that can be read; push a policy anew"),
        }
    }
}

impl std::error::Error for CurrentError {}

#[cfg(test)]
mod tests;
