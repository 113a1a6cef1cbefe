//! I0: while nothing is wrong, whoever has a session gets through.

use edgekeeper_gateway::decision::Answer;

use crate::visit::Visit;

/// For how long after a disturbance something may still be remembered of it, in milliseconds.
const RECOVERY: u64 = 20_000;

/// For how long after the clocks were set a key may be missing, in milliseconds.
const KEYS: u64 = 1_000_000;

pub(crate) fn answer(visit: &Visit<'_>, answer: &Answer) {
    let world = visit.world;
    let since = visit.started.saturating_sub(RECOVERY);
    let keys = visit.started.saturating_sub(KEYS);
    let Some(credential) = &visit.credential else {
        return;
    };
    let disturbed = world.was_disturbed_since(since)
        || world.kratos.was_in_trouble_since(since)
        || world.store.was_in_trouble_since(since)
        || world.was_set_back() != 0
        || (visit.wants_token && world.clocks_were_set_since(keys));
    let calm = !disturbed;
    if calm && world.kratos.knows(world, credential, visit.started) {
        let status = answer.status;
        let what = format!("{status} to somebody with a session, while nothing was wrong");
        world.ledger.violate("I0", what);
    }
}
