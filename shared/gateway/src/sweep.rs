//! Taking off what has ended in a store without expiry.

use std::rc::Rc;

use edgekeeper_session::freshness::SKEW;
use edgekeeper_session::record;

use crate::Gateway;
use crate::runtime::{Runtime, SharedCache, Unavailable};
use crate::second_tier::complain;

/// In how many of 256 cases a session that is shared lets ended entries be taken off, and how many are looked at then.
const SWEEP_ODDS: u8 = 8;
const SWEEP: usize = 256;

/// Now and then takes off entries that have ended, behind the response. When, and where to begin, is drawn by lot: so
/// each entry has its turn, and no instance needs to know of another's work.
pub(crate) fn now_and_then<R: Runtime>(gateway: &Rc<Gateway>, runtime: &R) {
    let mut lot = [0; 4];
    if R::Shared::EXPIRES || runtime.shared().is_none() || runtime.random(&mut lot).is_err() {
        return;
    }
    let [first, ..] = lot;
    if first >= SWEEP_ODDS {
        return;
    }
    let (gateway, own) = (Rc::clone(gateway), runtime.clone());
    runtime.later(async move {
        if let Err(error) = sweep(&own, u32::from_be_bytes(lot)).await {
            complain(&gateway, &own, &error);
        }
    });
}

async fn sweep<R: Runtime>(runtime: &R, lot: u32) -> Result<(), Unavailable> {
    let Some(shared) = runtime.shared() else {
        return Ok(());
    };
    let names = shared.names().await?;
    let begin = usize::try_from(lot)
        .unwrap_or_default()
        .checked_rem(names.len())
        .unwrap_or_default();
    // Another machine's clock may be behind.
    let now = runtime.seconds().saturating_sub(SKEW);
    for name in names
        .iter()
        .cycle()
        .skip(begin)
        .take(SWEEP.min(names.len()))
    {
        let entry = shared.get(name).await?;
        if entry.is_some_and(|entry| has_ended(&entry, now)) {
            shared.delete(name).await?;
        }
    }
    Ok(())
}

/// Whether an entry no longer counts; what is no entry never did.
fn has_ended(entry: &str, now: u64) -> bool {
    record::end(entry).is_none_or(|end| end <= now)
}
