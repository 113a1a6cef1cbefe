//! I2: no request is allowed later than the bound after a session ended or changed.
//!
//! What the gateway was not told of, it learns when what it remembers grows old: after `ttl` and `stale_while_revalidate`, and
//! while Kratos fails after `ttl` and `stale_if_error`; past that it is I4. What passed through counts at once in the instance
//! that saw it, and a second later in those that share its second tier, unless the store was in trouble.

use super::{Allowed, outage};
use crate::ledger::{Answer, Confirmation, Ends, Said, Told};
use crate::visit::Visit;
use crate::world::{Owner, World};

/// For how long an instance goes by its memory before it looks for a logout that another saw, in milliseconds, and as long as
/// the look may take.
const BELIEVED: u64 = 1_000 + 20;

/// How a request may be let through by what Kratos said once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// The gateway was told that it is so no more.
    Revoked,
    /// It is too old.
    Gone,
    /// It serves while Kratos fails.
    Fallback,
    Good,
}

pub(crate) fn check(visit: &Visit<'_>, allowed: &Allowed<'_>) {
    let ledger = &visit.world.ledger;
    let best = ledger
        .answers(allowed.credential)
        .iter()
        .filter_map(|answer| match &answer.said {
            Said::Confirmed(session) => Some((answer, session)),
            Said::Refused | Said::Failed => None,
        })
        .filter(|(_, session)| session.subject == allowed.subject && session.email == allowed.email)
        .map(|(answer, session)| standing(visit, allowed, answer, session))
        .max();
    let failed = outage::failed_lately(visit, allowed.credential);
    let seconds = |at: u64| (visit.started - at) / 1_000;
    match best {
        Some(Standing::Good) | None => {}
        Some(Standing::Fallback) if failed => {}
        Some(Standing::Gone) if failed => {
            ledger.violate(
                "I4",
                "while Kratos fails, a request was allowed past the ceiling",
            );
        }
        Some(Standing::Fallback | Standing::Gone) => {
            let last = ledger.answers(allowed.credential);
            let last = last.iter().map(|answer| answer.delivered).max();
            let ago = last.map_or(0, seconds);
            ledger.violate(
                "I2",
                format!("what Kratos said {ago} s ago and longer was believed"),
            );
        }
        Some(Standing::Revoked) => {
            let told = ledger.told();
            let told = told
                .iter()
                .rev()
                .find(|told| ends(told, allowed.credential));
            let ago = told.map_or(0, |told| visit.started - told.at);
            let what = format!(
                "a request was allowed {ago} ms after the gateway was told that the session ended or changed"
            );
            ledger.violate("I2", what);
        }
    }
}

fn standing(
    visit: &Visit<'_>,
    allowed: &Allowed<'_>,
    answer: &Answer,
    session: &Confirmation,
) -> Standing {
    let world = visit.world;
    let revoked = world.ledger.told().iter().any(|told| {
        ends(told, allowed.credential)
            && answer.evaluated < told.began
            && bound(world, told, visit.by).is_some_and(|bound| visit.started > told.at + bound)
    });
    if revoked {
        return Standing::Revoked;
    }
    let climate = &world.climate;
    // Clocks that differ, or were set back, lengthen what they measure.
    let slack = climate.skew() + world.was_set_back();
    let shown = (world.shown() - (world.now() - visit.started)).saturating_sub(slack + 1_000);
    if session.ends.is_some_and(|end| end * 1_000 <= shown) {
        return Standing::Gone;
    }
    let fresh = climate.fresh();
    let serves = |stale: u64| {
        let stale = if fresh == 0 { 0 } else { stale };
        visit.started <= answer.delivered + slack + (fresh + stale) * 1_000
    };
    if serves(climate.stale_while_revalidate) {
        Standing::Good
    } else if serves(climate.stale_if_error) {
        Standing::Fallback
    } else {
        Standing::Gone
    }
}

fn ends(told: &Told, credential: &str) -> bool {
    match &told.ends {
        Ends::Credential(ended) => ended == credential,
    }
}

/// How long after it was told an instance may still go by what it remembers, in milliseconds; `None` where it may as long as
/// that lasts.
fn bound(world: &World, told: &Told, instance: Owner) -> Option<u64> {
    if told.by == instance {
        return Some(0);
    }
    let shares = !world.climate.spreads();
    let undisturbed = !world.store.was_in_trouble_since(told.began) && world.was_set_back() == 0;
    (shares && undisturbed).then_some(BELIEVED)
}
