//! Looking in the store which policy is in force.

use std::rc::Rc;

use edgekeeper_policy::policies::OnStoreFailure;
use edgekeeper_token::seal::Sealer;

use super::Deployment;
use crate::Gateway;
use crate::keys::SECRET;
use crate::news::{LOOK_AGAIN, PATIENCE, Reading};
use crate::patience::within;
use crate::policies::{CURRENT, Current, Version};
use crate::runtime::{Runtime, Unavailable};

/// For how long a store may give out what was there before a change, in milliseconds, before the log says so.
const PROPAGATES: u64 = 120_000;

/// Why a look did not tell which policy is in force.
pub(super) enum Trouble {
    /// The store fails.
    Store(Unavailable),
    /// What is in it cannot be used.
    Entry(String),
}

impl From<Unavailable> for Trouble {
    fn from(error: Unavailable) -> Self {
        Self::Store(error)
    }
}

/// Looks if what is known is too old, or has it done behind the response before it is.
pub(super) async fn if_due<R: Runtime>(own: &Rc<Deployment>, runtime: &R) {
    let Some(refresh) = own.settings().refresh else {
        return;
    };
    let refresh = refresh.saturating_mul(1_000);
    let now = runtime.now();
    // What is from the future, since a clock was set back, is no news.
    let age = |at: Option<u64>| at.and_then(|at| now.checked_sub(at));
    let known = age(own.news.latest());
    if known.is_some_and(|age| age <= refresh.checked_div(2).unwrap_or_default()) {
        return;
    }
    let is_known = known.is_some_and(|age| age <= refresh);
    // Nobody waits for a store that fails: it is tried again behind a response.
    if is_known || age(own.news.failed()).is_some_and(|age| age <= refresh) {
        let behind = Rc::clone(own);
        return own
            .news
            .read_later(runtime, now, |runtime, reading| async move {
                look(&behind, &runtime, reading).await;
            });
    }
    let before = own.news.outcome();
    let give_up = now.saturating_add(PATIENCE);
    loop {
        let then = runtime.now();
        // What another request was told meanwhile is news, however long that took.
        if own.news.outcome() != before || then >= give_up {
            return;
        }
        if let Some(reading) = own.news.begin(then) {
            return look(own, runtime, reading).await;
        }
        runtime.sleep(LOOK_AGAIN).await;
    }
}

/// Looks whatever is known.
pub(super) async fn at_once<R: Runtime>(own: &Rc<Deployment>, runtime: &R) {
    let reading = own.news.begin_at_once(runtime.now());
    look(own, runtime, reading).await;
}

async fn look<R: Runtime>(own: &Deployment, runtime: &R, reading: Reading) {
    let asked = runtime.now();
    let found = within(runtime, PATIENCE, read(own, runtime)).await;
    let found = found.unwrap_or_else(|| {
        Err(Trouble::Store(Unavailable(format!(
            "the store did not answer within {PATIENCE} ms"
        ))))
    });
    let (is_told, problem) = match found {
        Ok(found) => {
            if let Some((current, gateway)) = found {
                own.take(runtime, current, gateway);
            }
            own.knows.set(true);
            (true, None)
        }
        // What cannot be used will hardly be better in a second, but for who is refused meanwhile.
        Err(Trouble::Entry(reason)) => (!own.is_withheld(), Some(reason)),
        Err(Trouble::Store(error)) => (false, Some(error.to_string())),
    };
    if is_told {
        own.news.came(asked);
    } else {
        own.news.fail(runtime.now());
    }
    drop(reading);
    match problem {
        None => *own.problem.borrow_mut() = None,
        Some(reason) => {
            let meanwhile = if own.is_withheld() {
                "every request is refused"
            } else {
                "the last good one stays"
            };
            own.complain(
                runtime,
                format!("it cannot be told which policy is in force, so {meanwhile}: {reason}"),
            );
        }
    }
}

/// What is in force, if it is another than before.
async fn read<R: Runtime>(
    own: &Deployment,
    runtime: &R,
) -> Result<Option<(Current, Rc<Gateway>)>, Trouble> {
    let Some(sealer) = sealer(own, runtime).await? else {
        return Ok(None);
    };
    let current = pointer(runtime, &sealer).await?;
    let known = own.changes();
    if current == known {
        return Ok(None);
    }
    if own.is_outdated(&current) {
        let since = runtime.now().saturating_sub(own.in_force.borrow().taken);
        if since < PROPAGATES {
            return Ok(None);
        }
        return Err(Trouble::Entry(format!(
            "the entry `{CURRENT}` is of change {}, and change {} was in force here; push a policy anew",
            current.in_force.number, known.in_force.number
        )));
    }
    let gateway = gateway(own, runtime, current.in_force.version.as_ref()).await?;
    Ok(Some((current, gateway)))
}

/// What the pointer is sealed by; `None` where there is nothing to look for.
async fn sealer<R: Runtime>(own: &Deployment, runtime: &R) -> Result<Option<Sealer>, Trouble> {
    let refuses = own.settings().on_store_failure == OnStoreFailure::Refuse;
    if !refuses && (!runtime.has_store().await || runtime.secret(SECRET).await.is_none()) {
        return Ok(None);
    }
    Ok(Some(super::change::sealer(runtime).await?))
}

/// The entry that says what is in force.
pub(super) async fn pointer<R: Runtime>(runtime: &R, sealer: &Sealer) -> Result<Current, Trouble> {
    match runtime.get(CURRENT).await? {
        None => Ok(Current::default()),
        Some(entry) => {
            Current::open(sealer, &entry).map_err(|error| Trouble::Entry(error.to_string()))
        }
    }
}

/// The policy of a version, in force: the deployed one, or from the store.
pub(super) async fn gateway<R: Runtime>(
    own: &Deployment,
    runtime: &R,
    version: Option<&Version>,
) -> Result<Rc<Gateway>, Trouble> {
    let before = own.gateway();
    let Some(version) = version.filter(|version| own.deployed.version() != Some(version)) else {
        return Ok(Rc::clone(&own.deployed));
    };
    if before.version() == Some(version) {
        return Ok(before);
    }
    let name = version.name();
    let document = runtime.get(&name).await?.ok_or_else(|| {
        Trouble::Entry(format!(
            "there is no entry `{name}`; push that policy again, or roll back to another"
        ))
    })?;
    if Version::of(&document) != *version {
        return Err(Trouble::Entry(format!(
            "the entry `{name}` is not the document of that version; push that policy again, or roll back to another"
        )));
    }
    before
        .followed_by(&document)
        .map_err(|error| Trouble::Entry(format!("the policy `{name}`: {error}")))
}
