//! The second tier: what one instance knows of a session, another need not ask Kratos for.
//!
//! Three kinds of entries in the runtime's [`SharedCache`]: a sealed [`Record`] of each session; a claim, while an
//! instance asks; and a mark for each credential whose session has changed. A mark is never overwritten by a record, so
//! an answer that was on its way during a logout counts nowhere. A store without [`SharedCache::CLAIMS`] has no claims.

mod claim;
mod mark;

use std::cell::Cell;
use std::rc::Rc;

use edgekeeper_session::cache::{Entry, footprint};
use edgekeeper_session::freshness::Standing;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::record::Record;
use edgekeeper_session::whoami::{ActiveSession, Failure, FailureKind};
use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};

pub(crate) use claim::{Claim, Claiming, claim};
use claim::{add_claim, claim_name, failure, is_abandoned};
pub(crate) use mark::{changed, has_changed_since, is_outdated};
use mark::{is_before, mark_name};

use crate::Gateway;
use crate::bounded::Bounded;
use crate::revocations::{self, Known, Stands};
use crate::runtime::{Runtime, SHARED_PREFIX, SharedCache, Unavailable, seconds};
use crate::whoami::Question;
use crate::{keys, problem};

/// How long a request that waits for another instance sleeps before it looks again, in milliseconds.
const LOOK_AGAIN: u64 = 20;

/// The largest entry that is shared, in bytes; [`SharedCache`] promises no more.
const LARGEST: usize = 512 << 10;

/// What the other instances know.
pub(crate) enum Found {
    /// A session.
    Session(Rc<Entry>, Standing),
    /// That Kratos fails.
    Failed(Failure),
    /// Nothing, so the caller is to ask; with a claim, where the second tier has them.
    Nothing(Option<Claim>),
}

fn record_name(question: &CacheKey) -> String {
    format!("{SHARED_PREFIX}{}", question.to_hex())
}

/// What the other instances know of a question; waits while one of them asks, until `give_up` (Unix milliseconds). Says in
/// `revoked` whether what they knew was revoked.
pub(crate) async fn find<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    give_up: u64,
    revoked: &mut bool,
) -> Found {
    match look_and_wait(gateway, runtime, question, give_up, revoked).await {
        Ok(found) => found,
        Err(error) => {
            complain(gateway, runtime, &error);
            Found::Nothing(None)
        }
    }
}

async fn look_and_wait<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    give_up: u64,
    revoked: &mut bool,
) -> Result<Found, Unavailable> {
    let Some(shared) = Bounded::of(runtime).filter(|_| shares(gateway)) else {
        return Ok(Found::Nothing(None));
    };
    let sealer = sealer(runtime).await?;
    let claim = claim_name(&question.key);
    let mut may_claim = true;
    loop {
        let known = serving(gateway, runtime, &shared, &sealer, question, revoked).await;
        if let Some(found) = known? {
            return Ok(found);
        }
        if !R::Shared::CLAIMS {
            return Ok(Found::Nothing(None));
        }
        // Who asked may have answered since that look, so that nobody asks any more: it is looked once more then.
        if may_claim && add_claim(gateway, runtime, &shared, question, &claim).await {
            let known = serving(gateway, runtime, &shared, &sealer, question, revoked).await;
            if let Ok(Some(found)) = known {
                shared.delete(&claim).await?;
                return Ok(found);
            }
            return Ok(Found::Nothing(Some(Claim { name: claim })));
        }
        let now = runtime.now();
        let Some(state) = shared.get(&claim).await? else {
            let known = serving(gateway, runtime, &shared, &sealer, question, revoked).await?;
            // With nothing to share it was a refusal. To claim now would make everybody wait in line.
            return Ok(known.unwrap_or(Found::Nothing(None)));
        };
        if is_abandoned(&state, question, seconds(now)) {
            shared.delete(&claim).await?;
            may_claim = true;
            if now < give_up {
                continue;
            }
        }
        if let Some(failure) = failure(&state) {
            return Ok(Found::Failed(failure));
        }
        if now >= give_up {
            return Ok(Found::Failed(Failure::new(
                FailureKind::Timeout,
                "another instance's whoami did not come back in time",
            )));
        }
        may_claim = false;
        runtime.sleep(LOOK_AGAIN).await;
    }
}

/// What the other instances know, if it serves. What is too old for that is in memory then, should Kratos fail.
async fn serving<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    shared: &Bounded<'_, R>,
    sealer: &Sealer,
    question: &Question,
    revoked: &mut bool,
) -> Result<Option<Found>, Unavailable> {
    let known = look(gateway, runtime, shared, sealer, question, revoked).await?;
    Ok(known
        .filter(|(_, standing)| matches!(standing, Standing::Fresh | Standing::Revalidate))
        .map(|(entry, standing)| Found::Session(entry, standing)))
}

/// Tells the others of a session: before the claim is given back, behind the response where nobody waits for it.
pub(crate) async fn share<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
    session: &Rc<ActiveSession>,
    asked: u64,
) {
    if runtime.shared().is_none() || !shares(gateway) {
        return;
    }
    let record = Record {
        session: Rc::clone(session),
        asked,
        answered: runtime.seconds(),
    };
    let (gateway, own, key) = (Rc::clone(gateway), runtime.clone(), question.key);
    let sharing = async move {
        if let Err(error) = write(&gateway, &own, &key, &record).await {
            complain(&gateway, &own, &error);
        }
    };
    if R::Shared::CLAIMS {
        sharing.await;
    } else {
        runtime.later(sharing);
    }
}

async fn write<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    question: &CacheKey,
    record: &Record,
) -> Result<(), Unavailable> {
    let Some(shared) = Bounded::of(runtime) else {
        return Ok(());
    };
    let freshness = record.freshness(&gateway.policy().session);
    if freshness.at(record.answered) == Standing::Gone {
        return Ok(());
    }
    let until = freshness.revalidate_until.max(freshness.fallback_until);
    let sealer = sealer(runtime).await?;
    let name = record_name(question);
    let mut nonce = [0; NONCE_LENGTH];
    runtime.random(&mut nonce)?;
    let entry = record
        .seal(&sealer, &name, until, nonce)
        .map_err(|error| Unavailable(error.to_string()))?;
    if entry.len() > LARGEST {
        return Ok(());
    }
    shared.set(&name, &entry).await
}

/// The record of a question, if it counts. It is remembered by this instance, too.
async fn look<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    shared: &Bounded<'_, R>,
    sealer: &Sealer,
    question: &Question,
    revoked: &mut bool,
) -> Result<Option<(Rc<Entry>, Standing)>, Unavailable> {
    let name = record_name(&question.key);
    let Some(entry) = shared.get(&name).await? else {
        return Ok(None);
    };
    let (record, size) = match Record::open(sealer, &name, &entry) {
        Ok(opened) => opened,
        Err(error) => {
            complain(gateway, runtime, &Unavailable(error.to_string()));
            return Ok(None);
        }
    };
    let mark = shared.get(&mark_name(&question.credential)).await?;
    if is_before(record.asked, mark.as_deref()) {
        *revoked = true;
        return Ok(None);
    }
    let known = Known::told(&record.session.document, record.asked);
    let stands = revocations::stands(gateway, runtime, &known).await;
    if stands != Stands::Yes {
        *revoked |= stands == Stands::Revoked;
        return Ok(None);
    }
    // A mark that could not be written, or is lost, counts at least where the logout was seen; so does one that was seen while
    // this waited.
    let memory = gateway.memory();
    if memory.has_changed_since(&question.credential, record.asked) {
        *revoked = true;
        return Ok(None);
    }
    let now = runtime.now();
    let told = told(gateway, question, &record, size, now);
    if let Some((entry, _)) = &told {
        gateway.memory().adopt(question.key, Rc::clone(entry), now);
    }
    Ok(told)
}

/// What a record from outside this instance is in its memory; `None` once it serves nobody.
pub(crate) fn told(
    gateway: &Gateway,
    question: &Question,
    record: &Record,
    size: usize,
    now: u64,
) -> Option<(Rc<Entry>, Standing)> {
    let freshness = record.freshness(&gateway.policy().session);
    let standing = freshness.at(seconds(now));
    let session = &record.session;
    let ended = session.expires_at.is_some_and(|end| end <= seconds(now));
    if standing == Standing::Gone || ended {
        return None;
    }
    let entry = Rc::new(Entry {
        verdict: record.verdict(),
        freshness,
        credential: question.credential,
        size: footprint(size),
        asked: record.asked,
        heard: None,
        confirmed: Cell::new(now),
        carried: Cell::new(false),
    });
    Some((entry, standing))
}

/// Where nothing may be remembered, there is nothing to share.
fn shares(gateway: &Gateway) -> bool {
    gateway.policy().session.ttl > 0
}

pub(crate) async fn sealer<R: Runtime>(runtime: &R) -> Result<Sealer, Unavailable> {
    let secret = keys::secret(runtime).await?;
    Sealer::for_sessions(secret.as_bytes()).map_err(|error| Unavailable(error.to_string()))
}

/// Without the second tier every instance asks for itself, which is no reason to refuse anybody.
pub(crate) fn complain<R: Runtime>(gateway: &Gateway, runtime: &R, error: &Unavailable) {
    if gateway.memory().may_complain(runtime.now()) {
        let reason = format!("sessions are not shared between instances: {error}");
        runtime.log(&problem::line("sessions", &reason));
    }
}
