//! Which key follows which, and what each does at an instant.
//!
//! When every key is made in time, a key's state is [`Rotation::state`]. This also gets the other
//! times right, from nothing but what the entries say and the clock:
//!
//! - **A key is missing** because no scheduled event ran. The newest earlier key signs on: a key
//!   that is older than planned is a smaller harm than no request getting through. It stays
//!   published as long as it signs, so verifiers notice nothing. This ends after two periods
//!   without a key: isolates only load so far back, and a token must not outlive its key's place
//!   in the JWKS.
//! - **A key was made late**, or in the place of another. Verifiers may hold a JWKS without it, so
//!   it first signs [`Rotation::settle`] seconds after it was made, and the earlier key until then.
//! - **There is no earlier key** (a first deploy). The key signs at once: nobody holds a JWKS yet.
//! - **A key was taken away** while it signed. Those of earlier periods do not come back. Until the
//!   new one has settled, the next period's signs if verifiers can know it; else the new one does.

use crate::entry::KeyEntry;
use crate::jwk::PublicJwk;
use crate::rotation::{KeyState, Rotation};

/// The keys of a rotation, in the order in which they sign.
#[derive(Debug)]
pub struct Succession<K> {
    rotation: Rotation,
    places: Vec<Place<K>>,
}

/// A key and what its times follow from.
#[derive(Debug)]
pub struct Place<K> {
    /// The period it is for.
    pub period: u64,
    /// When it was made (Unix seconds).
    pub created: u64,
    /// Since when keys of its period sign, if one of them is there no more ([`KeyEntry::since`]).
    pub since: Option<u64>,
    /// The key.
    pub key: K,
}

impl Succession<PublicJwk> {
    /// The public halves of entries, for whoever has no secret to open them. Entries of another rotation are left out, as
    /// the gateway leaves them out.
    pub fn of(rotation: Rotation, entries: &[KeyEntry]) -> Self {
        let mut succession = Self::new(rotation);
        for entry in entries
            .iter()
            .filter(|entry| entry.length() == rotation.length())
        {
            for each in entry.keys() {
                succession.insert(Place {
                    period: entry.period(),
                    created: each.created(),
                    since: entry.since(),
                    key: each.public().clone(),
                });
            }
        }
        succession
    }
}

impl<K> Succession<K> {
    /// No keys yet.
    pub const fn new(rotation: Rotation) -> Self {
        Self {
            rotation,
            places: Vec::new(),
        }
    }

    /// Adds a key behind those of its own period and of earlier ones.
    pub fn insert(&mut self, place: Place<K>) {
        let at = self
            .places
            .partition_point(|other| other.period <= place.period);
        self.places.insert(at, place);
    }

    /// The rotation.
    pub const fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// The keys, in the order in which they sign.
    pub fn places(&self) -> &[Place<K>] {
        &self.places
    }

    /// The key that signs at `now` (Unix seconds). `None` if the current period and the two before it have none.
    pub fn signing(&self, now: u64) -> Option<&Place<K>> {
        self.signing_at(now).map(|(_, place)| place)
    }

    fn signing_at(&self, now: u64) -> Option<(usize, &Place<K>)> {
        let current = self.rotation.signing_period(now);
        let allowed = self.rotation.last_good(now)..=current;
        let mut candidates = self.places.iter().enumerate().filter(|(index, place)| {
            allowed.contains(&place.period)
                && self.superseded_at(*index).is_none_or(|end| now < end)
        });
        // Where all are new, the one verifiers have had longest is the safest.
        let longest_known = candidates.clone().min_by_key(|(_, place)| place.created);
        candidates
            .rfind(|(_, place)| self.signs_from(place) <= now)
            .or_else(|| {
                let known = self.places.iter().enumerate().find(|(_, place)| {
                    place.period > current
                        && place.created.saturating_add(self.rotation.settle()) <= now
                });
                longest_known.and(known)
            })
            .or(longest_known)
    }

    /// Each key with its state at `now` (Unix seconds), in the order in which they sign.
    pub fn states(&self, now: u64) -> impl Iterator<Item = (&Place<K>, KeyState)> {
        let signing = self.signing_at(now).map(|(index, _)| index);
        self.places.iter().enumerate().map(move |(index, place)| {
            let state = match self.superseded_at(index) {
                Some(end) if now >= end.saturating_add(self.rotation.retirement()) => {
                    KeyState::Gone
                }
                Some(end) if now >= end => KeyState::Retiring,
                _ if signing == Some(index) => KeyState::Signing,
                _ => KeyState::Published,
            };
            (place, state)
        })
    }

    /// When a key begins to sign (Unix seconds), unless there is no other.
    pub fn signs_from(&self, place: &Place<K>) -> u64 {
        self.rotation.signs_from(place.period, place.created)
    }

    /// When another key takes over from the key at an index (Unix seconds). `None` while there is none to do so.
    fn superseded_at(&self, index: usize) -> Option<u64> {
        let place = self.places.get(index)?;
        let later = self.places.iter().skip(index.saturating_add(1));
        later
            .map(|later| {
                let from = self.signs_from(later);
                match later.since {
                    Some(since) if later.period > place.period => since.min(from),
                    _ => from,
                }
            })
            .min()
    }

    /// From when on each key does not sign, in the same order as [`Self::places`] (Unix seconds). `None` while there is
    /// nobody to take over.
    pub fn ends(&self) -> impl Iterator<Item = Option<u64>> {
        (0..self.places.len()).map(|index| self.superseded_at(index))
    }
}
