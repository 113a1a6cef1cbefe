//! A set of keys as it lies in the key-value store, sealed whole.
//!
//! One JSON value per URL, under [`entry_name`]:
//!
//! ```json
//! {"format":1,"url":"file:///etc/oathkeeper/id_token.jwks.json","sealed":"base64url(nonce, ciphertext)"}
//! ```
//!
//! The name is bound to the sealed set as associated data, and the URL makes the name: an entry that was moved or renamed
//! does not open.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::encoding::{decode, encode};
use crate::object::parse_object;
use crate::seal::{NONCE_LENGTH, Sealer};

const FORMAT: u64 = 1;

/// Bytes of the URL's hash in a name: far more than it takes to tell URLs apart.
const NAME_BYTES: usize = 16;

/// The name under which the set at a URL is stored: `jwks/` and the first half of the URL's SHA-256, in hexadecimal. The
/// URL counts as it is written in the configuration.
pub fn entry_name(url: &str) -> String {
    use fmt::Write as _;
    let mut name = "jwks/".to_owned();
    for byte in Sha256::digest(url).iter().take(NAME_BYTES) {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// A stored set that is still sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ImportedEntry {
    format: u64,
    url: String,
    sealed: String,
}

impl ImportedEntry {
    /// Seals the document that is at `url`. `nonce` must be random and used once.
    ///
    /// # Errors
    /// If sealing fails, which for less than 256 GiB it does not.
    pub fn seal(
        sealer: &Sealer,
        url: &str,
        document: &str,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<Self, ImportedEntryError> {
        let name = entry_name(url);
        let sealed = sealer
            .seal(name.as_bytes(), nonce, document.as_bytes())
            .map_err(|_| ImportedEntryError::new(&name, ImportedEntryProblem::Sealed))?;
        Ok(Self {
            format: FORMAT,
            url: url.to_owned(),
            sealed: encode(&sealed),
        })
    }

    /// Reads the value stored under `name`, strictly: this program alone writes it.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(name: &str, value: &str) -> Result<Self, ImportedEntryError> {
        Self::read(name, value).map_err(|problem| ImportedEntryError::new(name, problem))
    }

    fn read(name: &str, value: &str) -> Result<Self, ImportedEntryProblem> {
        let object =
            parse_object(value).map_err(|error| ImportedEntryProblem::Json(error.to_string()))?;
        let format = object
            .get("format")
            .and_then(serde_json::Value::as_u64)
            .ok_or(ImportedEntryProblem::Member("format"))?;
        if format != FORMAT {
            return Err(ImportedEntryProblem::Format(format));
        }
        if object.len() != 3 {
            return Err(ImportedEntryProblem::Unknown);
        }
        let text = |member: &'static str| {
            object
                .get(member)
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned)
                .ok_or(ImportedEntryProblem::Member(member))
        };
        let (url, sealed) = (text("url")?, text("sealed")?);
        if entry_name(&url) != name {
            return Err(ImportedEntryProblem::Name);
        }
        Ok(Self {
            format,
            url,
            sealed,
        })
    }

    /// The value to store, as compact JSON.
    ///
    /// # Errors
    /// None in practice: every member can be written.
    pub fn to_json(&self) -> Result<String, ImportedEntryError> {
        serde_json::to_string(self).map_err(|error| {
            ImportedEntryError::new(&self.name(), ImportedEntryProblem::Json(error.to_string()))
        })
    }

    /// Opens the document.
    ///
    /// # Errors
    /// If the secret is another, or the entry was changed or damaged.
    pub fn open(&self, sealer: &Sealer) -> Result<Zeroizing<String>, ImportedEntryError> {
        let name = self.name();
        decode(&self.sealed)
            .and_then(|sealed| sealer.open(name.as_bytes(), &sealed).ok())
            .and_then(|opened| {
                std::str::from_utf8(&opened)
                    .ok()
                    .map(|text| Zeroizing::new(text.to_owned()))
            })
            .ok_or_else(|| ImportedEntryError::new(&name, ImportedEntryProblem::Sealed))
    }

    /// Where it is stored.
    pub fn name(&self) -> String {
        entry_name(&self.url)
    }

    /// Where the set was read, as the configuration writes it.
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// A stored set that cannot be used. It names the entry and what to do, and holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedEntryError {
    name: String,
    problem: ImportedEntryProblem,
}

impl ImportedEntryError {
    fn new(name: &str, problem: ImportedEntryProblem) -> Self {
        Self {
            name: name.to_owned(),
            problem,
        }
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &ImportedEntryProblem {
        &self.problem
    }
}

/// What is wrong with a stored set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportedEntryProblem {
    /// Not one JSON object; says where.
    Json(String),
    /// Written in another format than 1.
    Format(u64),
    /// A member that format 1 does not have.
    Unknown,
    /// A member is missing or not valid.
    Member(&'static str),
    /// Its URL belongs under another name.
    Name,
    /// The set does not open.
    Sealed,
}

impl fmt::Display for ImportedEntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "imported keys {:?}: ", self.name)?;
        match &self.problem {
            ImportedEntryProblem::Json(error) => write!(f, "not a stored key set: {error}"),
            ImportedEntryProblem::Format(found) => write!(
                f,
                "written in format {found}, this version reads format {FORMAT}; run: edgekeeper keys import"
            ),
            ImportedEntryProblem::Unknown => write!(
                f,
                "has a member that format {FORMAT} does not have; allowed: format, url, sealed"
            ),
            ImportedEntryProblem::Member(member) => {
                write!(f, "{member:?} is missing or not valid")
            }
            ImportedEntryProblem::Name => {
                f.write_str("its url belongs under another name; was the entry copied or renamed?")
            }
            ImportedEntryProblem::Sealed => f.write_str(
                "the key set does not open. Is KEYS_SECRET the secret it was imported under? If not, or if the entry was \
                 changed, run: edgekeeper keys import",
            ),
        }
    }
}

impl std::error::Error for ImportedEntryError {}

#[cfg(test)]
mod tests;
