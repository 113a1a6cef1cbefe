//! One fetch of a set of keys: over the network, or from the key-value store.

use edgekeeper_policy::endpoint::Endpoint;
use edgekeeper_token::foreign::set::MAX_LENGTH;
use edgekeeper_token::imported::entry::{ImportedEntry, entry_name};
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

use super::{Failure, FailureKind, Keys, Wanted};
use crate::keys;
use crate::runtime::{FetchError, Inbound, Outbound, Runtime, Unavailable};

/// Fetches a set and reads it, within `patience` milliseconds. With it come the problems of some of its keys.
pub(super) async fn fetch<R: Runtime>(
    runtime: &R,
    wanted: &Wanted<'_>,
    patience: u64,
    strict: bool,
) -> Result<(Keys, Vec<String>), Failure> {
    let read = |text: &str| {
        Keys::read::<R>(text, wanted, strict).map_err(|error| wrong(error.to_string()))
    };
    if wanted.endpoint.is_file() {
        return read(&imported(runtime, &wanted.endpoint.url).await?);
    }
    let body = published(runtime, wanted.endpoint, patience, strict).await?;
    read(std::str::from_utf8(&body).map_err(|_| wrong("the answer is not UTF-8"))?)
}

/// Where a set is, for the log: a query can hold a secret.
pub(super) fn place(endpoint: &Endpoint) -> &str {
    endpoint.url.split('?').next().unwrap_or_default()
}

async fn published<R: Runtime>(
    runtime: &R,
    endpoint: &Endpoint,
    patience: u64,
    strict: bool,
) -> Result<Vec<u8>, Failure> {
    let mut headers = HeaderMap::new();
    headers.insert(
        ACCEPT,
        HeaderValue::from_static("application/json, application/jwk-set+json"),
    );
    let outbound = Outbound {
        method: "GET".to_owned(),
        url: endpoint.url.clone(),
        binding: endpoint.binding.clone(),
        headers,
        body: Vec::new(),
        timeout: patience,
        largest: MAX_LENGTH,
    };
    let Inbound { status, body, .. } = runtime.ask(outbound).await.map_err(|error| {
        down(match error {
            FetchError::Timeout => "the key server did not answer in time",
            FetchError::Unreachable => "the key server cannot be reached",
        })
    })?;
    match status {
        200..=299 if status == 200 || strict => {
            body.ok_or_else(|| wrong(format!("the set is over {MAX_LENGTH} bytes long")))
        }
        429 | 500.. => Err(down(format!("the key server answers {status}"))),
        300..=399 => Err(wrong(format!(
            "the key server answers {status}; redirects are not followed, write down the URL that it leads to"
        ))),
        _ => Err(wrong(format!(
            "the key server answers {status} instead of 200"
        ))),
    }
}

/// A set that `edgekeeper keys import` put into the key-value store.
async fn imported<R: Runtime>(
    runtime: &R,
    url: &str,
) -> Result<impl std::ops::Deref<Target = String> + use<R>, Failure> {
    let name = entry_name(url);
    let out_of_reach = |error: Unavailable| down(error.to_string());
    let sealer = keys::sealer(runtime).await.map_err(out_of_reach)?;
    let value = runtime.get(&name).await.map_err(out_of_reach)?;
    let value = value.ok_or_else(|| {
        wrong(format!(
            "the file is not in the key-value store; run `edgekeeper keys import` and put its entry `{name}` there"
        ))
    })?;
    ImportedEntry::parse(&name, &value)
        .and_then(|entry| entry.open(&sealer))
        .map_err(|error| wrong(error.to_string()))
}

fn down(reason: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Down,
        reason: reason.into(),
    }
}

fn wrong(reason: impl Into<String>) -> Failure {
    Failure {
        kind: FailureKind::Wrong,
        reason: reason.into(),
    }
}
