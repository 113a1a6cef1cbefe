//! What the operator changes of the policy while the gateway runs.

use std::rc::Rc;

use edgekeeper_token::seal::{NONCE_LENGTH, Sealer};
use http::header::RETRY_AFTER;

use super::Deployment;
use super::look::{self, Trouble};
use crate::keys;
use crate::patience::within;
use crate::policies::{CURRENT, Current, Version, entry_name};
use crate::refusal::{DEFAULT_RETRY_AFTER, Refusal};
use crate::runtime::{Runtime, Unavailable};

/// How long a change may take, in milliseconds: it writes a document of megabytes.
const PATIENCE: u64 = 10_000;

/// The policy that the operator names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named<'a> {
    /// The one that the gateway was deployed with, whichever that is.
    Deployed,
    /// One that is stored, by its version as it is shown.
    Version(&'a str),
}

/// Looks which policy is in force, whatever is known.
pub(crate) async fn look<R: Runtime>(own: &Rc<Deployment>, runtime: &R) {
    look::at_once(own, runtime).await;
}

/// The document of a version.
///
/// # Errors
/// 404 for one that is not stored, 503 when the store fails.
pub(crate) async fn document<R: Runtime>(
    own: &Deployment,
    runtime: &R,
    named: Named<'_>,
) -> Result<String, Refusal> {
    let short = match named {
        Named::Version(short) if !is_deployed(own, short) => short,
        _ => return Ok(own.document().to_owned()),
    };
    let name = entry_name(short);
    let stored = within(runtime, PATIENCE, runtime.get(&name)).await;
    stored
        .map_or_else(too_late, |stored| stored.map_err(failed))?
        .filter(|document| Version::of(document).short() == short)
        .ok_or_else(|| Refusal::new(404, format!("there is no policy {short} in the store")))
}

/// Puts a document in force, or without one whichever policy is deployed, for what follows change `number`.
///
/// # Errors
/// 422 for one that does not load, 409 when another change was faster, 503 when the store fails. The policy is as it was then,
/// unless the store took the change and did not say so.
pub(crate) async fn put<R: Runtime>(
    own: &Rc<Deployment>,
    runtime: &R,
    document: Option<&str>,
    number: u64,
) -> Result<Current, Refusal> {
    let gateway = match document {
        Some(document) => own
            .gateway()
            .followed_by(document)
            .map_err(|error| Refusal::new(422, error))?,
        None => Rc::clone(&own.deployed),
    };
    let changed = within(runtime, PATIENCE, write(own, runtime, document, number)).await;
    let (before, current) = changed.unwrap_or_else(too_late)?;
    own.take(runtime, current.clone(), gateway);
    own.knows.set(true);
    take_off(runtime, current.dropped(&before));
    Ok(current)
}

/// Writes what is to be in force: the document first. Gives what was in force, and what is now.
async fn write<R: Runtime>(
    own: &Deployment,
    runtime: &R,
    document: Option<&str>,
    number: u64,
) -> Result<(Current, Current), Refusal> {
    let sealer = sealer(runtime).await.map_err(failed)?;
    let known = own.changes();
    let before = match look::pointer(runtime, &sealer).await {
        Ok(stored) if stored.in_force.number >= known.in_force.number => stored,
        // What cannot be used is written anew.
        Ok(_) | Err(Trouble::Entry(_)) => known,
        Err(Trouble::Store(error)) => return Err(failed(error)),
    };
    let found = before.in_force.number;
    if found != number {
        return Err(Refusal::new(
            409,
            format!(
                "the statement follows change {number} of the policy, but change {found} is in force; see what it is, and send this again"
            ),
        ));
    }
    let version = document.map(Version::of);
    let named = version.as_ref().map(Version::name);
    let at = runtime.seconds().max(before.in_force.at);
    let current = before.followed_by(version, at);
    let mut nonce = [0; NONCE_LENGTH];
    runtime.random(&mut nonce).map_err(failed)?;
    let entry = current
        .seal(&sealer, nonce)
        .map_err(|error| failed(Unavailable(error.to_string())))?;
    let entries = [named.as_deref().zip(document), Some((CURRENT, &*entry))];
    for (name, value) in entries.into_iter().flatten() {
        runtime.put(name, value).await.map_err(failed)?;
    }
    Ok((before, current))
}

fn is_deployed(own: &Deployment, short: &str) -> bool {
    own.deployed.version().map(Version::short) == Some(short)
}

/// What seals which policy is in force.
///
/// # Errors
/// When the secret is not there, or too short.
pub(super) async fn sealer<R: Runtime>(runtime: &R) -> Result<Sealer, Unavailable> {
    let secret = keys::secret(runtime).await?;
    Sealer::for_policies(secret.as_bytes()).map_err(|error| Unavailable(error.to_string()))
}

/// Takes off documents that nobody can go back to, behind the response.
fn take_off<R: Runtime>(runtime: &R, dropped: Vec<Version>) {
    if dropped.is_empty() {
        return;
    }
    let own = runtime.clone();
    runtime.later(async move {
        for version in dropped {
            // One that stays is in nobody's way.
            drop(own.delete(&version.name()).await);
        }
    });
}

fn too_late<T>() -> Result<T, Refusal> {
    Err(failed(Unavailable(format!(
        "the store did not answer within {PATIENCE} ms"
    ))))
}

fn failed(error: Unavailable) -> Refusal {
    Refusal::new(503, format!("the store cannot be used: {error}"))
        .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
}
