//! A key as it lies in the key-value store.
//!
//! One JSON value per rotation period, under [`entry_name`]:
//!
//! ```json
//! {"format":1,"period":690,"length":2592000,"alg":"EdDSA","kid":"…","public":{…},
//!  "sealed":"base64url(nonce, ciphertext)","created":1788480000}
//! ```
//!
//! Everything beside the public key is bound to the sealed half as associated data, and the key id
//! binds the public key: an entry that was moved, renamed, or edited does not open.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::algorithm::Algorithm;
use crate::encoding::{decode, encode};
use crate::jwk::PublicJwk;
use crate::key::SigningKey;
use crate::object::parse_object;
use crate::rotation::Rotation;
use crate::seal::{NONCE_LENGTH, Sealer};

const FORMAT: u64 = 1;

const MEMBERS: [&str; 8] = [
    "format", "period", "length", "alg", "kid", "public", "sealed", "created",
];

/// The name under which a period's key is stored.
pub fn entry_name(period: u64) -> String {
    format!("keys/{period}")
}

/// A stored key whose private half is still sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyEntry {
    format: u64,
    period: u64,
    length: u64,
    alg: Algorithm,
    kid: String,
    public: PublicJwk,
    sealed: String,
    created: u64,
}

impl KeyEntry {
    /// Seals a key for one period of a rotation. `nonce` must be random and used once; `created` is
    /// now, in Unix seconds.
    ///
    /// # Errors
    /// If sealing fails, which for a key's 32 bytes it does not.
    pub fn seal(
        sealer: &Sealer,
        key: &SigningKey,
        rotation: Rotation,
        period: u64,
        created: u64,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<Self, EntryError> {
        let mut entry = Self {
            format: FORMAT,
            period,
            length: rotation.length(),
            alg: key.algorithm(),
            kid: key.kid().to_owned(),
            public: key.public().clone(),
            sealed: String::new(),
            created,
        };
        let sealed = sealer
            .seal(&entry.associated_data(), nonce, key.secret_bytes().as_ref())
            .map_err(|_| entry.error(EntryProblem::Sealed))?;
        entry.sealed = encode(&sealed);
        Ok(entry)
    }

    /// Reads the value stored under `name`, strictly: this program alone writes it.
    ///
    /// # Errors
    /// Says which entry and member is wrong.
    pub fn parse(name: &str, value: &str) -> Result<Self, EntryError> {
        Self::read(name, value).map_err(|problem| EntryError {
            name: name.to_owned(),
            problem,
        })
    }

    fn read(name: &str, value: &str) -> Result<Self, EntryProblem> {
        let object = parse_object(value).map_err(|error| EntryProblem::Json(error.to_string()))?;
        let format = number(&object, "format")?;
        if format != FORMAT {
            return Err(EntryProblem::Format(format));
        }
        if object.keys().any(|key| !MEMBERS.contains(&key.as_str())) {
            return Err(EntryProblem::Unknown);
        }
        let period = number(&object, "period")?;
        if entry_name(period) != name {
            return Err(EntryProblem::Name);
        }
        let alg: Algorithm = text(&object, "alg")?
            .parse()
            .map_err(|_| EntryProblem::Member("alg"))?;
        let kid = text(&object, "kid")?.to_owned();
        let stored = object.get("public").ok_or(EntryProblem::Member("public"))?;
        let public = stored
            .as_object()
            .and_then(|jwk| PublicJwk::from_object(jwk).ok())
            .filter(|jwk| serde_json::to_value(jwk).is_ok_and(|written| written == *stored))
            .ok_or(EntryProblem::Member("public"))?;
        if public.algorithm() != alg {
            return Err(EntryProblem::Member("alg"));
        }
        if public.kid() != kid || public.thumbprint() != kid {
            return Err(EntryProblem::Kid);
        }
        Ok(Self {
            format,
            period,
            length: number(&object, "length")?,
            alg,
            kid,
            public,
            sealed: text(&object, "sealed")?.to_owned(),
            created: number(&object, "created")?,
        })
    }

    /// The value to store, as compact JSON.
    ///
    /// # Errors
    /// None in practice: every member can be written.
    pub fn to_json(&self) -> Result<String, EntryError> {
        serde_json::to_string(self)
            .map_err(|error| self.error(EntryProblem::Json(error.to_string())))
    }

    /// Opens the private half, and checks that it is the public key's.
    ///
    /// # Errors
    /// If the secret is another, or the entry was changed or damaged.
    pub fn open(&self, sealer: &Sealer) -> Result<SigningKey, EntryError> {
        let opened = decode(&self.sealed)
            .and_then(|sealed| sealer.open(&self.associated_data(), &sealed).ok())
            .ok_or_else(|| self.error(EntryProblem::Sealed))?;
        let key = <&[u8; 32]>::try_from(opened.as_slice())
            .ok()
            .and_then(|secret| SigningKey::generate(self.alg, secret).ok())
            .filter(|key| *key.public() == self.public)
            .ok_or_else(|| self.error(EntryProblem::Mismatch))?;
        Ok(key)
    }

    /// Where it is stored.
    pub fn name(&self) -> String {
        entry_name(self.period)
    }

    /// The period it is for.
    pub const fn period(&self) -> u64 {
        self.period
    }

    /// Length of that period, in seconds.
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// When it was made (Unix seconds).
    pub const fn created(&self) -> u64 {
        self.created
    }

    /// The public half.
    pub const fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// A key id is base64url and the rest are numbers and names without line feeds, so no two
    /// entries have the same bytes here.
    fn associated_data(&self) -> Vec<u8> {
        let Self {
            format,
            period,
            length,
            alg,
            kid,
            created,
            ..
        } = self;
        let name = self.name();
        format!("{name}\n{format}\n{period}\n{length}\n{alg}\n{kid}\n{created}").into_bytes()
    }

    pub(crate) fn error(&self, problem: EntryProblem) -> EntryError {
        EntryError {
            name: self.name(),
            problem,
        }
    }
}

fn text<'a>(object: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, EntryProblem> {
    object
        .get(name)
        .and_then(Value::as_str)
        .ok_or(EntryProblem::Member(name))
}

fn number(object: &Map<String, Value>, name: &'static str) -> Result<u64, EntryProblem> {
    object
        .get(name)
        .and_then(Value::as_u64)
        .ok_or(EntryProblem::Member(name))
}

/// A stored key that cannot be used. It names the entry and what to do, and holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryError {
    name: String,
    problem: EntryProblem,
}

impl EntryError {
    /// The entry's name in the store.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is wrong with it.
    pub const fn problem(&self) -> &EntryProblem {
        &self.problem
    }
}

/// What is wrong with a stored key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryProblem {
    /// Not one JSON object; says where.
    Json(String),
    /// Written in another format than 1.
    Format(u64),
    /// A member that format 1 does not have.
    Unknown,
    /// A member is missing or not valid.
    Member(&'static str),
    /// Its period belongs under another name.
    Name,
    /// The key id is not the public key's thumbprint.
    Kid,
    /// Its period has another length than the rotation has now.
    Length {
        /// Seconds, in the entry.
        found: u64,
        /// Seconds, as configured.
        expected: u64,
    },
    /// The private half does not open.
    Sealed,
    /// The private half opens, but belongs to another public key.
    Mismatch,
    /// A second entry for a period.
    Repeated,
}

impl fmt::Display for EntryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "signing key {:?}: ", self.name)?;
        match &self.problem {
            EntryProblem::Json(error) => write!(f, "not a stored key: {error}"),
            EntryProblem::Format(found) => write!(
                f,
                "written in format {found}, this version reads format {FORMAT}; deploy the version \
                 that wrote it, or delete the entry and run: edgekeeper keys new"
            ),
            EntryProblem::Unknown => write!(
                f,
                "has a member that format {FORMAT} does not have; allowed: {}",
                MEMBERS.join(", ")
            ),
            EntryProblem::Member(member) => write!(f, "{member:?} is missing or not valid"),
            EntryProblem::Name => f.write_str(
                "its period belongs under another name; was the entry copied or renamed?",
            ),
            EntryProblem::Kid => f.write_str(
                "its kid is not the thumbprint of its public key; was the entry edited?",
            ),
            EntryProblem::Length { found, expected } => write!(
                f,
                "made for periods of {found} s, but keys rotate every {expected} s now; delete the \
                 entry, a new key will be made"
            ),
            EntryProblem::Sealed => f.write_str(
                "the private half does not open. Is KEYS_SECRET the secret this key was written \
                 under? If so, the entry was changed; if that secret is lost, delete the entry and \
                 run: edgekeeper keys new",
            ),
            EntryProblem::Mismatch => f.write_str(
                "the private half is not the public key's; delete the entry and run: edgekeeper \
                 keys new",
            ),
            EntryProblem::Repeated => f.write_str("given twice; the first one is used"),
        }
    }
}

impl std::error::Error for EntryError {}

#[cfg(test)]
mod tests;
