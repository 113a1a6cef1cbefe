//! The opened keys, and which of them does what now.
//!
//! When every key is made in time, a key's state is [`Rotation::state`]. The ring also gets the
//! other times right, from nothing but the entries and the clock:
//!
//! - **A key is missing** because no scheduled event ran. The newest earlier key signs on: a key
//!   that is older than planned is a smaller harm than no request getting through. It stays
//!   published as long as it signs, so verifiers notice nothing. This ends after two periods
//!   without a key: isolates only load so far back, and a token must not outlive its key's place
//!   in the JWKS.
//! - **A key was made late.** Verifiers may hold a JWKS without it, so it first signs [`SETTLE`]
//!   seconds after it was made, and the earlier key signs until then.
//! - **There is no earlier key** (a first deploy). The key signs at once: nobody holds a JWKS yet.

use crate::entry::{EntryError, EntryProblem, KeyEntry};
use crate::jwk::{Jwks, PublicJwk};
use crate::key::SigningKey;
use crate::rotation::{KeyState, Rotation, SETTLE};
use crate::seal::Sealer;

/// The keys of a rotation that could be opened, oldest period first.
#[derive(Debug)]
pub struct KeyRing {
    rotation: Rotation,
    keys: Vec<RingKey>,
}

#[derive(Debug)]
struct RingKey {
    period: u64,
    created: u64,
    key: SigningKey,
}

impl KeyRing {
    /// Opens what the store holds: pairs of entry name and value, in any order, for the periods of
    /// [`Rotation::periods_at`]. What cannot be used is left out and reported, so that one damaged
    /// entry does not take the others with it.
    pub fn open<'a>(
        rotation: Rotation,
        entries: impl IntoIterator<Item = (&'a str, &'a str)>,
        sealer: &Sealer,
    ) -> (Self, Vec<EntryError>) {
        let mut keys: Vec<RingKey> = Vec::new();
        let mut errors = Vec::new();
        for (name, value) in entries {
            let opened = KeyEntry::parse(name, value).and_then(|entry| {
                if keys.iter().any(|key| key.period == entry.period()) {
                    return Err(entry.error(EntryProblem::Repeated));
                }
                if entry.length() != rotation.length() {
                    return Err(entry.error(EntryProblem::Length {
                        found: entry.length(),
                        expected: rotation.length(),
                    }));
                }
                Ok(RingKey {
                    period: entry.period(),
                    created: entry.created(),
                    key: entry.open(sealer)?,
                })
            });
            match opened {
                Ok(key) => {
                    let position = keys.partition_point(|other| other.period < key.period);
                    keys.insert(position, key);
                }
                Err(error) => errors.push(error),
            }
        }
        (Self { rotation, keys }, errors)
    }

    /// The rotation it was opened for.
    pub const fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// Whether no key could be opened.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key to sign with at `now` (Unix seconds). `None` if the current period and the two
    /// before it have none.
    pub fn signing(&self, now: u64) -> Option<&SigningKey> {
        self.signing_at(now).map(|key| &key.key)
    }

    /// When the key that signs at `now` was made (both Unix seconds).
    pub fn signing_created(&self, now: u64) -> Option<u64> {
        self.signing_at(now).map(|key| key.created)
    }

    fn signing_at(&self, now: u64) -> Option<&RingKey> {
        let allowed = self.rotation.last_good(now)..=self.rotation.signing_period(now);
        let mut candidates = self.keys.iter().filter(|key| allowed.contains(&key.period));
        // Where all are new, the one verifiers have had longest is the safest.
        let longest_known = candidates.clone().min_by_key(|key| key.created);
        candidates
            .rfind(|key| self.signs_from(key) <= now)
            .or(longest_known)
    }

    /// The public halves to serve at `now`: published, signing and retiring, oldest period first.
    pub fn jwks(&self, now: u64) -> Jwks {
        Jwks::new(
            self.states(now)
                .filter(|(_, _, state)| state.is_public())
                .map(|(_, public, _)| public.clone())
                .collect(),
        )
    }

    /// Each key's period, public half and state at `now`, oldest period first.
    pub fn states(&self, now: u64) -> impl Iterator<Item = (u64, &PublicJwk, KeyState)> {
        let signing = self.signing_at(now).map(|key| key.period);
        self.keys.iter().map(move |key| {
            let state = match self.superseded_at(key) {
                Some(end) if now >= end.saturating_add(self.rotation.retirement()) => {
                    KeyState::Gone
                }
                Some(end) if now >= end => KeyState::Retiring,
                _ if signing == Some(key.period) => KeyState::Signing,
                _ => KeyState::Published,
            };
            (key.period, key.key.public(), state)
        })
    }

    /// When a key may sign: in its period, and once every verifier can know it.
    fn signs_from(&self, key: &RingKey) -> u64 {
        let start = self.rotation.start(key.period);
        start.max(key.created.saturating_add(SETTLE))
    }

    /// When the first later key takes over. `None` while there is none.
    fn superseded_at(&self, key: &RingKey) -> Option<u64> {
        self.keys
            .iter()
            .filter(|later| later.period > key.period)
            .map(|later| self.signs_from(later))
            .min()
    }
}

#[cfg(test)]
mod tests;
