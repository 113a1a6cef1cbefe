//! What one instance remembers: answers of whoami, who is asking for one, minted tokens, what other services said.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use edgekeeper_policy::session::Session as Settings;
use edgekeeper_session::cache::{Entry, SessionCache};
use edgekeeper_session::flight::Flights;
use edgekeeper_session::freshness::{Freshness, SKEW, Standing};
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::{Failure, Verdict};
use edgekeeper_token::cache::TokenCache;
use serde_json::Value;

use crate::answers::{AnswerKey, Answers};
use crate::complaints::Complaints;
use crate::jwks::KeySets;
use crate::runtime::seconds;

/// Tokens and their bytes that one instance remembers.
const TOKENS: (usize, usize) = (10_000, 8 << 20);

/// Answers of other services, and their bytes, that one instance remembers.
const ANSWERS: (usize, usize) = (10_000, 8 << 20);

/// The memory of an instance under one policy. Every borrow ends before anybody awaits.
#[derive(Debug)]
pub(crate) struct Memory {
    settings: Settings,
    common: Rc<Common>,
    /// Which answers in [`Common`] count: those of policies to which they mean the same.
    generation: u64,
    tokens: RefCell<TokenCache>,
    answers: RefCell<Answers>,
    key_sets: Rc<KeySets>,
}

/// What outlives a policy: a request that is under way when another one gets in force may still see a logout.
#[derive(Debug, Default)]
struct Common {
    sessions: RefCell<SessionCache>,
    flights: RefCell<Flights>,
    /// How many generations of answers there were besides the first.
    generations: Cell<u64>,
    /// Of the second tier.
    complaints: Complaints,
}

/// What means the same to the next policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kept {
    /// What whoami said, and the questions that are under way.
    pub(crate) sessions: bool,
    /// Other people's keys.
    pub(crate) key_sets: bool,
}

/// When a question was asked and when it was answered, in Unix milliseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moments {
    pub(crate) asked: u64,
    /// How many revocations the instance had heard of when it asked.
    pub(crate) heard: u64,
    pub(crate) now: u64,
}

impl Memory {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            settings,
            common: Rc::default(),
            generation: 0,
            tokens: RefCell::new(TokenCache::new(TOKENS.0, TOKENS.1)),
            answers: RefCell::new(Answers::new(ANSWERS.0, ANSWERS.1)),
            key_sets: Rc::default(),
        }
    }

    /// The memory under the next policy. Tokens and other services' answers are not kept: they are named by what a policy says
    /// of them.
    pub(crate) fn under_next(&self, settings: Settings, kept: Kept) -> Self {
        let mut next = Self::new(settings);
        next.common = Rc::clone(&self.common);
        next.generation = self.generation;
        if !kept.sessions {
            let generations = &self.common.generations;
            generations.set(generations.get().saturating_add(1));
            next.generation = generations.get();
        }
        if kept.key_sets {
            next.key_sets = Rc::clone(&self.key_sets);
        }
        next
    }

    pub(crate) fn forget(&self, credential: &CacheKey, now: u64) {
        self.common.sessions.borrow_mut().forget(credential, now);
    }

    pub(crate) fn remembered(&self, key: &CacheKey, now: u64) -> Option<(Rc<Entry>, Standing)> {
        self.common.sessions.borrow_mut().get(
            &key.apart(self.generation),
            seconds(now),
            &self.settings,
        )
    }

    pub(crate) fn recent_failure(&self, key: &CacheKey, now: u64) -> Option<Failure> {
        self.common
            .sessions
            .borrow()
            .recent_failure(&key.apart(self.generation), seconds(now))
            .cloned()
    }

    pub(crate) fn remember(
        &self,
        key: CacheKey,
        credential: CacheKey,
        verdict: &Verdict,
        size: usize,
        moments: Moments,
    ) {
        let outdated = self
            .common
            .sessions
            .borrow()
            .was_forgotten_since(&credential, moments.asked);
        if outdated {
            return;
        }
        let key = key.apart(self.generation);
        let now = seconds(moments.now);
        let settings = &self.settings;
        let freshness = match verdict {
            Verdict::Active(session) => {
                Freshness::of_session(settings, session.cache_for, session.expires_at, now)
            }
            Verdict::Refused | Verdict::AalRequired => Freshness::of_refusal(settings, now),
            Verdict::Failed(failure) => {
                self.common
                    .sessions
                    .borrow_mut()
                    .put_failure(key, failure.clone(), now);
                return;
            }
        };
        let entry = Entry {
            verdict: verdict.clone(),
            freshness,
            credential,
            size,
            asked: moments.asked,
            heard: Some(moments.heard),
            // Another instance may have seen a logout while Kratos took its time.
            confirmed: Cell::new(moments.asked),
            carried: Cell::new(false),
        };
        self.common
            .sessions
            .borrow_mut()
            .put(key, Rc::new(entry), now, settings);
    }

    /// Makes worthless what browsers carry of an answer that was asked for until `at` (Unix milliseconds).
    pub(crate) fn outdate(&self, credential: &CacheKey, at: u64) {
        self.common.sessions.borrow_mut().outdate(credential, at);
    }

    /// Whether this instance has seen a session change since another one asked about it (Unix milliseconds), by clocks that may
    /// differ.
    pub(crate) fn has_changed_since(&self, credential: &CacheKey, asked: u64) -> bool {
        let asked = asked.saturating_sub(SKEW.saturating_mul(1_000));
        self.common
            .sessions
            .borrow()
            .was_forgotten_since(credential, asked)
    }

    /// Remembers what another instance knew, unless this one was told later.
    pub(crate) fn adopt(&self, key: CacheKey, entry: Rc<Entry>, now: u64) {
        let known = self.remembered(&key, now);
        if known.is_some_and(|(known, _)| known.asked > entry.asked) {
            return;
        }
        let key = key.apart(self.generation);
        self.common
            .sessions
            .borrow_mut()
            .put(key, entry, seconds(now), &self.settings);
    }

    /// Whether the log is to say again that the second tier fails: not for every request.
    pub(crate) fn may_complain(&self, now: u64) -> bool {
        self.common.complaints.are_due(now)
    }

    pub(crate) fn take_off(&self, key: CacheKey, now: u64, until: u64) -> bool {
        let key = key.apart(self.generation);
        self.common.flights.borrow_mut().take_off(key, now, until)
    }

    pub(crate) fn land(&self, key: &CacheKey) {
        let key = key.apart(self.generation);
        self.common.flights.borrow_mut().land(&key);
    }

    /// The sets of other people's keys.
    pub(crate) fn key_sets(&self) -> &KeySets {
        &self.key_sets
    }

    pub(crate) fn cached_token(&self, key: &[u8; 32], now: u64) -> Option<String> {
        self.tokens.borrow_mut().get(key, now).map(str::to_owned)
    }

    pub(crate) fn cache_token(&self, key: [u8; 32], token: String, issued: u64, expires: u64) {
        self.tokens.borrow_mut().put(key, token, issued, expires);
    }

    /// What another service said, while it counts at `now` (Unix milliseconds).
    pub(crate) fn answer(&self, key: &AnswerKey, now: u64) -> Option<Rc<Value>> {
        self.answers.borrow_mut().get(key, now)
    }

    /// Remembers what another service said, in a text of `size` bytes, between two instants (Unix milliseconds).
    pub(crate) fn remember_answer(
        &self,
        key: AnswerKey,
        value: Rc<Value>,
        size: usize,
        from: u64,
        until: u64,
    ) {
        self.answers.borrow_mut().put(key, value, size, from, until);
    }
}
