//! A claim: that one instance asks Kratos, so that the others wait for what it hears.

use std::rc::Rc;

use edgekeeper_session::freshness::{SKEW, Standing};
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::record;
use edgekeeper_session::whoami::{Failure, FailureKind, Verdict};

use super::{complain, look, sealer, shares};
use crate::Gateway;
use crate::bounded::Bounded;
use crate::runtime::{Runtime, SHARED_PREFIX, SharedCache, Unavailable, seconds};
use crate::whoami::Question;

/// That this instance asks. Whoever asks says how it went with [`Claim::release`]; a request that is cut off does not,
/// and its claim ends by itself.
pub(crate) struct Claim {
    pub(super) name: String,
}

/// The outcome of trying to claim a question.
pub(crate) enum Claiming {
    /// The question is the caller's.
    Mine(Option<Claim>),
    /// Another instance asks.
    Taken,
}

pub(super) fn claim_name(question: &CacheKey) -> String {
    format!("{SHARED_PREFIX}asking-{}", question.to_hex())
}

/// Takes a question for this instance, unless another asks it now or has just done so.
pub(crate) async fn claim<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    question: &Question,
) -> Claiming {
    let Some(shared) = Bounded::of(runtime).filter(|_| shares(gateway)) else {
        return Claiming::Mine(None);
    };
    let mut claim = None;
    if R::Shared::CLAIMS {
        let name = claim_name(&question.key);
        if !add_claim(gateway, runtime, &shared, question, &name).await {
            if let Err(error) = free_if_abandoned(runtime, &shared, question, &name).await {
                complain(gateway, runtime, &error);
            }
            return Claiming::Taken;
        }
        claim = Some(Claim { name });
    }
    match answered(gateway, runtime, &shared, question, claim.as_ref()).await {
        Ok(true) => Claiming::Taken,
        _ => Claiming::Mine(claim),
    }
}

/// Whether another instance has the answer by now; the claim is given back then.
async fn answered<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    shared: &Bounded<'_, R>,
    question: &Question,
    claim: Option<&Claim>,
) -> Result<bool, Unavailable> {
    let sealer = sealer(runtime).await?;
    let record = look(gateway, runtime, shared, &sealer, question, &mut false).await?;
    let fresh = matches!(record, Some((_, Standing::Fresh)));
    if let Some(claim) = claim.filter(|_| fresh) {
        shared.delete(&claim.name).await?;
    }
    Ok(fresh)
}

/// Takes off the claim of a request that was cut off, so that the next one finds the question free.
async fn free_if_abandoned<R: Runtime>(
    runtime: &R,
    shared: &Bounded<'_, R>,
    question: &Question,
    name: &str,
) -> Result<(), Unavailable> {
    match shared.get(name).await? {
        Some(state) if is_abandoned(&state, question, runtime.seconds()) => {
            shared.delete(name).await
        }
        _ => Ok(()),
    }
}

impl Claim {
    /// Tells the others how it went: a session by its record, a failure in the claim's own place.
    pub(crate) async fn release<R: Runtime>(
        self,
        gateway: &Gateway,
        runtime: &R,
        verdict: &Verdict,
    ) {
        let Some(shared) = Bounded::of(runtime) else {
            return;
        };
        let told = match verdict {
            Verdict::Failed(failure) => {
                let until = runtime.seconds().saturating_add(1);
                let retry_after = failure.retry_after.as_deref().unwrap_or_default();
                let kind = failure_name(failure.kind);
                let state = format!("{until} failed {kind} {retry_after}");
                shared.set(&self.name, state.trim_end()).await
            }
            _ => shared.delete(&self.name).await,
        };
        if let Err(error) = told {
            complain(gateway, runtime, &error);
        }
    }
}

/// Adds a claim. One that failed may be there all the same, so it counts as this instance's, and is given back.
pub(super) async fn add_claim<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    shared: &Bounded<'_, R>,
    question: &Question,
    name: &str,
) -> bool {
    let until = runtime.seconds().saturating_add(patience(question));
    // A store that cannot add in one step tells whose claim it is by its text.
    let mut own = [0; 8];
    let drawn = runtime.random(&mut own);
    let claim = format!("{until} asking {}", u64::from_be_bytes(own));
    let added = match drawn {
        Ok(()) => shared.add(name, &claim).await,
        Err(error) => Err(error),
    };
    added.unwrap_or_else(|error| {
        complain(gateway, runtime, &error);
        true
    })
}

/// For how many seconds a claim stands at most.
fn patience(question: &Question) -> u64 {
    seconds(question.outbound.timeout).saturating_add(2)
}

/// Whether a claim is one of a request that was cut off, or from the future: a clock was set back, and nobody is to wait
/// for it to come there again.
pub(super) fn is_abandoned(claim: &str, question: &Question, now: u64) -> bool {
    let latest = now.saturating_add(patience(question)).saturating_add(SKEW);
    record::end(claim).is_none_or(|end| end <= now || end > latest)
}

/// The failure that a claim tells of.
pub(super) fn failure(state: &str) -> Option<Failure> {
    let mut words = state.splitn(4, ' ').skip(1);
    if words.next() != Some("failed") {
        return None;
    }
    let kind = words.next()?;
    let kind = FAILURES
        .into_iter()
        .find(|each| failure_name(*each) == kind)?;
    Some(Failure {
        retry_after: words.next().map(str::to_owned),
        ..Failure::new(
            kind,
            "another instance has just asked whoami, and it failed",
        )
    })
}

const FAILURES: [FailureKind; 5] = [
    FailureKind::Server,
    FailureKind::RateLimited,
    FailureKind::Timeout,
    FailureKind::Unreachable,
    FailureKind::Foreign,
];

const fn failure_name(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Server => "server",
        FailureKind::RateLimited => "rate-limited",
        FailureKind::Timeout => "timeout",
        FailureKind::Unreachable => "unreachable",
        FailureKind::Foreign => "foreign",
    }
}
