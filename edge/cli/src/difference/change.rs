//! How two outcomes of one request differ.

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
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(_), Some(_)) => details.push(format!("{name} has another value")),
            (Some(_), None) => details.push(format!("{name} is gone")),
            (None, _) => details.push(format!("{name} is new")),
        }
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
    let names = before
        .keys()
        .chain(after.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        match (before.get(name), after.get(name)) {
            (Some(old), Some(new)) if old == new => {}
            (Some(_), Some(_)) => details.push(format!("the token's `{name}` has another value")),
            (Some(_), None) => details.push(format!("the token's `{name}` is gone")),
            (None, _) => details.push(format!("the token's `{name}` is new")),
        }
    }
}
