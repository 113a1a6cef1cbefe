//! What one instance remembers of each set of keys. Every borrow ends before anybody awaits.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use edgekeeper_policy::endpoint::Endpoint;

use super::{Failure, FailureKind, Keys, Purpose, Wanted};
use crate::complaints::Complaints;

/// After how many milliseconds a set that could not be fetched is tried again.
const TRY_AGAIN: u64 = 2_000;

/// How often, in milliseconds, a set is fetched because tokens name keys that it does not have.
const LOOK_FOR_NEWER: u64 = 5_000;

/// How old, in milliseconds, a set may be that is used while no newer one can be fetched. Strict mode uses one of any age
/// while the server does not answer, as Oathkeeper.
const OLDEST: u64 = 3_600_000;

/// All sets of the policy, and of those that were in force before it.
#[derive(Debug, Default)]
pub(crate) struct KeySets(RefCell<HashMap<(Purpose, Endpoint), State>>);

#[derive(Debug, Default)]
struct State {
    known: Option<Known>,
    failed: Option<(u64, Failure)>,
    /// How often it was fetched.
    fetches: u64,
    /// Since when and until when somebody fetches it. A request that is cut off never says that it is done.
    in_the_air: Option<(u64, u64)>,
    /// When it was last fetched because a token named a key that it does not have.
    looked_for_newer: Option<u64>,
    complaints: Complaints,
    /// The problems that the log knows of.
    problems: Vec<String>,
}

#[derive(Debug, Clone)]
struct Known {
    keys: Rc<Keys>,
    /// When it was fetched, in Unix milliseconds, as all instants here.
    at: u64,
}

/// Whether a set is to be fetched.
#[derive(Debug)]
pub(super) enum Standing {
    /// Not now: these keys count.
    Counts(Rc<Keys>),
    /// Not now: that has just failed.
    HasFailed(Failure),
    /// Another request fetches it.
    InTheAir,
    Due,
}

/// The right to fetch, given back when it is dropped, also when the request is cut off.
pub(super) struct Landing<'a> {
    sets: &'a KeySets,
    wanted: Wanted<'a>,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.sets
            .with(&self.wanted, |state| state.in_the_air = None);
    }
}

impl KeySets {
    fn with<T>(&self, wanted: &Wanted<'_>, work: impl FnOnce(&mut State) -> T) -> T {
        let mut sets = self.0.borrow_mut();
        // Only policies name sets, so there are no more of them than they have.
        let key = (wanted.purpose, wanted.endpoint.clone());
        work(sets.entry(key).or_default())
    }

    /// The keys that count by their age.
    pub(super) fn fresh(&self, wanted: &Wanted<'_>, now: u64) -> Option<Rc<Keys>> {
        self.with(wanted, |state| {
            let known = state.known.as_ref()?;
            (now.abs_diff(known.at) < wanted.ttl()).then(|| Rc::clone(&known.keys))
        })
    }

    /// The keys that may stand in while newer ones cannot be fetched.
    pub(super) fn older(
        &self,
        wanted: &Wanted<'_>,
        now: u64,
        strict: bool,
        why: FailureKind,
    ) -> Option<Rc<Keys>> {
        self.with(wanted, |state| {
            let known = state.known.as_ref()?;
            let age = now.abs_diff(known.at);
            let counts = age < wanted.ttl()
                || match (strict, why) {
                    (true, FailureKind::Down) => true,
                    (true, FailureKind::Wrong) => false,
                    (false, _) => age < OLDEST,
                };
            counts.then(|| Rc::clone(&known.keys))
        })
    }

    /// How often the set was fetched.
    pub(super) fn fetches(&self, wanted: &Wanted<'_>) -> u64 {
        self.with(wanted, |state| state.fetches)
    }

    /// What to do for a request that came when the set had been fetched `seen` times; `newer` if the keys that count are not
    /// enough for it.
    pub(super) fn standing(
        &self,
        wanted: &Wanted<'_>,
        now: u64,
        seen: u64,
        newer: bool,
    ) -> Standing {
        let fresh = self.fresh(wanted, now);
        self.with(wanted, |state| {
            if let Some(known) = &state.known
                && state.fetches != seen
            {
                return Standing::Counts(Rc::clone(&known.keys));
            }
            if let Some(keys) = &fresh
                && !newer
            {
                return Standing::Counts(Rc::clone(keys));
            }
            // Not one from the future: the clock was set back.
            let is_up = |(since, until): (u64, u64)| (since..until).contains(&now);
            if state.in_the_air.is_some_and(is_up) {
                return Standing::InTheAir;
            }
            if let Some((at, failure)) = &state.failed
                && now.abs_diff(*at) < TRY_AGAIN
            {
                return Standing::HasFailed(failure.clone());
            }
            match (fresh, state.looked_for_newer) {
                (Some(keys), Some(at)) if now.abs_diff(at) < LOOK_FOR_NEWER => {
                    Standing::Counts(keys)
                }
                _ => Standing::Due,
            }
        })
    }

    /// Lets a request fetch a set until an instant.
    pub(super) fn take_off<'a>(&'a self, wanted: &Wanted<'a>, now: u64, until: u64) -> Landing<'a> {
        let looks_for_newer = self.fresh(wanted, now).is_some();
        self.with(wanted, |state| {
            state.in_the_air = Some((now, until));
            if looks_for_newer {
                state.looked_for_newer = Some(now);
            }
        });
        Landing {
            sets: self,
            wanted: *wanted,
        }
    }

    /// Keeps a set that was fetched. Whether its problems are news to the log.
    pub(super) fn keep(
        &self,
        wanted: &Wanted<'_>,
        keys: Rc<Keys>,
        now: u64,
        problems: &[String],
    ) -> bool {
        self.with(wanted, |state| {
            state.known = Some(Known { keys, at: now });
            state.failed = None;
            state.complaints.end();
            state.fetches = state.fetches.wrapping_add(1);
            let is_news = state.problems != problems;
            state.problems = problems.to_vec();
            is_news
        })
    }

    /// Remembers that a set could not be fetched. Whether that is news to the log.
    pub(super) fn has_failed(&self, wanted: &Wanted<'_>, failure: Failure, now: u64) -> bool {
        self.with(wanted, |state| {
            state.failed = Some((now, failure));
            state.complaints.are_due(now)
        })
    }
}
