//! The answers one instance remembers.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use edgekeeper_policy::session::Session as Settings;

use crate::freshness::{Freshness, Standing};
use crate::key::CacheKey;
use crate::whoami::{Failure, Verdict};

/// A verdict worth remembering, and how long it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// What whoami said.
    pub verdict: Verdict,
    /// How long it stands.
    pub freshness: Freshness,
    /// Which credential it is about.
    pub credential: CacheKey,
    /// The memory it takes; see [`footprint`].
    pub size: usize,
    /// When Kratos was asked, in Unix milliseconds. A logout after that makes it worthless.
    pub asked: u64,
    /// How many revocations the instance knew of when it asked itself ([`crate::marks::Marks::count`]); `None` for what it was
    /// told by another.
    pub heard: Option<u64>,
    /// When the instance last made sure that no other one has seen a logout since, in Unix milliseconds.
    pub confirmed: Cell<u64>,
    /// Whether a browser has been given it to carry, see [`crate::sealed_cookie`].
    pub carried: Cell<bool>,
}

/// The memory that an answer of so many bytes takes once it is parsed, by estimate.
///
/// A parsed JSON object is a tree node with room for eleven members, however few it has. Counted by its text, a full
/// cache would take several times what it is allowed.
#[must_use]
pub fn footprint(answer: usize) -> usize {
    answer.saturating_mul(5).saturating_add(512)
}

/// Remembered answers, bounded in number and bytes.
///
/// Two generations: what is read or written moves to the young one; when that is full it becomes the old one,
/// and what was old is dropped. So the least used half goes first, without a list to keep in order.
#[derive(Debug, Default)]
pub struct SessionCache {
    young: Generation,
    old: Generation,
    /// Recent failures per question, so that a burst does not ask a failing Kratos once per request.
    failures: HashMap<CacheKey, (Failure, u64)>,
    /// When (Unix milliseconds) a credential was last forgotten: an answer that was asked for before does not count.
    forgotten: HashMap<CacheKey, u64>,
}

#[derive(Debug, Default)]
struct Generation {
    entries: HashMap<CacheKey, Rc<Entry>>,
    bytes: usize,
}

impl Generation {
    fn insert(&mut self, key: CacheKey, entry: Rc<Entry>) {
        self.remove(&key);
        self.bytes = self.bytes.saturating_add(entry.size);
        self.entries.insert(key, entry);
    }

    fn remove(&mut self, key: &CacheKey) -> Option<Rc<Entry>> {
        let entry = self.entries.remove(key)?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        Some(entry)
    }
}

/// For how many seconds a failure answers for Kratos.
const FAILURE_STANDS: u64 = 1;

/// How many forgotten credentials are listed before the old ones are taken off.
const MOST_FORGOTTEN: usize = 1_024;

/// For how long (milliseconds) an answer that was asked for before can still come: longer than any whoami may take.
const FORGOTTEN_MATTERS: u64 = 120_000;

/// How many failures are remembered at once.
const MOST_FAILURES: usize = 1_024;

impl SessionCache {
    /// What is remembered under a key and how it stands now; nothing that is gone.
    pub fn get(
        &mut self,
        key: &CacheKey,
        now: u64,
        settings: &Settings,
    ) -> Option<(Rc<Entry>, Standing)> {
        let entry = match self.young.entries.get(key) {
            Some(entry) => Rc::clone(entry),
            None => {
                let entry = self.old.remove(key)?;
                self.insert(*key, Rc::clone(&entry), settings);
                entry
            }
        };
        match entry.freshness.at(now) {
            Standing::Gone => {
                self.young.remove(key);
                None
            }
            standing => Some((entry, standing)),
        }
    }

    /// Remembers an answer. One that would not stand for a moment, or is larger than half the room, is not kept.
    pub fn put(&mut self, key: CacheKey, entry: Rc<Entry>, now: u64, settings: &Settings) {
        self.failures.remove(&key);
        self.old.remove(&key);
        self.young.remove(&key);
        let half = settings.max_bytes.checked_div(2).unwrap_or(0);
        if entry.freshness.at(now) != Standing::Gone && entry.size <= half {
            self.insert(key, entry, settings);
        }
    }

    /// Remembers that Kratos failed. What was known before stays: it may serve meanwhile.
    pub fn put_failure(&mut self, key: CacheKey, failure: Failure, now: u64) {
        if self.failures.len() >= MOST_FAILURES {
            self.failures.retain(|_, (_, at)| stands(*at, now));
        }
        if self.failures.len() < MOST_FAILURES {
            self.failures.insert(key, (failure, now));
        }
    }

    /// A failure of this very second or the last.
    #[must_use]
    pub fn recent_failure(&self, key: &CacheKey, now: u64) -> Option<&Failure> {
        self.failures
            .get(key)
            .filter(|(_, at)| stands(*at, now))
            .map(|(failure, _)| failure)
    }

    /// Forgets whatever is known about a credential, and what is being asked about it at `now` (Unix milliseconds).
    pub fn forget(&mut self, credential: &CacheKey, now: u64) {
        self.outdate(credential, now);
        for generation in [&mut self.young, &mut self.old] {
            generation
                .entries
                .retain(|_, entry| entry.credential != *credential);
            generation.bytes = generation
                .entries
                .values()
                .fold(0, |sum: usize, entry| sum.saturating_add(entry.size));
        }
    }

    /// Makes worthless what was asked about a credential until `at` (Unix milliseconds), wherever it is kept. What is
    /// remembered here stays.
    pub fn outdate(&mut self, credential: &CacheKey, at: u64) {
        if self.forgotten.len() >= MOST_FORGOTTEN {
            self.forgotten
                .retain(|_, known| at.abs_diff(*known) < FORGOTTEN_MATTERS);
        }
        self.forgotten.insert(*credential, at);
    }

    /// Whether a credential was forgotten since `asked` (Unix milliseconds), so that the answer is out of date.
    #[must_use]
    pub fn was_forgotten_since(&self, credential: &CacheKey, asked: u64) -> bool {
        self.forgotten
            .get(credential)
            .is_some_and(|at| *at >= asked)
    }

    /// How many answers are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.young
            .entries
            .len()
            .saturating_add(self.old.entries.len())
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes of answers are remembered.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.young.bytes.saturating_add(self.old.bytes)
    }

    fn insert(&mut self, key: CacheKey, entry: Rc<Entry>, settings: &Settings) {
        let most_entries = settings.max_entries.checked_div(2).unwrap_or(0).max(1);
        let most_bytes = settings.max_bytes.checked_div(2).unwrap_or(0);
        let full = self.young.entries.len() >= most_entries
            || self.young.bytes.saturating_add(entry.size) > most_bytes;
        if full {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, entry);
    }
}

/// Whether a failure of one instant answers at another. One from the future does not: the clock was set back.
fn stands(at: u64, now: u64) -> bool {
    now.abs_diff(at) < FAILURE_STANDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Credential;
    use crate::whoami::FailureKind;

    fn settings(max_entries: usize, max_bytes: usize) -> Settings {
        Settings {
            max_entries,
            max_bytes,
            ..Settings::default()
        }
    }

    fn key(name: &str) -> CacheKey {
        CacheKey::of_credential(&Credential::Cookie(name.to_owned()))
    }

    fn entry(name: &str, until: u64, size: usize) -> Rc<Entry> {
        Rc::new(Entry {
            verdict: Verdict::Refused,
            freshness: Freshness {
                since: 0,
                fresh_until: until,
                revalidate_until: until,
                fallback_until: until,
            },
            credential: key(name),
            size,
            asked: 0,
            heard: None,
            confirmed: Cell::new(0),
            carried: Cell::new(false),
        })
    }

    #[test]
    fn an_answer_is_found_until_it_is_gone() {
        let settings = settings(10, 1_000);
        let mut cache = SessionCache::default();
        cache.put(key("a"), entry("a", 100, 1), 50, &settings);
        assert!(cache.get(&key("a"), 99, &settings).is_some());
        assert!(cache.get(&key("b"), 99, &settings).is_none());
        assert!(cache.get(&key("a"), 100, &settings).is_none());
        assert!(cache.is_empty(), "what is gone is dropped");
    }

    #[test]
    fn number_and_bytes_are_bounded() {
        let settings = settings(10, 100);
        let mut cache = SessionCache::default();
        for n in 0..1_000 {
            let name = format!("k{n}");
            cache.put(key(&name), entry(&name, 100, 7), 1, &settings);
            assert!(cache.len() <= 10, "{} entries", cache.len());
            assert!(cache.bytes() <= 100, "{} bytes", cache.bytes());
        }
        cache.put(key("big"), entry("big", 100, 51), 1, &settings);
        assert!(
            cache.get(&key("big"), 1, &settings).is_none(),
            "larger than half the room"
        );
    }

    #[test]
    fn what_is_used_stays() {
        let settings = settings(10, 10_000);
        let mut cache = SessionCache::default();
        cache.put(key("used"), entry("used", 100, 1), 1, &settings);
        for n in 0..100 {
            let name = format!("k{n}");
            cache.put(key(&name), entry(&name, 100, 1), 1, &settings);
            assert!(
                cache.get(&key("used"), 1, &settings).is_some(),
                "after {n} others"
            );
        }
    }

    #[test]
    fn a_credential_is_forgotten_wherever_it_was_asked_about() {
        let settings = settings(10, 1_000);
        let mut cache = SessionCache::default();
        cache.put(key("one"), entry("a", 100, 1), 1, &settings);
        cache.put(key("two"), entry("a", 100, 1), 1, &settings);
        cache.put(key("three"), entry("b", 100, 1), 1, &settings);
        cache.forget(&key("a"), 1_000);
        assert_eq!(cache.len(), 1);
        assert_eq!(cache.bytes(), 1);
    }

    #[test]
    fn an_answer_asked_for_before_a_logout_is_out_of_date() {
        let mut cache = SessionCache::default();
        cache.forget(&key("a"), 1_000);
        assert!(cache.was_forgotten_since(&key("a"), 999));
        assert!(cache.was_forgotten_since(&key("a"), 1_000));
        assert!(!cache.was_forgotten_since(&key("a"), 1_001));
        assert!(!cache.was_forgotten_since(&key("b"), 0));
        for n in 0..3_000 {
            cache.forget(&key(&format!("k{n}")), 1_000 + n * 1_000);
        }
        assert!(cache.forgotten.len() <= MOST_FORGOTTEN + 1);
    }

    #[test]
    fn a_failure_stands_for_a_second_and_hides_nothing() {
        let settings = settings(10, 1_000);
        let mut cache = SessionCache::default();
        cache.put(key("a"), entry("a", 100, 1), 1, &settings);
        cache.put_failure(key("a"), Failure::new(FailureKind::Timeout, "t"), 50);
        assert!(cache.recent_failure(&key("a"), 50).is_some());
        assert!(cache.recent_failure(&key("a"), 51).is_none());
        assert!(
            cache.recent_failure(&key("a"), 20).is_none(),
            "the clock was set back"
        );
        assert!(cache.get(&key("a"), 50, &settings).is_some());
        cache.put(key("a"), entry("a", 100, 1), 50, &settings);
        assert!(
            cache.recent_failure(&key("a"), 50).is_none(),
            "an answer ends the failure"
        );
    }
}
