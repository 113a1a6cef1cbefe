//! I4: when Kratos is down, nobody is refused, sent to log in, or allowed past the ceiling.
//!
//! The last of these is checked beside I2.

use edgekeeper_gateway::decision::Answer;

use crate::ledger::Said;
use crate::visit::Visit;

/// For how long a failure of Kratos' answers for it, in milliseconds, and how late another instance may tell of it.
const LATELY: u64 = 3_000;

pub(crate) fn answer(visit: &Visit<'_>, answer: &Answer) {
    let ledger = &visit.world.ledger;
    let Some(credential) = &visit.credential else {
        return;
    };
    match answer.status {
        401 | 302 | 403 => {
            if !refused_lately(visit, credential) {
                let status = answer.status;
                ledger.violate("I4", format!("{status}, though Kratos refused nobody"));
            }
        }
        503 => {
            if !answer.headers.iter().any(|(name, _)| name == "retry-after") {
                ledger.violate("I4", "503 does not say when to try again");
            }
        }
        // The only key may be one of a time to come, since the clocks were set back.
        500 if visit.wants_token && visit.world.was_set_back() > 0 => {}
        status => ledger.violate("I4", format!("{status} instead of 503")),
    }
}

/// Whether Kratos said no, and that may still be remembered.
fn refused_lately(visit: &Visit<'_>, credential: &str) -> bool {
    let world = visit.world;
    let remembered = world.climate.negative_ttl * 1_000 + world.climate.skew();
    let since = visit
        .started
        .saturating_sub(remembered + world.was_set_back());
    let latest = (world.shown() + world.climate.skew()) / 1_000;
    let answers = world.ledger.answers(credential);
    answers.iter().any(|answer| match &answer.said {
        Said::Refused => answer.delivered >= since,
        // By the gateway's clock the session has ended.
        Said::Confirmed(session) => session.ends.is_some_and(|end| end <= latest),
        Said::Failed => false,
    })
}

/// Whether Kratos failed to say anything of a credential, and that may be why an older answer serves.
pub(crate) fn failed_lately(visit: &Visit<'_>, credential: &str) -> bool {
    let world = visit.world;
    let since = visit.started.saturating_sub(LATELY);
    // Who waits for a question that was cut off has been waiting for Kratos, too.
    world.was_disturbed_since(visit.started.saturating_sub(15_000))
        || world
            .ledger
            .answers(credential)
            .iter()
            .any(|answer| answer.delivered >= since && matches!(answer.said, Said::Failed))
}
