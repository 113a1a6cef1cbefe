//! What the upstream is told: first everything a client must not say is taken off, then the gateway speaks.

use edgekeeper_policy::document::Policy;
use http::header::{ACCEPT_ENCODING, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decision::Edit;
use crate::request::Request;
use crate::{hop_by_hop, identity, sealed_cookie};

/// The changes to a request's headers. `told` is what the mutators made; `first_only`: of a header that the client sent more
/// than once the upstream sees the first, as Oathkeeper's `noop` has it.
pub(crate) fn edits(
    policy: &Policy,
    request: &Request,
    told: &HeaderMap,
    preserve_host: bool,
    first_only: bool,
) -> Vec<Edit> {
    let mut edits: Vec<Edit> = sealed_cookie::upstream_edit(request).into_iter().collect();
    edits.extend(hop_by_hop::request_edits(
        request,
        policy.trust_forwarded_headers,
    ));
    if first_only {
        let removed = |name: &HeaderName| edits.contains(&Edit::Remove(name.clone()));
        let kept = request.headers.keys().filter(|name| !removed(name));
        let first: Vec<Edit> = kept
            .filter(|name| request.headers.get_all(*name).iter().count() > 1)
            .filter_map(|name| Some(Edit::Set(name.clone(), request.headers.get(name)?.clone())))
            .collect();
        edits.extend(first);
    }
    if !policy.strict {
        edits.extend(identity::edits(policy, request));
        edits.extend(identity::twins(told.keys(), request));
    }
    if !policy.strict || preserve_host {
        edits.extend(forwarded(policy, request));
    }
    edits.extend(
        told.iter()
            .map(|(name, value)| Edit::Set(name.clone(), value.clone())),
    );
    edits
}

/// Whether Oathkeeper's HTTP client would ask the upstream to compress what the client did not ask to be compressed. It
/// decodes the answer itself.
pub(crate) fn asks_for_gzip(request: &Request, told: &HeaderMap) -> bool {
    let is_set = |name: &HeaderName| request.headers.contains_key(name) || told.contains_key(name);
    request.method != "HEAD" && !is_set(&ACCEPT_ENCODING) && !is_set(&RANGE)
}

/// Tells the upstream which host and scheme the browser used: its own it sees, not the public ones.
fn forwarded(policy: &Policy, request: &Request) -> Vec<Edit> {
    let values = [
        ("x-forwarded-host", request.authority()),
        ("x-forwarded-proto", request.scheme.as_str().to_owned()),
    ];
    values
        .into_iter()
        .filter(|(name, _)| {
            !(policy.trust_forwarded_headers && request.headers.contains_key(*name))
        })
        .filter_map(|(name, value)| {
            Some(Edit::Set(
                HeaderName::from_static(name),
                HeaderValue::from_str(&value).ok()?,
            ))
        })
        .collect()
}
