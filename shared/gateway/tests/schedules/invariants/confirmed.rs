//! I1: no request is allowed with a session that Kratos never confirmed.

use super::Allowed;
use crate::ledger::Said;
use crate::visit::Visit;

pub(crate) fn check(visit: &Visit<'_>, allowed: &Allowed<'_>) {
    let ledger = &visit.world.ledger;
    let confirmed = ledger
        .answers(allowed.credential)
        .iter()
        .any(|answer| matches!(answer.said, Said::Confirmed(_)));
    if !confirmed {
        ledger.violate("I1", "a credential that Kratos never confirmed was let in");
    }
}
