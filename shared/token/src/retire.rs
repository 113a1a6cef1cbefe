//! Taking a key out of the rotation before its time.
//!
//! Each period keeps its one entry. The key's entry is written anew, with a new key: after a while
//! that gives verifiers time, with the old key beside it until its tokens have expired; or at once,
//! without the old key. Whoever reads the store then knows all there is to know.

use std::fmt;

use crate::entry::{Before, EntryError, KeyEntry, MOST_REPLACED};
use crate::key::SigningKey;
use crate::rotation::{KeyState, Rotation};
use crate::seal::{NONCE_LENGTH, Sealer};
use crate::succession::Succession;

/// How soon a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Haste {
    /// It signs until every verifier can know the new key, and is published until its tokens have expired.
    None,
    /// It neither signs nor is published any more; its tokens are void.
    Now,
}

/// What takes its place.
#[derive(Debug)]
pub struct Successor<'a> {
    /// The new key.
    pub key: &'a SigningKey,
    /// When its entry is in the store, at the latest (Unix seconds).
    pub created: u64,
    /// Random, each used once.
    pub nonces: [[u8; NONCE_LENGTH]; 2],
}

/// The entry to write over the one that has the key `kid`. `entries` are all that the store has, `now` in Unix seconds.
///
/// # Errors
/// When there is no such key, nothing to do, or the entry does not open: without the right secret the new one would not open
/// for the gateway either.
pub fn retire(
    rotation: Rotation,
    entries: &[KeyEntry],
    sealer: &Sealer,
    kid: &str,
    haste: Haste,
    successor: &Successor<'_>,
    now: u64,
) -> Result<KeyEntry, RetireError> {
    let has_kid = |entry: &&KeyEntry| entry.public().kid() == kid;
    let entry = entries
        .iter()
        .find(|entry| entry.keys().any(|each| has_kid(&each)))
        .ok_or(RetireError::Unknown)?;
    if entry.length() != rotation.length() {
        return Err(RetireError::OtherRotation {
            found: entry.length(),
            expected: rotation.length(),
        });
    }
    let succession = Succession::of(rotation, entries);
    let state_of = |kid: &str| {
        let mut states = succession.states(now);
        let found = states.find(|(place, _)| place.key.kid() == kid);
        found.map_or(KeyState::Gone, |(_, state)| state)
    };
    let state = state_of(kid);
    let is_own = entry.public().kid() == kid;
    if state == KeyState::Gone || haste == Haste::None && (!is_own || state == KeyState::Retiring) {
        return Err(RetireError::NothingToDo(state));
    }

    let own = entry.open(sealer)?;
    let seal = |key: &SigningKey, before, created, nonce| {
        KeyEntry::seal_after(
            sealer,
            key,
            before,
            rotation,
            entry.period(),
            created,
            nonce,
        )
    };
    let [first, second] = successor.nonces;
    let begins = |created| rotation.signs_from(entry.period(), created);
    let taken_over = entry
        .keys()
        .map(|each| begins(each.created()))
        .chain(entry.since())
        .min();
    let mut before = Before {
        since: taken_over.filter(|since| *since <= now),
        replaced: entry.replaced().to_vec(),
    };
    before.replaced.retain(|each| {
        let each = each.public().kid();
        each != kid && state_of(each) != KeyState::Gone
    });
    if haste == Haste::Now && !is_own {
        return Ok(seal(&own, before, entry.created(), first)?);
    }
    // A key that never signs has no tokens.
    let signs = state == KeyState::Signing || begins(entry.created()) < begins(successor.created);
    if haste == Haste::None && signs {
        before.replaced.push(if entry.is_alone() {
            entry.clone()
        } else {
            seal(&own, Before::default(), entry.created(), second)?
        });
    }
    if before.replaced.len() > MOST_REPLACED {
        return Err(RetireError::TooMany);
    }
    Ok(seal(successor.key, before, successor.created, first)?)
}

/// Why a key is not retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetireError {
    /// No entry has it.
    Unknown,
    /// Its entry belongs to another rotation, so nobody uses it.
    OtherRotation {
        /// Seconds of a period, in the entry.
        found: u64,
        /// Seconds of a period, as configured.
        expected: u64,
    },
    /// It is on its way out, or gone.
    NothingToDo(KeyState),
    /// The entry has as many keys as it can hold, all with tokens that may be alive.
    TooMany,
    /// The entry does not open, or the new one could not be sealed.
    Entry(EntryError),
}

impl From<EntryError> for RetireError {
    fn from(error: EntryError) -> Self {
        Self::Entry(error)
    }
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("no entry has a key of this id"),
            Self::OtherRotation { found, expected } => write!(
                f,
                "its entry is for periods of {found} s, but keys rotate every {expected} s now: nobody uses it"
            ),
            Self::NothingToDo(KeyState::Gone) => {
                f.write_str("the key is gone already: it neither signs nor is published")
            }
            Self::NothingToDo(KeyState::Retiring) => f.write_str(
                "the key signs no more, and is published only until its tokens have expired",
            ),
            Self::NothingToDo(_) => f.write_str(
                "another key takes its place already, as soon as every verifier can know that one",
            ),
            Self::TooMany => write!(
                f,
                "its entry has {MOST_REPLACED} earlier keys whose tokens have not expired"
            ),
            Self::Entry(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RetireError {}

#[cfg(test)]
mod tests;
