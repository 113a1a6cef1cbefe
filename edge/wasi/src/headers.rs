//! Headers between the host's type and the gateway's.

use edgekeeper_gateway::decision::{Answer, Edit};
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, HeaderName, HeaderValue};
use wasi::http::types::{Fields, HeaderError};

/// Stands for a value that is not one by HTTP's rules. Its header is still there, so it can still be removed.
const UNREADABLE: HeaderValue = HeaderValue::from_static("?");

/// What wasmtime lets one set of fields weigh. It ends the instance that goes beyond.
const LARGEST: usize = 128 * 1024;

/// What wasmtime counts for one field besides its text, for a name and a value of its own.
const EACH: usize = 72;

/// For the log, when headers do not fit.
pub(crate) const TOO_LARGE: &str = "the headers weigh more than the 128 KiB that wasmtime passes on (a field counts 72 bytes more than its text)";

/// All headers of an answer.
pub(crate) fn read(fields: &Fields) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in fields.entries() {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            map.append(name, HeaderValue::from_bytes(&value).unwrap_or(UNREADABLE));
        }
    }
    map
}

/// All headers of a request. wasmtime keeps `Host` to itself, but its authority is the same.
pub(crate) fn of_request(fields: &Fields, authority: &str) -> HeaderMap {
    let mut map = read(fields);
    if !map.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(authority)
    {
        map.insert(HOST, host);
    }
    map
}

/// A copy of the host's fields with the gateway's changes; `None` when it would be [`TOO_LARGE`].
pub(crate) fn changed(fields: &Fields, read: &HeaderMap, edits: &[Edit]) -> Option<Fields> {
    let added = edits.iter().filter_map(|edit| match edit {
        Edit::Remove(_) => None,
        Edit::Set(name, value) | Edit::Append(name, value) => Some((name, value)),
    });
    if weight(read).saturating_add(weight(added)) > LARGEST {
        return None;
    }
    let fields = fields.clone();
    for edit in edits {
        let result = match edit {
            Edit::Remove(name) => fields.delete(name.as_str()),
            Edit::Set(name, value) => fields.set(name.as_str(), &[value.as_bytes().to_vec()]),
            Edit::Append(name, value) => fields.append(name.as_str(), value.as_bytes()),
        };
        tolerate(result);
    }
    Some(fields)
}

/// New fields with these headers; `None` when they would be [`TOO_LARGE`].
pub(crate) fn fields<'a>(
    headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)> + Clone,
) -> Option<Fields> {
    if weight(headers.clone()) > LARGEST {
        return None;
    }
    let fields = Fields::new();
    for (name, value) in headers {
        tolerate(fields.append(name.as_str(), value.as_bytes()));
    }
    Some(fields)
}

/// The headers of an answer of the gateway's own with this body, and the length of that.
pub(crate) fn of_answer(answer: &Answer, body: &str) -> Option<Fields> {
    let fields = fields(answer.headers.iter().map(|(name, value)| (name, value)))?;
    if !body.is_empty() {
        let length = body.len().to_string();
        tolerate(fields.set(CONTENT_LENGTH.as_str(), &[length.into_bytes()]));
    }
    Some(fields)
}

/// At least what the host counts.
fn weight<'a>(headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>) -> usize {
    headers
        .into_iter()
        .map(|(name, value)| {
            let text = name.as_str().len().saturating_add(value.len());
            text.saturating_add(EACH)
        })
        .fold(0, usize::saturating_add)
}

/// The host keeps some headers to itself: those of the connection, and `Host`. What it does not take is its own to send.
fn tolerate(_result: Result<(), HeaderError>) {}
