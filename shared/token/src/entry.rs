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
//!
//! An entry that took the place of another of its period ([`crate::retire`]) is written in format 2.
//! It says since when keys of the period sign (`since`), and has the earlier ones whose tokens may
//! be alive, each whole and in format 1 (`replaced`):
//!
//! ```json
//! {"format":2,"period":690,…,"created":1788500000,"since":1788480000,"replaced":[{"format":1,…}]}
//! ```

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

/// A key alone in its period.
const FORMAT: u64 = 1;

/// A key that took the place of another.
const REPLACING: u64 = 2;

/// The most keys that an entry has beside its own.
pub(crate) const MOST_REPLACED: usize = 4;

const MEMBERS: [&str; 8] = [
    "format", "period", "length", "alg", "kid", "public", "sealed", "created",
];

/// What format 2 has beside them.
const MEMBERS_REPLACING: [&str; 2] = ["since", "replaced"];

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
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    replaced: Vec<KeyEntry>,
}

/// What an entry says of keys that were there before its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Before {
    /// See [`KeyEntry::since`].
    pub(crate) since: Option<u64>,
    /// Entries in format 1, oldest first.
    pub(crate) replaced: Vec<KeyEntry>,
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
        let before = Before::default();
        Self::seal_after(sealer, key, before, rotation, period, created, nonce)
    }

    /// The same for an entry that takes the place of another.
    pub(crate) fn seal_after(
        sealer: &Sealer,
        key: &SigningKey,
        before: Before,
        rotation: Rotation,
        period: u64,
        created: u64,
        nonce: [u8; NONCE_LENGTH],
    ) -> Result<Self, EntryError> {
        let mut entry = Self {
            // What format 1 can say is left to it: older versions read it.
            format: if before == Before::default() {
                FORMAT
            } else {
                REPLACING
            },
            period,
            length: rotation.length(),
            alg: key.algorithm(),
            kid: key.kid().to_owned(),
            public: key.public().clone(),
            sealed: String::new(),
            created,
            since: before.since,
            replaced: before.replaced,
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
        let mut entry = Self::read_one(name, &object)?;
        if entry.format == FORMAT {
            return Ok(entry);
        }
        if object.contains_key("since") {
            entry.since = Some(number(&object, "since")?);
        }
        let replaced = object
            .get("replaced")
            .map_or(Some(&[][..]), |listed| listed.as_array().map(Vec::as_slice));
        for each in replaced
            .filter(|each| each.len() <= MOST_REPLACED)
            .ok_or(EntryProblem::Member("replaced"))?
        {
            let object = each.as_object().ok_or(EntryProblem::Member("replaced"))?;
            let before = Self::read_one(name, object)?;
            let is_known = |other: &Self| other.kid == before.kid;
            if before.format != FORMAT
                || before.length != entry.length
                || is_known(&entry)
                || entry.replaced.iter().any(is_known)
            {
                return Err(EntryProblem::Member("replaced"));
            }
            entry.replaced.push(before);
        }
        Ok(entry)
    }

    /// Reads all but what format 2 has beside.
    fn read_one(name: &str, object: &Map<String, Value>) -> Result<Self, EntryProblem> {
        let format = number(object, "format")?;
        let more = match format {
            FORMAT => &[][..],
            REPLACING => &MEMBERS_REPLACING[..],
            _ => return Err(EntryProblem::Format(format)),
        };
        let is_known = |key: &str| MEMBERS.contains(&key) || more.contains(&key);
        if !object.keys().all(|key| is_known(key)) {
            return Err(EntryProblem::Unknown);
        }
        let period = number(object, "period")?;
        if entry_name(period) != name {
            return Err(EntryProblem::Name);
        }
        let alg: Algorithm = text(object, "alg")?
            .parse()
            .map_err(|_| EntryProblem::Member("alg"))?;
        let kid = text(object, "kid")?.to_owned();
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
            length: number(object, "length")?,
            alg,
            kid,
            public,
            sealed: text(object, "sealed")?.to_owned(),
            created: number(object, "created")?,
            since: None,
            replaced: Vec::new(),
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

    /// Since when keys of its period sign (Unix seconds), where the one that was the first of them is not among
    /// [`Self::keys`] or may be gone from them any time: keys of earlier periods do not sign again.
    pub const fn since(&self) -> Option<u64> {
        self.since
    }

    /// All keys of the period, in the order in which they sign; its own is the last.
    pub fn keys(&self) -> impl Iterator<Item = &Self> {
        self.replaced.iter().chain(std::iter::once(self))
    }

    /// The keys whose place its own took, in format 1.
    pub(crate) fn replaced(&self) -> &[Self] {
        &self.replaced
    }

    /// Whether an older version reads it.
    pub(crate) const fn is_alone(&self) -> bool {
        self.format == FORMAT
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
            since,
            replaced,
            ..
        } = self;
        let name = self.name();
        let mut data = format!("{name}\n{format}\n{period}\n{length}\n{alg}\n{kid}\n{created}");
        if *format != FORMAT {
            data.push('\n');
            if let Some(since) = since {
                data.push_str(&since.to_string());
            }
            for before in replaced {
                data.push('\n');
                data.push_str(&before.kid);
            }
        }
        data.into_bytes()
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
    /// Written in another format than 1 and 2.
    Format(u64),
    /// A member that its format does not have.
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
                "written in format {found}, this version reads formats {FORMAT} and {REPLACING}; deploy the version \
                 that wrote it, or delete the entry and run: edgekeeper keys new"
            ),
            EntryProblem::Unknown => write!(
                f,
                "has a member that its format does not have; allowed: {}, and in format {REPLACING} {}",
                MEMBERS.join(", "),
                MEMBERS_REPLACING.join(", ")
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
