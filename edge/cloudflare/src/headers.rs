//! Headers between the runtime's type and the gateway's.

use edgekeeper_gateway::decision::Edit;
use edgekeeper_gateway::request::parted_cookies;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use js_sys::Array;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Headers;

/// Stands for a value that is not one by HTTP's rules. Its header is still there, so it can still be removed.
const UNREADABLE: HeaderValue = HeaderValue::from_static("?");

/// All headers. The runtime has joined several of one name, except `Set-Cookie`; of `Cookie` that can be undone.
///
/// # Errors
/// The runtime's, when a name is not one.
pub(crate) fn read(headers: &Headers) -> Result<HeaderMap, JsValue> {
    let mut map = HeaderMap::new();
    for entry in headers.entries() {
        let entry: Array = entry?.unchecked_into();
        let name = entry.get(0).as_string().unwrap_or_default();
        let value = entry.get(1).as_string().unwrap_or_default();
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| JsValue::from("not a header name"))?;
        if name == COOKIE {
            for part in parted_cookies(&value) {
                map.append(COOKIE, HeaderValue::from_str(part).unwrap_or(UNREADABLE));
            }
            continue;
        }
        map.append(
            name,
            HeaderValue::from_bytes(value.as_bytes()).unwrap_or(UNREADABLE),
        );
    }
    Ok(map)
}

/// Headers as the runtime has them.
///
/// # Errors
/// The runtime's, when it does not take a value.
pub(crate) fn write<'a>(
    headers: impl IntoIterator<Item = (&'a HeaderName, &'a HeaderValue)>,
) -> Result<JsValue, JsValue> {
    let written = Headers::new()?;
    for (name, value) in headers {
        written.append(name.as_str(), &text(value))?;
    }
    Ok(written.into())
}

/// Applies the gateway's changes.
///
/// # Errors
/// The runtime's, when it does not take a value.
pub(crate) fn apply(headers: &Headers, edits: &[Edit]) -> Result<(), JsValue> {
    for edit in edits {
        match edit {
            Edit::Remove(name) => headers.delete(name.as_str())?,
            Edit::Set(name, value) => headers.set(name.as_str(), &text(value))?,
            Edit::Append(name, value) => headers.append(name.as_str(), &text(value))?,
        }
    }
    Ok(())
}

/// A value as the runtime takes it: text, which it sends as UTF-8.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
