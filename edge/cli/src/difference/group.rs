//! Requests that are decided otherwise in the same way.

use serde::Serialize;

use super::asked::Asked;
use super::change::{Change, Kind};
use super::outcome::Outcome;

/// So many examples are kept of each group.
const MOST_EXAMPLES: usize = 5;

/// One way in which decisions differ.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Group {
    pub(crate) kind: Kind,
    pub(crate) rule_before: Option<String>,
    pub(crate) rule_after: Option<String>,
    /// The headers and claims that differ, each in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<String>,
    /// How many requests are.
    pub(crate) count: usize,
    /// Some of them.
    pub(crate) examples: Vec<Example>,
    /// What is the same for all of a group.
    #[serde(skip)]
    key: (String, String),
}

/// One request.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Example {
    /// Method and URL, without its query.
    pub(crate) request: String,
    /// Who asks, and how.
    pub(crate) circumstances: String,
    /// The upstream's URL, or the status of the gateway's answer.
    pub(crate) before: String,
    pub(crate) after: String,
    /// Whether somebody gave it; else it was made of the rules.
    pub(crate) given: bool,
}

/// Adds a request to its group.
pub(super) fn put(
    groups: &mut Vec<Group>,
    asked: &Asked,
    change: Change,
    before: &Outcome,
    after: &Outcome,
) {
    let example = Example {
        request: asked.shown(),
        circumstances: asked.circumstances(),
        before: before.shown(),
        after: after.shown(),
        given: asked.is_given,
    };
    let key = (before.kind(), after.kind());
    let known = groups.iter_mut().find(|group| {
        group.kind == change.kind
            && group.key == key
            && group.rule_before == before.rule
            && group.rule_after == after.rule
            && group.details == change.details
    });
    match known {
        Some(group) => {
            group.count = group.count.saturating_add(1);
            if group.examples.len() < MOST_EXAMPLES {
                group.examples.push(example);
            }
        }
        None => groups.push(Group {
            kind: change.kind,
            rule_before: before.rule.clone(),
            rule_after: after.rule.clone(),
            details: change.details,
            count: 1,
            examples: vec![example],
            key,
        }),
    }
}
