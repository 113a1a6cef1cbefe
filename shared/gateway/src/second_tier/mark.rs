//! A mark: that the session of a credential has changed, so that what was asked for before counts nowhere.

use edgekeeper_session::cache::Entry;
use edgekeeper_session::freshness::SKEW;
use edgekeeper_session::key::CacheKey;

use super::complain;
use crate::Gateway;
use crate::bounded::Bounded;
use crate::revocations;
use crate::runtime::{Runtime, SHARED_PREFIX, seconds};

/// For how long an instance goes by its memory before it looks whether another has seen a logout, in milliseconds.
const BELIEVED: u64 = 1_000;

pub(super) fn mark_name(credential: &CacheKey) -> String {
    format!("{SHARED_PREFIX}changed-{}", credential.to_hex())
}

/// Whether another instance has seen the session of a remembered answer change since.
pub(crate) async fn is_outdated<R: Runtime>(gateway: &Gateway, runtime: &R, entry: &Entry) -> bool {
    let Some(shared) = Bounded::of(runtime) else {
        return false;
    };
    let now = runtime.now();
    if now.abs_diff(entry.confirmed.get()) < BELIEVED {
        return false;
    }
    let outdated = match shared.get(&mark_name(&entry.credential)).await {
        Ok(mark) => is_before(entry.asked, mark.as_deref()),
        Err(error) => {
            complain(gateway, runtime, &error);
            false
        }
    };
    if !outdated {
        entry.confirmed.set(now);
    }
    outdated
}

/// Whether another instance has seen the session of a credential change since Kratos was asked (Unix milliseconds); also where
/// nobody can tell.
pub(crate) async fn has_changed_since<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    credential: &CacheKey,
    asked: u64,
) -> bool {
    let Some(shared) = Bounded::of(runtime) else {
        return false;
    };
    match shared.get(&mark_name(credential)).await {
        Ok(mark) => is_before(asked, mark.as_deref()),
        Err(error) => {
            complain(gateway, runtime, &error);
            true
        }
    }
}

/// Tells the others that the sessions of these credentials have changed.
pub(crate) async fn changed<R: Runtime>(gateway: &Gateway, runtime: &R, credentials: &[CacheKey]) {
    let Some(shared) = Bounded::of(runtime) else {
        return;
    };
    let now = runtime.now();
    let until = revocations::matter_until(&gateway.policy().session, seconds(now));
    for credential in credentials {
        let mark = format!("{until} {now}");
        if let Err(error) = shared.set_mark(&mark_name(credential), &mark).await {
            complain(gateway, runtime, &error);
        }
    }
}

/// Whether an answer was asked for before a mark. Clocks of different machines differ, so a moment after it counts as
/// before: that costs Kratos a question, the other way round it would be somebody's session.
pub(super) fn is_before(asked: u64, mark: Option<&str>) -> bool {
    let Some(mark) = mark else {
        return false;
    };
    match mark
        .split_once(' ')
        .and_then(|(_, at)| at.parse::<u64>().ok())
    {
        Some(at) => asked < at.saturating_add(SKEW.saturating_mul(1_000)),
        None => true,
    }
}
