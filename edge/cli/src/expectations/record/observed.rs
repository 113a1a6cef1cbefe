//! What a gateway did, of all that its log says.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::decision::{Decision, Verdict};

/// More different requests are not kept.
const MOST: usize = 20_000;

/// More texts that tell of people are not kept.
const MOST_PEOPLE: usize = 50_000;

/// A shorter text is part of too many words.
const SHORTEST: usize = 3;

/// Claims that say who somebody is, whatever they look like.
const WHO: [&str; 9] = [
    "sub",
    "email",
    "mail",
    "name",
    "given_name",
    "family_name",
    "username",
    "preferred_username",
    "phone",
];

/// One kind of request with what became of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Observed {
    pub(super) host: String,
    pub(super) path: String,
    pub(super) method: String,
    pub(super) rule: Option<String>,
    pub(super) allowed: bool,
    /// The gateway's own, so there is none where the request went on.
    pub(super) status: Option<u64>,
    /// Whether a session counted.
    pub(super) signed_in: bool,
    /// Whether a session was asked about.
    pub(super) asked: bool,
    /// The scheme of the request, if it was told.
    pub(super) scheme: Option<String>,
}

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Observations {
    /// Each with how often it was seen.
    pub(super) kinds: BTreeMap<Observed, u64>,
    /// Ids, addresses and names of people.
    pub(super) people: BTreeSet<String>,
    /// How many decisions were read.
    pub(super) count: u64,
    /// How many of them were too much.
    pub(super) left_out: u64,
}

impl Observations {
    pub(super) fn add(&mut self, decision: &Decision) {
        self.count = self.count.saturating_add(1);
        if decision.is_for_the_operator() {
            return;
        }
        self.learn(decision);
        let observed = Observed::of(decision);
        let is_known = self.kinds.contains_key(&observed);
        if !is_known && self.kinds.len() >= MOST {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let times = self.kinds.entry(observed).or_default();
        *times = times.saturating_add(1);
    }

    /// Learns who was there.
    fn learn(&mut self, decision: &Decision) {
        for step in decision.steps() {
            if let Some(subject) = step.get("subject").and_then(Value::as_str) {
                self.learn_text(subject);
            }
            self.learn_headers(step.get("headers"));
            if let Some(Value::Object(claims)) =
                step.get("token").and_then(|token| token.get("claims"))
            {
                self.learn_claims(claims);
            }
        }
        let headers = decision
            .outcome()
            .and_then(|outcome| outcome.get("headers"));
        self.learn_headers(headers);
    }

    fn learn_headers(&mut self, headers: Option<&Value>) {
        let headers = headers.and_then(Value::as_array).into_iter().flatten();
        let values = headers.filter_map(|header| header.get("value")?.as_str());
        for value in values.filter(|value| value.contains('@')) {
            self.learn_text(value);
        }
    }

    fn learn_claims(&mut self, claims: &Map<String, Value>) {
        for (name, value) in claims {
            match value {
                Value::String(text) if WHO.contains(&name.as_str()) || text.contains('@') => {
                    self.learn_text(text);
                }
                // Such as `name: { first, last }`. Deeper nobody looks.
                Value::Object(within) if WHO.contains(&name.as_str()) => {
                    for text in within.values().filter_map(Value::as_str) {
                        self.learn_text(text);
                    }
                }
                _ => {}
            }
        }
    }

    fn learn_text(&mut self, text: &str) {
        let words = text.split(|c: char| c.is_whitespace() || c == '@');
        for word in std::iter::once(text).chain(words) {
            if word.len() >= SHORTEST && self.people.len() < MOST_PEOPLE {
                self.people.insert(word.to_lowercase());
            }
        }
    }
}

impl Observed {
    fn of(decision: &Decision) -> Self {
        let text = |name| decision.text(name).unwrap_or_default().to_owned();
        let allowed = decision.verdict() == Verdict::Allowed;
        let knows = |step: &Map<String, Value>| {
            let subject = step.get("subject").and_then(Value::as_str);
            subject.is_some_and(|subject| !subject.is_empty())
        };
        let is_explained = decision.outcome().is_some();
        let asked = decision.text("session").is_some();
        let signed_in = if is_explained {
            decision.steps().any(knows)
        } else {
            asked && allowed
        };
        let url = decision
            .step("request")
            .and_then(|step| step.get("url")?.as_str());
        let scheme = url.and_then(|url| url.split_once("://"));
        Self {
            host: text("host"),
            path: text("path"),
            method: text("method"),
            rule: decision.text("rule").map(str::to_owned),
            allowed,
            status: decision.number("status").filter(|_| !allowed),
            signed_in,
            asked,
            scheme: scheme.map(|(scheme, _)| scheme.to_owned()),
        }
    }
}
