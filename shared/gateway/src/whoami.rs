//! One question to whoami: remembered, told by another instance, or asked.

use std::rc::Rc;

use edgekeeper_session::cache::footprint;
use edgekeeper_session::freshness::Standing;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::{Answer, Failure, FailureKind, Store, Verdict};

use http::header::{CONTENT_TYPE, REFERER};

use crate::Gateway;
use crate::memory::Moments;
use crate::rate_limit;
use crate::redirect;
use crate::revocations::{self, Stands};
use crate::runtime::{FetchError, Inbound, Outbound, Runtime, seconds};
use crate::sealed_cookie::{self, Carried};
use crate::second_tier::{self, Claim, Claiming, Found};
use crate::sweep;
use crate::trace::Trace;

/// How long a request that waits for another's answer sleeps before it looks again, in milliseconds.
const LOOK_AGAIN: u64 = 5;

/// How many redirects are followed; Go's client asks ten times in all.
const MOST_REDIRECTS: u32 = 9;

/// One question, complete.
#[derive(Clone)]
pub(crate) struct Question {
    /// The request to send.
    pub(crate) outbound: Outbound,
    /// What its answer is remembered under.
    pub(crate) key: CacheKey,
    /// Whose credential it is about.
    pub(crate) credential: CacheKey,
    /// Who answers it.
    pub(crate) store: Store,
    /// The template by which Kratos is to make a token of the session.
    pub(crate) tokenize_as: Option<String>,
    /// What the browser knows of its answer.
    pub(crate) carried: Option<Carried>,
}

/// What is known of a question, or what Kratos says to it.
pub(crate) async fn verdict<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: Question,
    trace: &mut Trace,
) -> Verdict {
    let patience = question.outbound.timeout.saturating_add(1_000);
    let since = runtime.now();
    let give_up = since.saturating_add(patience);
    let mut waited = false;
    let mut revoked = false;
    loop {
        let now = runtime.now();
        if let Some((entry, _)) = gateway.memory().remembered(&question.key, now) {
            if second_tier::is_outdated(gateway, runtime, &entry).await {
                // What was asked for later may be newer than what the other instance saw.
                gateway.memory().forget(&entry.credential, entry.asked);
                revoked = true;
                continue;
            }
            let stands = revocations::entry_stands(gateway, runtime, &entry, since).await;
            revoked |= stands == Stands::Revoked;
            let standing = match stands {
                Stands::Yes => entry.freshness.at(runtime.seconds()),
                Stands::Revoked | Stands::Unknown => Standing::Gone,
            };
            match standing {
                Standing::Fresh => {
                    trace.session = Some(if waited { "wait" } else { "hit" });
                    return entry.verdict.clone();
                }
                Standing::Revalidate => {
                    trace.session = Some("stale");
                    refresh_later(gateway, runtime, &question, patience);
                    return entry.verdict.clone();
                }
                Standing::Fallback | Standing::Gone => {}
            }
            // While this one looked, another may have asked and been answered.
            let known = gateway.memory().remembered(&question.key, runtime.now());
            if known.is_some_and(|(known, _)| !Rc::ptr_eq(&known, &entry)) {
                continue;
            }
        }
        let now = runtime.now();
        if let Some(failure) = gateway.memory().recent_failure(&question.key, now) {
            trace.session = Some(if waited { "wait" } else { "failed" });
            return fallback(gateway, runtime, &question, failure, since, trace).await;
        }
        if let Some(flight) = Flight::take_off(gateway, &question.key, now, patience) {
            let claim =
                match second_tier::find(gateway, runtime, &question, give_up, &mut revoked).await {
                    Found::Session(entry, standing) => {
                        trace.session = Some("shared");
                        drop(flight);
                        if standing == Standing::Revalidate {
                            refresh_later(gateway, runtime, &question, patience);
                        }
                        return entry.verdict.clone();
                    }
                    Found::Failed(failure) => {
                        trace.session = Some("wait");
                        return fallback(gateway, runtime, &question, failure, since, trace).await;
                    }
                    Found::Nothing(claim) => claim,
                };
            if let Some((entry, standing)) =
                sealed_cookie::find(gateway, runtime, &question, &mut revoked).await
            {
                trace.session = Some("cookie");
                drop(flight);
                if let Some(claim) = claim {
                    claim.release(gateway, runtime, &entry.verdict).await;
                }
                if standing == Standing::Revalidate {
                    refresh_later(gateway, runtime, &question, patience);
                }
                return entry.verdict.clone();
            }
            trace.session = Some(if revoked { "revoked" } else { "miss" });
            let heard = gateway.revocations().heard();
            match ask(runtime, &question, flight, claim).await {
                Verdict::Failed(failure) => {
                    return fallback(gateway, runtime, &question, failure, since, trace).await;
                }
                // Kratos may have answered before it knew.
                Verdict::Active(session)
                    if gateway
                        .revocations()
                        .was_revoked_since(&session.document, heard) =>
                {
                    revoked = true;
                    continue;
                }
                verdict => return verdict,
            }
        }
        if now >= give_up {
            let failure = Failure::new(
                FailureKind::Timeout,
                "another request's whoami did not come back in time",
            );
            return fallback(gateway, runtime, &question, failure, since, trace).await;
        }
        waited = true;
        runtime.sleep(LOOK_AGAIN).await;
    }
}

/// Asks anew behind the response, unless somebody does already or Kratos has just failed.
fn refresh_later<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    patience: u64,
) {
    let now = runtime.now();
    let failed = gateway.memory().recent_failure(&question.key, now);
    if failed.is_some() {
        return;
    }
    // Another request's question may have been answered while this one looked into the store.
    let known = gateway.memory().remembered(&question.key, now);
    if matches!(known, Some((_, Standing::Fresh))) {
        return;
    }
    if let Some(flight) = Flight::take_off(gateway, &question.key, now, patience) {
        let (own, question) = (runtime.clone(), question.clone());
        runtime.later(async move {
            if let Claiming::Mine(claim) =
                second_tier::claim(&flight.gateway, &own, &question).await
            {
                let (gateway, asked) = (Rc::clone(&flight.gateway), own.now());
                let verdict = ask(&own, &question, flight, claim).await;
                // A browser still carries what Kratos said before.
                if matches!(verdict, Verdict::Refused | Verdict::AalRequired) {
                    gateway.memory().outdate(&question.credential, asked);
                }
            }
        });
    }
}

/// While Kratos fails, an older answer serves up to its ceiling; and what the browser carries, which is none of that failure's
/// business.
async fn fallback<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    failure: Failure,
    since: u64,
    trace: &mut Trace,
) -> Verdict {
    let now = runtime.now();
    let known = gateway.memory().remembered(&question.key, now);
    let (source, entry) = match known {
        Some((entry, _))
            if failure.kind.allows_fallback()
                && gateway.revocations().lets_stand(&entry, since, now) =>
        {
            ("stale", entry)
        }
        _ => match sealed_cookie::find(gateway, runtime, question, &mut false).await {
            Some((entry, _)) => ("cookie", entry),
            None => return Verdict::Failed(failure),
        },
    };
    trace.session = Some(source);
    trace.reason = Some(failure.reason);
    entry.verdict.clone()
}

/// Asks Kratos, remembers what it said and tells the other instances.
async fn ask<R: Runtime>(
    runtime: &R,
    question: &Question,
    flight: Flight,
    claim: Option<Claim>,
) -> Verdict {
    let gateway = &flight.gateway;
    let asked = runtime.now();
    let heard = gateway.revocations().heard();
    let strict = gateway.policy().strict;
    let answer = fetch(runtime, question, strict, asked).await;
    let now = runtime.now();
    let failed = |kind, reason| Verdict::Failed(Failure::new(kind, reason));
    let (verdict, size) = match answer {
        Ok((inbound, bare)) => (
            read(&inbound, question, strict, bare, now),
            inbound.body.map_or(0, |body| body.len()),
        ),
        Err(FetchError::Timeout) => (
            failed(FailureKind::Timeout, "whoami did not answer in time"),
            0,
        ),
        Err(FetchError::Unreachable) => (
            failed(FailureKind::Unreachable, "whoami cannot be reached"),
            0,
        ),
    };
    gateway.memory().remember(
        question.key,
        question.credential,
        &verdict,
        footprint(size),
        Moments { asked, heard, now },
    );
    if let Verdict::Active(session) = &verdict {
        second_tier::share(gateway, runtime, question, session, asked).await;
        sweep::now_and_then(gateway, runtime);
    }
    if let Some(claim) = claim {
        claim.release(gateway, runtime, &verdict).await;
    }
    verdict
}

/// The answer, and whether its status alone may be one.
///
/// Strict mode follows redirects as Go's client does, but only within the origin that is trusted with the credential, and
/// only to a session: what is there need not be a check, so its status alone says nothing. `HEAD`, to which nothing else
/// is answered, is not led elsewhere.
async fn fetch<R: Runtime>(
    runtime: &R,
    question: &Question,
    strict: bool,
    asked: u64,
) -> Result<(Inbound, bool), FetchError> {
    let mut outbound = question.outbound.clone();
    let give_up = asked.saturating_add(outbound.timeout);
    let has_referer = outbound.headers.contains_key(REFERER);
    let mut inbound = runtime.ask(outbound.clone()).await?;
    if !strict || outbound.method == "HEAD" {
        let bare = strict && !is_page(&inbound);
        return Ok((inbound, bare));
    }
    for followed in 0..MOST_REDIRECTS {
        let Some(next) = redirect::next(&outbound, &inbound, has_referer) else {
            let bare = followed == 0 && !is_page(&inbound);
            return Ok((inbound, bare));
        };
        outbound = next;
        outbound.timeout = give_up.saturating_sub(runtime.now());
        if outbound.timeout == 0 {
            return Err(FetchError::Timeout);
        }
        inbound = runtime.ask(outbound.clone()).await?;
    }
    Ok((inbound, false))
}

/// A page, such as one to log in, is no session, also where only its headers are seen.
fn is_page(inbound: &Inbound) -> bool {
    inbound
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("html"))
}

fn read(inbound: &Inbound, question: &Question, strict: bool, bare: bool, now: u64) -> Verdict {
    let header = |name: &str| {
        inbound
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let rate_limit: Vec<(&'static str, String)> = rate_limit::EXPLAINED_BY
        .into_iter()
        .filter_map(|name| Some((name, header(name)?.to_owned())))
        .collect();
    let answer = Answer {
        status: inbound.status,
        body: inbound.body.as_deref(),
        bare,
        cache_for: header("ory-session-cache-for"),
        retry_after: header("retry-after"),
        tokenize_as: question.tokenize_as.as_deref(),
        rate_limit: &rate_limit,
    };
    Verdict::read(&answer, question.store, strict, seconds(now))
}

/// The right to ask, given back when it is dropped, also when the request is cut off.
struct Flight {
    gateway: Rc<Gateway>,
    key: CacheKey,
}

impl Flight {
    fn take_off(gateway: &Rc<Gateway>, key: &CacheKey, now: u64, patience: u64) -> Option<Self> {
        // Where nothing is remembered, whoever waits would only wait in line.
        let alone = gateway.policy().session.ttl == 0;
        (alone
            || gateway
                .memory()
                .take_off(*key, now, now.saturating_add(patience)))
        .then(|| Self {
            gateway: Rc::clone(gateway),
            key: *key,
        })
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.gateway.memory().land(&self.key);
    }
}
