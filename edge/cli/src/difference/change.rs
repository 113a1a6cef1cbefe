//! How two outcomes of one request differ.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::outcome::{End, Headers, Outcome};

/// What kind of change it is, the most dangerous first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// What was refused is allowed.
    Opened,
    /// The upstream is told something else, for instance of who the user is.
    Told,
    /// It goes somewhere else.
    Upstream,
    /// What was allowed is refused.
    Closed,
    /// It is refused in another way.
    Answer,
    /// It has another rule, and the same comes of it.
    Rule,
}

/// The change itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) kind: Kind,
    /// The headers and claims that differ, each in words.
    pub(super) details: Vec<String>,
}

impl Change {
    /// `None` where the same becomes of the request.
    pub(super) fn between(before: &Outcome, after: &Outcome) -> Option<Self> {
        if before == after {
            return None;
        }
        let mut details = Vec::new();
        let kind = match (before.is_allowed(), after.is_allowed()) {
            (false, true) => Kind::Opened,
            (true, false) => Kind::Closed,
            (allowed, _) => kind(before, after, allowed, &mut details),
        };
        Some(Self { kind, details })
    }
}

fn kind(before: &Outcome, after: &Outcome, allowed: bool, details: &mut Vec<String>) -> Kind {
    match (&before.end, &after.end) {
        (
            End::Forward {
                url,
                binding,
                headers,
                claims,
            },
            End::Forward {
                url: new_url,
                binding: new_binding,
                headers: new_headers,
                claims: new_claims,
            },
        ) => {
            header_details(headers, new_headers, details);
            claim_details(claims, new_claims, details);
            if !details.is_empty() {
                Kind::Told
            } else if (url, binding) == (new_url, new_binding) {
                Kind::Rule
            } else {
                Kind::Upstream
            }
        }
        (
            End::Answer {
                status,
                headers,
                location,
            },
            End::Answer {
                status: new_status,
                headers: new_headers,
                location: new_location,
            },
        ) => {
            header_details(headers, new_headers, details);
            if details.is_empty() && (status, location) == (new_status, new_location) {
                Kind::Rule
            } else if allowed {
                Kind::Told
            } else {
                Kind::Answer
            }
        }
        _ => Kind::Upstream,
    }
}

fn header_details(before: &Headers, after: &Headers, details: &mut Vec<String>) {
    for (name, what) in differing(before.iter(), after.iter()) {
        details.push(format!("{name} {what}"));
    }
}

fn claim_details(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    details: &mut Vec<String>,
) {
    // That there is a token at all is told by its header.
    if before.is_empty() || after.is_empty() {
        return;
    }
    for (name, what) in differing(before.iter(), after.iter()) {
        details.push(format!("the token's `{name}` {what}"));
    }
}

/// What differs between two lists of values by name: first the names of the one before, then those that only the other has.
fn differing<'a, V: PartialEq + 'a>(
    before: impl Iterator<Item = (&'a String, &'a V)>,
    after: impl Iterator<Item = (&'a String, &'a V)>,
) -> Vec<(&'a String, &'static str)> {
    let before: BTreeMap<&String, &V> = before.collect();
    let after: BTreeMap<&String, &V> = after.collect();
    let had = before
        .iter()
        .filter_map(|(name, old)| match after.get(name) {
            Some(new) if new == old => None,
            Some(_) => Some((*name, "has another value")),
            None => Some((*name, "is gone")),
        });
    let new = after.keys().filter(|name| !before.contains_key(*name));
    had.chain(new.map(|name| (*name, "is new"))).collect()
}
