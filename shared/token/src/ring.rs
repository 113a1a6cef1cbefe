//! The opened keys, and which of them does what now, as [`crate::succession`] has it.

use crate::entry::{EntryError, EntryProblem, KeyEntry};
use crate::jwk::{Jwks, PublicJwk};
use crate::key::SigningKey;
use crate::rotation::{KeyState, Rotation};
use crate::seal::Sealer;
use crate::succession::{Place, Succession};

/// The keys of a rotation that could be opened, oldest period first.
#[derive(Debug)]
pub struct KeyRing {
    keys: Succession<SigningKey>,
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
        let mut keys = Succession::new(rotation);
        let mut errors = Vec::new();
        for (name, value) in entries {
            match readable(&keys, name, value) {
                Ok(entry) => {
                    for each in entry.keys() {
                        match each.open(sealer) {
                            Ok(key) => keys.insert(Place {
                                period: entry.period(),
                                created: each.created(),
                                since: entry.since(),
                                key,
                            }),
                            Err(error) => errors.push(error),
                        }
                    }
                }
                Err(error) => errors.push(error),
            }
        }
        (Self { keys }, errors)
    }

    /// The rotation it was opened for.
    pub const fn rotation(&self) -> Rotation {
        self.keys.rotation()
    }

    /// Whether no key could be opened.
    pub fn is_empty(&self) -> bool {
        self.keys.places().is_empty()
    }

    /// Whether the period that `now` (Unix seconds) is in has a key.
    pub fn has_key_of(&self, now: u64) -> bool {
        let period = self.rotation().signing_period(now);
        self.keys
            .places()
            .iter()
            .any(|place| place.period == period)
    }

    /// The key to sign with at `now` (Unix seconds). `None` if the current period and the two
    /// before it have none.
    pub fn signing(&self, now: u64) -> Option<&SigningKey> {
        self.keys.signing(now).map(|place| &place.key)
    }

    /// When the key that signs at `now` was made (both Unix seconds).
    pub fn signing_created(&self, now: u64) -> Option<u64> {
        self.keys.signing(now).map(|place| place.created)
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
        self.keys
            .states(now)
            .map(|(place, state)| (place.period, place.key.public(), state))
    }
}

/// The entry, if it is one of this rotation and the first of its period.
fn readable(
    keys: &Succession<SigningKey>,
    name: &str,
    value: &str,
) -> Result<KeyEntry, EntryError> {
    let entry = KeyEntry::parse(name, value)?;
    let is_there = |place: &Place<SigningKey>| place.period == entry.period();
    if keys.places().iter().any(is_there) {
        return Err(entry.error(EntryProblem::Repeated));
    }
    let expected = keys.rotation().length();
    if entry.length() != expected {
        return Err(entry.error(EntryProblem::Length {
            found: entry.length(),
            expected,
        }));
    }
    Ok(entry)
}

#[cfg(test)]
mod tests;
