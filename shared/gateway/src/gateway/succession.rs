//! How a policy gets in force, and what goes over to it from the one before.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use edgekeeper_policy::authenticator::{Authenticator, CookieSession};
use edgekeeper_policy::document::Policy;
use edgekeeper_policy::endpoint::Endpoint;
use edgekeeper_policy::index::RuleIndex;

use super::Gateway;
use crate::keys::Keys;
use crate::loaded::Loaded;
use crate::memory::{Kept, Memory};
use crate::policies::Version;
use crate::revocations::Revocations;

impl Gateway {
    /// Puts the policy of a document in force in place of this one. What is remembered goes over to it, as far as it means the
    /// same: sessions and what is being asked where whoami is asked in the same way, logouts and revocations always.
    ///
    /// # Errors
    /// As [`Self::from_json`].
    pub fn followed_by(&self, document: &str) -> Result<Rc<Self>, String> {
        Self::from_document(document, Some(self))
    }

    pub(super) fn from_document(document: &str, before: Option<&Self>) -> Result<Rc<Self>, String> {
        let policy = Policy::from_json(document).map_err(|error| error.to_string())?;
        Self::put_in_force(policy, Some(Version::of(document)), before)
    }

    /// What is remembered goes over to it from the policy `before`, as far as it means the same under both.
    pub(super) fn put_in_force(
        policy: Policy,
        version: Option<Version>,
        before: Option<&Self>,
    ) -> Result<Rc<Self>, String> {
        let loaded = policy
            .rules
            .iter()
            .map(|rule| {
                Loaded::new(rule, policy.strict)
                    .map_err(|error| format!("rule `{}`: {error}", rule.id))
            })
            .collect::<Result<_, _>>()?;
        let keys = Keys::new(&policy)?;
        let settings = policy.session.clone();
        let (keys, memory, revocations) = match before {
            None => {
                let revocations = Revocations::new(&settings);
                (Rc::new(keys), Memory::new(settings), revocations)
            }
            Some(before) => (
                if before.keys.are_as(&keys) {
                    Rc::clone(&before.keys)
                } else {
                    Rc::new(keys)
                },
                before.memory.under_next(
                    policy.session.clone(),
                    Kept {
                        sessions: asks_alike(&before.policy, &policy),
                        key_sets: before.policy.strict == policy.strict,
                    },
                ),
                before.revocations.under_next(&settings),
            ),
        };
        Ok(Rc::new(Self {
            index: Rc::new(RuleIndex::new(policy.rules.iter().map(|rule| &rule.url))),
            loaded,
            version,
            keys,
            session_cookies: session_cookies(&policy),
            session_checks: session_checks(&policy),
            memory,
            revocations,
            explains: Cell::new(None),
            policy: Rc::new(policy),
        }))
    }

    /// Another instance under the same policy, which remembers nothing yet. What is made of the policy alone is shared, so
    /// that it costs no more with thousands of rules.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn another(&self) -> Result<Rc<Self>, String> {
        Ok(Rc::new(Self {
            policy: Rc::clone(&self.policy),
            index: Rc::clone(&self.index),
            loaded: Rc::clone(&self.loaded),
            version: self.version.clone(),
            keys: Rc::new(Keys::new(&self.policy)?),
            session_cookies: self.session_cookies.clone(),
            session_checks: self.session_checks.clone(),
            memory: Memory::new(self.policy.session.clone()),
            revocations: Revocations::new(&self.policy.session),
            explains: Cell::new(None),
        }))
    }
}

/// Whether what one policy knows of a session is what the other would be told: a question is known by all that is sent, but
/// for how its answer is read, how long it counts and which binding takes it.
fn asks_alike(one: &Policy, other: &Policy) -> bool {
    one.strict == other.strict && one.session == other.session && bound(one).eq(bound(other))
}

/// The session checks that a binding takes.
fn bound(policy: &Policy) -> impl Iterator<Item = &Endpoint> {
    policy
        .rules
        .iter()
        .flat_map(|rule| &rule.authenticators)
        .filter_map(Authenticator::session_check)
        .filter(|endpoint| endpoint.binding.is_some())
}

/// A logout may pass on any rule, Kratos' own included, which asks for no session.
fn session_cookies(policy: &Policy) -> Vec<String> {
    let of_rules = policy
        .rules
        .iter()
        .flat_map(|rule| &rule.authenticators)
        .filter_map(|authenticator| match authenticator {
            Authenticator::CookieSession(config) => Some(&config.only),
            _ => None,
        })
        .flatten();
    let mut names = BTreeSet::new();
    names.extend(of_rules.chain(&policy.session.cookies));
    names.into_iter().cloned().collect()
}

fn session_checks(policy: &Policy) -> Vec<CookieSession> {
    let mut checks: Vec<CookieSession> = Vec::new();
    for authenticator in policy.rules.iter().flat_map(|rule| &rule.authenticators) {
        if let Authenticator::CookieSession(config) = authenticator
            && !checks
                .iter()
                .any(|known| known.only == config.only && known.bearer == config.bearer)
        {
            checks.push(CookieSession::clone(config));
        }
    }
    checks
}
