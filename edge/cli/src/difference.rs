//! The difference in decisions between two policies.
//!
//! Requests that somebody gives, and others that are made of the rules of both, are decided by the gateway's own code under
//! each policy, offline as `edgekeeper explain` does. What cannot be seen in this way is told as well.

mod asked;
mod change;
mod generated;
mod given;
mod group;
mod outcome;
mod sessions;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use edgekeeper_policy::document::Policy;
use serde_json::{Map, Value};

use crate::explain::answer::{Answer, Services};
use crate::explain::case::Case;
use crate::explain::core::Core;

use self::asked::Asked;
use self::change::{Change, Kind};
use self::outcome::Outcome;

pub(crate) use self::given::{Given, read};
pub(crate) use self::group::Group;
pub(crate) use self::text::{json, text};

/// More requests are not decided.
pub(crate) const MOST: usize = 2_000;

/// So many sessions of those that were given are tried on requests that are made, too.
const MOST_SESSIONS: usize = 3;

/// What differs.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    /// How many requests were given and decided.
    pub(crate) given: usize,
    /// How many more were given, which were too many.
    pub(crate) left_out: usize,
    /// How many were made of the rules.
    pub(crate) generated: usize,
    /// How many are decided otherwise.
    pub(crate) differing: usize,
    /// They, in groups, the most dangerous first.
    pub(crate) groups: Vec<Group>,
    /// Rules that changed where none of these requests shows it, in words.
    pub(crate) unseen: Vec<String>,
    /// Members of the policy, but for its rules, that changed.
    pub(crate) settings: Vec<String>,
}

impl Difference {
    /// How many requests were refused and are allowed now.
    pub(crate) fn opened(&self) -> usize {
        let opened = self
            .groups
            .iter()
            .filter(|group| group.kind == Kind::Opened);
        opened.map(|group| group.count).sum()
    }
}

/// Compares two policies.
///
/// # Errors
/// What to print when one of them cannot be put in force.
pub(crate) fn between(old: &Policy, new: &Policy, given: Vec<Asked>) -> Result<Difference, String> {
    let mut difference = Difference::default();
    let mut known = BTreeSet::new();
    let mut all: Vec<Asked> = Vec::new();
    for asked in given {
        if !known.insert(asked.identity()) {
            continue;
        }
        if all.len() < MOST {
            all.push(asked);
        } else {
            difference.left_out = difference.left_out.saturating_add(1);
        }
    }
    difference.given = all.len();
    let sessions = sessions_of(&all);
    let room = MOST.saturating_sub(all.len());
    let generated = generated::requests(old, new, &sessions, room);
    all.extend(
        generated
            .into_iter()
            .filter(|asked| known.insert(asked.identity())),
    );
    difference.generated = all.len().saturating_sub(difference.given);

    let (old_core, new_core) = (Core::new(old)?, Core::new(new)?);
    let mut found: Vec<(usize, Change, Outcome, Outcome)> = Vec::new();
    for (number, asked) in (0_usize..).zip(&all) {
        let case = same_credential(&asked.case, &old_core, &new_core)?;
        let before = Outcome::of(&case.decide(&old_core)?);
        let after = Outcome::of(&case.decide(&new_core)?);
        if let Some(change) = Change::between(&before, &after) {
            found.push((number, change, before, after));
        }
    }
    found.sort_by_key(|(number, change, _, _)| (change.kind, *number));
    difference.differing = found.len();
    difference.unseen = unseen(old, new, &found);
    difference.settings = settings(old, new);
    for (number, change, before, after) in found {
        if let Some(asked) = all.get(number) {
            group::put(&mut difference.groups, asked, change, &before, &after);
        }
    }
    Ok(difference)
}

/// A browser sends the cookie that it has, whatever the policy: the one that the old one looks for, else the new one's.
fn same_credential(case: &Case, old: &Core, new: &Core) -> Result<Case, String> {
    Ok(match case.with_credential(old)? {
        Some(case) => case,
        None => case.with_credential(new)?.unwrap_or_else(|| case.clone()),
    })
}

/// Somebody's, and those that were given.
fn sessions_of(given: &[Asked]) -> Vec<Answer> {
    let mut sessions = vec![sessions::somebody()];
    for asked in given {
        if let Services::Offline(Some(answer)) = &asked.case.services
            && sessions.iter().all(|known| known.body != answer.body)
            && sessions.len() <= MOST_SESSIONS
        {
            sessions.push(answer.clone());
        }
    }
    sessions
}

/// Rules that differ and are not to be seen in what was found.
fn unseen(old: &Policy, new: &Policy, found: &[(usize, Change, Outcome, Outcome)]) -> Vec<String> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (_, _, before, after) in found {
        seen.extend(before.rule.as_deref());
        seen.extend(after.rule.as_deref());
    }
    let by_id = |policy: &'_ Policy| -> BTreeMap<String, usize> {
        let ids = policy.rules.iter().map(|rule| rule.id.clone());
        ids.zip(0_usize..).collect()
    };
    let (old_ids, new_ids) = (by_id(old), by_id(new));
    let mut unseen = Vec::new();
    for rule in new
        .rules
        .iter()
        .filter(|rule| !seen.contains(rule.id.as_str()))
    {
        let before = old_ids.get(&rule.id).and_then(|at| old.rules.get(*at));
        match before {
            None => unseen.push(format!("the rule \"{}\" is new", rule.id)),
            Some(before) if !generated::same_rule(before, rule) => {
                unseen.push(format!("the rule \"{}\" changed", rule.id));
            }
            Some(_) => {}
        }
    }
    let gone = old
        .rules
        .iter()
        .filter(|rule| !new_ids.contains_key(&rule.id));
    for rule in gone.filter(|rule| !seen.contains(rule.id.as_str())) {
        unseen.push(format!("the rule \"{}\" is gone", rule.id));
    }
    unseen
}

/// What differs beside the rules.
fn settings(old: &Policy, new: &Policy) -> Vec<String> {
    let members = |policy: &Policy| match serde_json::to_value(policy) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (old, new) = (members(old), members(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    // Rules were compared, and make the headers.
    let changed = names.into_iter().filter(|name| {
        !["rules", "identity_headers"].contains(&name.as_str()) && old.get(*name) != new.get(*name)
    });
    changed.cloned().collect()
}
