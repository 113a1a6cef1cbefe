//! I2: no request is allowed later than the bound after a session ended or changed.
//!
//! What the gateway was not told of, it learns when what it remembers grows old: after `ttl` and `stale_while_revalidate`, and
//! while Kratos fails after `ttl` and `stale_if_error`; past that it is I4. What passed through counts at once in the instance
//! that saw it, and a second later in those that share its second tier, unless the store was in trouble.

use super::{Allowed, outage};
use crate::ledger::{Answer, Confirmation, Ends, Said, Told};
use crate::store::SPREAD;
use crate::visit::Visit;

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
            let last = told
                .iter()
                .map(|told| told.at)
                .filter(|at| *at < visit.started);
            let ago = last.max().map_or(0, |at| visit.started - at);
            ledger.violate("I2", format!("a request was allowed {ago} ms after the gateway was told of a change, by what was said before"));
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
        ends(told, allowed.credential, session)
            && answer.evaluated < told.began
            && bound(visit, told).is_some_and(|bound| visit.started > told.at + bound)
    });
    if revoked {
        return Standing::Revoked;
    }
    let climate = &world.climate;
    // Clocks that differ, or were set back, lengthen what they measure.
    let slack = climate.skew() + world.was_set_back();
    let shown = visit.shown.saturating_sub(slack + 1_000);
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

/// Whether what Kratos said of a credential ends by what the gateway was told.
fn ends(told: &Told, credential: &str, session: &Confirmation) -> bool {
    match &told.ends {
        Ends::Credential(ended) => ended == credential,
        Ends::Session(ended) => *ended == session.session,
        Ends::Person(ended) => *ended == session.subject,
    }
}

/// How long after it was told an instance may still go by what it remembers, in milliseconds; `None` where it may as long as
/// that lasts.
fn bound(visit: &Visit<'_>, told: &Told) -> Option<u64> {
    let world = visit.world;
    let climate = &world.climate;
    if world.was_set_back() > 0 {
        return None;
    }
    if told.by == visit.by {
        return Some(0);
    }
    if !matches!(told.ends, Ends::Credential(_)) {
        // A message that was taken is in the store, and all go by it, unless the store lost it. Where they cannot read it, they
        // ask Kratos.
        let spread = if climate.spreads() { SPREAD * 1_000 } else { 0 };
        let check = climate.revocation_check? * 1_000;
        let kept = !world.store.has_lost_since(told.began);
        return kept.then_some(check + spread);
    }
    let shares = !climate.spreads() || told.place == visit.place;
    let undisturbed = !world.store.was_in_trouble_since(told.began);
    (shares && undisturbed).then_some(BELIEVED)
}
