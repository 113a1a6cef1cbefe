//! Sets of other people's keys, as this instance knows them: fetched from where a `jwks_urls` or `jwks_url` says, or
//! imported into the key-value store from a file.
//!
//! A set counts for its time to live; then it is fetched again, by one request, while the others wait. While that fails the
//! set that is known goes on counting for a while. A token that names a key which is not there has the set fetched too, but
//! not for every such token: whoever makes up key ids must not be able to wear a key server down.

mod fetch;
mod state;

use std::rc::Rc;

use edgekeeper_policy::endpoint::Endpoint;
use edgekeeper_token::foreign::set::{JwkSet, Reading, SetError};
use edgekeeper_token::imported::set::ImportedSet;
use edgekeeper_token::imported::signer::{ForeignSigner, SignerError};
use edgekeeper_token::rotation::RING_RELOAD;
use serde_json::{Map, Value};

use self::state::Standing;
use crate::Gateway;
use crate::problem;
use crate::refusal::Refusal;
use crate::runtime::{Runtime, Unavailable};

pub(crate) use self::state::KeySets;

/// How long a request that waits for another's fetch sleeps before it looks again, in milliseconds.
const LOOK_AGAIN: u64 = 5;

/// How long a set may take where no older one can stand in for it, in milliseconds, should the policy say less.
const PATIENCE: u64 = 1_000;

/// What a set of keys is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Purpose {
    /// To check other people's tokens.
    Verify,
    /// To sign the gateway's.
    Sign,
}

/// A set that is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) purpose: Purpose,
    /// How long it counts, in milliseconds.
    pub(crate) ttl: u64,
    /// How long to wait for it while an older one could be used, in milliseconds.
    pub(crate) max_wait: u64,
}

impl<'a> Wanted<'a> {
    /// The set that an `id_token` signs with.
    pub(crate) fn to_sign(endpoint: &'a Endpoint) -> Self {
        Self {
            endpoint,
            purpose: Purpose::Sign,
            ttl: 30_000,
            max_wait: 1_000,
        }
    }

    fn ttl(&self) -> u64 {
        if self.endpoint.is_file() {
            RING_RELOAD.saturating_mul(1_000)
        } else {
            self.ttl
        }
    }
}

/// The keys of a set, ready to use.
#[derive(Debug)]
pub(crate) enum Keys {
    /// To check tokens with.
    Verify(JwkSet),
    /// To sign with, and the public halves.
    Sign {
        set: ImportedSet,
        signer: Box<Result<ForeignSigner, SignerError>>,
    },
}

impl Keys {
    /// Reads a document. With the keys come the problems of some of them, for the log.
    fn read<R: Runtime>(
        text: &str,
        wanted: &Wanted<'_>,
        strict: bool,
    ) -> Result<(Self, Vec<String>), SetError> {
        match wanted.purpose {
            Purpose::Verify => {
                let reading = match (strict, wanted.endpoint.is_file()) {
                    (true, _) => Reading::STRICT,
                    (false, true) => Reading::SEALED,
                    (false, false) => Reading::PUBLISHED,
                };
                let set = if R::SIGNATURES {
                    JwkSet::parse_unproven(text, reading)?
                } else {
                    JwkSet::parse(text, reading)?
                };
                let problems = set.problems().iter().map(ToString::to_string).collect();
                Ok((Self::Verify(set), problems))
            }
            Purpose::Sign => {
                let set = ImportedSet::parse(text)?;
                let signer = Box::new(if R::SIGNATURES {
                    set.signer_unproven()
                } else {
                    set.signer()
                });
                let problems = (*signer).as_ref().err().map(ToString::to_string);
                Ok((Self::Sign { set, signer }, problems.into_iter().collect()))
            }
        }
    }

    /// The keys to check tokens with.
    pub(crate) fn to_verify(&self) -> Option<&JwkSet> {
        match self {
            Self::Verify(set) => Some(set),
            Self::Sign { .. } => None,
        }
    }

    /// The key to sign with.
    pub(crate) fn to_sign(&self) -> Result<&ForeignSigner, SignerError> {
        match self {
            Self::Verify(_) => Err(SignerError::NoPrivateKey),
            Self::Sign { signer, .. } => (**signer).as_ref().map_err(Clone::clone),
        }
    }

    /// The public halves of the keys that sign, as members of a JWKS.
    pub(crate) fn public(&self) -> Vec<Map<String, Value>> {
        match self {
            Self::Verify(_) => Vec::new(),
            Self::Sign { set, .. } => set.public(),
        }
    }
}

/// Why there is no newer set. The text is for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) reason: String,
}

/// Whether it helps to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// The server, or the store, does not answer or has no time.
    Down,
    /// It has answered, but not with a set of keys.
    Wrong,
}

/// What is known of a set.
#[derive(Debug)]
pub(crate) struct Found {
    /// Its keys, perhaps older ones; `None` when there are none that count.
    pub(crate) keys: Option<Rc<Keys>>,
    /// Why there are no newer ones, where there should be.
    pub(crate) failure: Option<Failure>,
}

/// The keys that count without asking anybody.
pub(crate) fn fresh<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    wanted: &Wanted<'_>,
) -> Option<Rc<Keys>> {
    gateway.memory().key_sets().fresh(wanted, runtime.now())
}

/// The keys of a set, fetched if they no longer count.
pub(crate) async fn load<R: Runtime>(gateway: &Gateway, runtime: &R, wanted: &Wanted<'_>) -> Found {
    find(gateway, runtime, wanted, false).await
}

/// Newer keys than those that count, if it is time to ask for them: a token names one that they do not have.
pub(crate) async fn newer<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    wanted: &Wanted<'_>,
) -> Found {
    find(gateway, runtime, wanted, true).await
}

async fn find<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    wanted: &Wanted<'_>,
    newer: bool,
) -> Found {
    let sets = gateway.memory().key_sets();
    let strict = gateway.policy().strict;
    let (seen, asked) = (sets.fetches(wanted), runtime.now());
    let patience = match sets.older(wanted, asked, strict, FailureKind::Down) {
        Some(_) => wanted.max_wait,
        None => wanted.max_wait.max(PATIENCE),
    };
    let give_up = asked.saturating_add(patience).saturating_add(PATIENCE);
    let failed = |failure: Failure, now| Found {
        keys: sets.older(wanted, now, strict, failure.kind),
        failure: Some(failure),
    };
    let counts = |keys| Found {
        keys: Some(keys),
        failure: None,
    };
    loop {
        let now = runtime.now();
        match sets.standing(wanted, now, seen, newer) {
            Standing::Counts(keys) => return counts(keys),
            Standing::HasFailed(failure) => return failed(failure, now),
            Standing::InTheAir if now >= give_up => {
                let failure = Failure {
                    kind: FailureKind::Down,
                    reason: "the keys that another request fetches did not come in time".to_owned(),
                };
                return failed(failure, now);
            }
            Standing::InTheAir => runtime.sleep(LOOK_AGAIN).await,
            Standing::Due => {
                let _landing = sets.take_off(wanted, now, give_up);
                return match fetch::fetch(runtime, wanted, patience, strict).await {
                    Ok((keys, problems)) => {
                        let keys = Rc::new(keys);
                        if sets.keep(wanted, Rc::clone(&keys), runtime.now(), &problems) {
                            for problem in &problems {
                                log(runtime, wanted, problem);
                            }
                        }
                        counts(keys)
                    }
                    Err(failure) => {
                        let now = runtime.now();
                        if sets.has_failed(wanted, failure.clone(), now) {
                            log(runtime, wanted, &failure.reason);
                        }
                        failed(failure, now)
                    }
                };
            }
        }
    }
}

/// The answer where there are no keys of a set to sign with, or to publish.
pub(crate) fn none_found(error: &Unavailable, strict: bool) -> Refusal {
    let refusal = Refusal::no_keys(error, strict);
    if strict {
        refusal.with_reason("None of the provided URLs returned a valid JSON Web Key Set.")
    } else {
        refusal
    }
}

fn log<R: Runtime>(runtime: &R, wanted: &Wanted<'_>, reason: &str) {
    let line = format!("{}: {reason}", fetch::place(wanted.endpoint));
    runtime.log(&problem::line("jwks", &line));
}
