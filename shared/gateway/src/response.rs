//! The upstream's answer on its way back: what is taken off, what is put on.

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, SET_COOKIE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decision::{Edit, ResponseContext};
use crate::hop_by_hop;

/// Headers that tell a shared cache to keep what only one person may see.
const SHARED_CACHES: [&str; 3] = [
    "cdn-cache-control",
    "cloudflare-cdn-cache-control",
    "surrogate-control",
];

/// The changes to an upstream's answer.
pub(crate) fn edits(context: &ResponseContext, headers: &HeaderMap) -> Vec<Edit> {
    let mut edits = hop_by_hop::response_edits(headers);
    edits.extend(padded(headers));
    let is_gzip = headers
        .get(CONTENT_ENCODING)
        .is_some_and(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"gzip"));
    if context.asked_for_gzip && is_gzip {
        edits.push(Edit::Remove(CONTENT_ENCODING));
        edits.push(Edit::Remove(CONTENT_LENGTH));
    }
    if context.private {
        edits.extend(private(headers));
    }
    edits.extend(context.own.iter().cloned());
    edits
}

/// The white space around a value is no part of it (RFC 9110 section 5.5), though some runtimes keep it.
fn padded(headers: &HeaderMap) -> Vec<Edit> {
    headers
        .iter()
        .filter(|(name, value)| {
            *name != SET_COOKIE && value.as_bytes().trim_ascii() != value.as_bytes()
        })
        .filter_map(|(name, value)| {
            let value = HeaderValue::from_bytes(value.as_bytes().trim_ascii()).ok()?;
            Some((name, value))
        })
        .filter(|(name, _)| headers.get_all(*name).iter().count() == 1)
        .map(|(name, value)| Edit::Set(name.clone(), value))
        .collect()
}

/// An answer that depends on a session is nobody else's. One that the upstream keeps from every cache is left as it is.
fn private(headers: &HeaderMap) -> Vec<Edit> {
    let already = headers.get_all(CACHE_CONTROL).iter().any(|value| {
        value.to_str().is_ok_and(|value| {
            value
                .split(',')
                .any(|part| part.trim().eq_ignore_ascii_case("no-store"))
        })
    });
    let mut edits: Vec<Edit> = SHARED_CACHES
        .into_iter()
        .map(|name| Edit::Remove(HeaderName::from_static(name)))
        .collect();
    if !already {
        edits.push(Edit::Set(
            CACHE_CONTROL,
            HeaderValue::from_static("private, no-store"),
        ));
    }
    edits.push(Edit::Append(VARY, HeaderValue::from_static("Cookie")));
    edits
}

/// Whether an answer sets or clears the session cookie: login, logout, a second factor, new settings.
pub(crate) fn changes_session(session_cookies: &[String], headers: &HeaderMap) -> bool {
    headers.get_all(SET_COOKIE).iter().any(|value| {
        String::from_utf8_lossy(value.as_bytes())
            .split(',')
            .any(|cookie| {
                let name = cookie.split('=').next().unwrap_or_default().trim();
                session_cookies.iter().any(|session| session == name)
            })
    })
}
