//! What questions to services say besides what they are about.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::request::Request;

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Tells the host that the client asked for (`preserve_host`).
pub(crate) fn tell_host(headers: &mut HeaderMap, request: &Request) {
    if let Ok(host) = HeaderValue::from_str(&request.authority()) {
        headers.insert(X_FORWARDED_HOST, host);
    }
}

/// Sets headers that the policy has as text; one that cannot be a header is left out, the build would have refused it.
pub(crate) fn set_configured(headers: &mut HeaderMap, configured: &BTreeMap<String, String>) {
    for (name, value) in configured {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_str(value),
        ) {
            headers.insert(name, value);
        }
    }
}
