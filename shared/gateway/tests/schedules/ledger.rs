//! What is written down of a run, and what the invariants are checked against.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::LazyLock;

use crate::invariants::questions::Questions;
use crate::invariants::secrets::Secrets;
use crate::invariants::verifiable::Tokens;
use crate::world::Owner;

/// The one invariant that counts, where a break is made on purpose.
pub(crate) static ONLY: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("ONLY").ok());

/// A broken invariant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Violation {
    /// Its name, `I1` to `I7`, and `I0` for a gateway that does not do its work.
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// What Kratos said to one question.
#[derive(Debug, Clone)]
pub(crate) enum Said {
    Confirmed(Confirmation),
    Refused,
    Failed,
}

/// That there is a session.
#[derive(Debug, Clone)]
pub(crate) struct Confirmation {
    pub(crate) subject: String,
    pub(crate) email: String,
    /// Its id.
    pub(crate) session: String,
    /// When it ends by the clocks, in Unix seconds.
    pub(crate) ends: Option<u64>,
}

/// An answer of Kratos', and when: what was so at one moment arrived at another.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) evaluated: u64,
    pub(crate) delivered: u64,
    pub(crate) said: Said,
}

/// What a change that the gateway was told of ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ends {
    /// What was said to this credential.
    Credential(String),
    /// What was said of this session.
    Session(String),
    /// What was said of this person.
    Person(String),
}

/// That the gateway was told of a change.
#[derive(Debug, Clone)]
pub(crate) struct Told {
    pub(crate) ends: Ends,
    /// When an instance began to hear of it, and when it had.
    pub(crate) began: u64,
    pub(crate) at: u64,
    /// Which instance, and where.
    pub(crate) by: Owner,
    pub(crate) place: usize,
}

/// Everything that is written down.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    answers: RefCell<HashMap<String, Vec<Answer>>>,
    told: RefCell<Vec<Told>>,
    /// When something last went wrong, or was interfered with, in a way that may cost questions.
    disturbed: Cell<u64>,
    pub(crate) questions: Questions,
    pub(crate) secrets: Secrets,
    pub(crate) tokens: Tokens,
    /// What each browser carries of the gateway's, by the credential it has beside it.
    pub(crate) browsers: RefCell<HashMap<String, String>>,
    pub(crate) requests: Cell<u64>,
    pub(crate) allowed: Cell<u64>,
    /// Requests that have no answer yet.
    pub(crate) open: Cell<u64>,
    violation: RefCell<Option<Violation>>,
}

impl Ledger {
    pub(crate) fn answered(&self, credential: &str, answer: Answer) {
        let mut answers = self.answers.borrow_mut();
        answers
            .entry(credential.to_owned())
            .or_default()
            .push(answer);
    }

    /// Kratos' answers about a credential, the latest last.
    pub(crate) fn answers(&self, credential: &str) -> Vec<Answer> {
        let answers = self.answers.borrow();
        answers.get(credential).cloned().unwrap_or_default()
    }

    pub(crate) fn tell(&self, told: Told) {
        self.told.borrow_mut().push(told);
    }

    pub(crate) fn told(&self) -> std::cell::Ref<'_, Vec<Told>> {
        self.told.borrow()
    }

    /// Counts how often something went wrong that may cost questions.
    pub(crate) fn disturb(&self) {
        self.disturbed.set(self.disturbed.get() + 1);
    }

    pub(crate) fn disturbed(&self) -> u64 {
        self.disturbed.get()
    }

    /// Reports a broken invariant; the first one counts.
    pub(crate) fn violate(&self, invariant: &'static str, what: impl Into<String>) {
        if ONLY.as_ref().is_some_and(|only| only != invariant) {
            return;
        }
        self.violation.borrow_mut().get_or_insert(Violation {
            invariant,
            what: what.into(),
        });
    }

    pub(crate) fn violation(&self) -> Option<Violation> {
        self.violation.borrow().clone()
    }
}
