//! Headers that an upstream trusts: no client may send them, in any spelling.

use edgekeeper_policy::document::Policy;
use http::HeaderName;

use crate::decision::Edit;
use crate::request::Request;

/// Removals of what a client sent under a name that some rule sets, on every rule: a route that sets nothing
/// would otherwise pass `X-User-Id: admin` on. CGI, WSGI and others read `X_User_Id` as the same header, and so
/// `X_Forwarded_Host`.
pub(crate) fn edits(policy: &Policy, request: &Request) -> Vec<Edit> {
    request
        .headers
        .keys()
        .filter(|name| {
            let spelling = name.as_str().replace('_', "-");
            let is_twin = spelling != name.as_str() && spelling.starts_with("x-forwarded");
            is_twin || policy.identity_headers.contains(&spelling)
        })
        .cloned()
        .map(Edit::Remove)
        .collect()
}

/// Removals of other spellings of the headers that this rule sets, so that only the gateway's own arrives.
pub(crate) fn twins<'a>(set: impl Iterator<Item = &'a HeaderName>, request: &Request) -> Vec<Edit> {
    let set: Vec<&HeaderName> = set.collect();
    request
        .headers
        .keys()
        .filter(|name| {
            let spelling = name.as_str().replace('_', "-");
            set.iter()
                .any(|own| *own != *name && own.as_str().replace('_', "-") == spelling)
        })
        .cloned()
        .map(Edit::Remove)
        .collect()
}
