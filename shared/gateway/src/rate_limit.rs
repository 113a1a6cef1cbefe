//! Somebody else's 429, told to the client.

use http::HeaderMap;

use crate::refusal::Refusal;

/// What explains a rate limit (Oathkeeper passes these on since v26.2.0), besides `Retry-After`.
pub(crate) const EXPLAINED_BY: [&str; 4] = [
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-ratelimit-type",
];

/// 429 with what explains it.
pub(crate) fn refusal(headers: &HeaderMap) -> Refusal {
    let mut refusal = Refusal::new(429, "Too many requests");
    for name in std::iter::once("retry-after").chain(EXPLAINED_BY) {
        if let Some(value) = headers.get(name).filter(|value| !value.is_empty()) {
            refusal
                .headers
                .push((http::HeaderName::from_static(name), value.clone()));
        }
    }
    refusal
}
