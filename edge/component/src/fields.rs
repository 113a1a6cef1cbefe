//! Headers as a `wasi:http` host has them: its `fields`, a list of names and values.
//!
//! Such a host keeps what belongs to a connection to itself: it neither shows it nor takes it.

use edgekeeper_gateway::decision::Answer;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// One field: its name and its value.
pub type Field = (String, Vec<u8>);

/// Stands for a value that is not one by HTTP's rules. Its header is still there, so it can still be removed.
const UNREADABLE: HeaderValue = HeaderValue::from_static("?");

/// What the host writes itself, and refuses from anybody else (`DEFAULT_FORBIDDEN_HEADERS` of wasmtime-wasi-http).
const OF_THE_HOST: [&str; 9] = [
    "connection",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// What wasmtime takes in one set of fields, in bytes, less what it adds itself: `Host`, of 253 characters and a port at
/// most. Beyond its 128 KiB it ends the instance, and with it every request in it.
const LARGEST: usize = 127 * 1024;

/// What it counts for a name and for a value besides their text, in bytes.
const EACH_NAME: usize = 32;
const EACH_VALUE: usize = 40;

/// Headers that the host would not pass on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "the headers weigh more than the 127 KiB that this runtime passes on (each counts 72 bytes more than its text)",
        )
    }
}

impl std::error::Error for TooLarge {}

/// All headers of an answer.
#[must_use]
pub fn of_answer(fields: Vec<Field>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            headers.append(name, HeaderValue::try_from(value).unwrap_or(UNREADABLE));
        }
    }
    headers
}

/// All headers of a request, with those that the host keeps to itself as far as they can be told: `Host` is the
/// authority, and nobody but a client that wants a WebSocket sends `Sec-WebSocket-Key`.
#[must_use]
pub fn of_request(fields: Vec<Field>, authority: &str) -> HeaderMap {
    let mut headers = of_answer(fields);
    if !headers.contains_key(HOST)
        && let Ok(host) = HeaderValue::from_str(authority)
    {
        headers.insert(HOST, host);
    }
    if headers.contains_key("sec-websocket-key") && !headers.contains_key(UPGRADE) {
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    }
    headers
}

/// The headers of an answer of the gateway's own to a request of this method. The length is said where there could be a
/// body; the answer to `HEAD` says none, as its body is not known.
#[must_use]
pub fn of_own_answer(answer: &Answer, method: &str) -> HeaderMap {
    let mut headers: HeaderMap = answer.headers.iter().cloned().collect();
    if method != "HEAD" && !matches!(answer.status, 204 | 304) {
        headers.insert(
            CONTENT_LENGTH,
            HeaderValue::from(answer.body_for(method).len()),
        );
    }
    headers
}

/// Says how long a request's body is that is held in memory, in place of what was said of it. Of no body nothing is said for
/// `GET` and `HEAD`; elsewhere a host that is told nothing would send an empty one in chunks.
pub fn say_length(headers: &mut HeaderMap, method: &str, body: &[u8]) {
    headers.remove(CONTENT_LENGTH);
    if !body.is_empty() || !matches!(method, "GET" | "HEAD") {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
}

/// The fields to hand to the host, without those that it writes itself.
///
/// # Errors
/// [`TooLarge`] when it would not take that many.
pub fn list(headers: &HeaderMap) -> Result<Vec<Field>, TooLarge> {
    let mut weight = 0_usize;
    let mut fields = Vec::with_capacity(headers.len());
    for name in headers.keys() {
        if OF_THE_HOST.contains(&name.as_str()) {
            continue;
        }
        weight = weight.saturating_add(name.as_str().len().saturating_add(EACH_NAME));
        for value in headers.get_all(name) {
            weight = weight.saturating_add(value.len().saturating_add(EACH_VALUE));
            fields.push((name.as_str().to_owned(), value.as_bytes().to_vec()));
        }
    }
    if weight > LARGEST {
        return Err(TooLarge);
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &str, value: &[u8]) -> Field {
        (name.to_owned(), value.to_vec())
    }

    #[test]
    fn what_came_twice_stays_apart_and_in_order() {
        let headers = of_answer(vec![
            field("Set-Cookie", b"a=1"),
            field("x-other", b"x"),
            field("set-cookie", b"b=2"),
        ]);
        let cookies: Vec<_> = headers.get_all("set-cookie").iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(
            list(&headers).unwrap(),
            [
                field("set-cookie", b"a=1"),
                field("set-cookie", b"b=2"),
                field("x-other", b"x"),
            ]
        );
    }

    #[test]
    fn a_header_with_an_impossible_value_is_still_there_to_be_removed() {
        let headers = of_answer(vec![field("x-user", b"a\nb"), field("not a name", b"x")]);
        assert_eq!(headers.get("x-user").unwrap(), "?");
        assert_eq!(headers.len(), 1);
        let kept = of_answer(vec![field("x-name", "J\u{fc}rgen".as_bytes())]);
        assert_eq!(
            kept.get("x-name").unwrap().as_bytes(),
            "J\u{fc}rgen".as_bytes()
        );
    }

    #[test]
    fn the_host_that_is_hidden_is_the_authority() {
        let headers = of_request(Vec::new(), "app.example.com:8080");
        assert_eq!(headers.get(HOST).unwrap(), "app.example.com:8080");
        let sent = of_request(
            vec![field("host", b"a.example"), field("host", b"b.example")],
            "a.example",
        );
        assert_eq!(sent.get_all(HOST).iter().count(), 2, "two are two");
    }

    #[test]
    fn a_websocket_is_told_by_its_key() {
        let headers = of_request(vec![field("sec-websocket-key", b"k")], "a.example");
        assert_eq!(headers.get(UPGRADE).unwrap(), "websocket");
        assert_eq!(headers.get(CONNECTION).unwrap(), "Upgrade");
        assert!(
            !of_request(Vec::new(), "a.example").contains_key(UPGRADE),
            "nothing is made up"
        );
    }

    #[test]
    fn an_answer_says_how_long_its_body_is_where_it_has_one() {
        let answer = |status| Answer {
            status,
            headers: Vec::new(),
            body: "four".to_owned(),
        };
        let length = |status, method| {
            of_own_answer(&answer(status), method)
                .get(CONTENT_LENGTH)
                .cloned()
        };
        assert_eq!(length(200, "GET").unwrap(), "4");
        assert_eq!(length(200, "HEAD"), None);
        assert_eq!(length(204, "OPTIONS"), None);
        assert_eq!(length(304, "GET"), None);
    }

    #[test]
    fn a_request_says_the_length_of_the_body_that_it_has() {
        let said = |method, body: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.append(CONTENT_LENGTH, HeaderValue::from_static("7"));
            headers.append(CONTENT_LENGTH, HeaderValue::from_static("8"));
            say_length(&mut headers, method, body);
            assert!(headers.get_all(CONTENT_LENGTH).iter().count() <= 1);
            headers.remove(CONTENT_LENGTH)
        };
        for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
            assert_eq!(said(method, b"").unwrap(), "0", "{method}");
            assert_eq!(said(method, b"four").unwrap(), "4", "{method}");
        }
        for method in ["GET", "HEAD"] {
            assert_eq!(said(method, b""), None, "{method}");
            assert_eq!(said(method, b"four").unwrap(), "4", "{method}");
        }
    }

    #[test]
    fn what_the_host_writes_is_left_to_it() {
        let mut headers = HeaderMap::new();
        for name in OF_THE_HOST {
            headers.insert(name, HeaderValue::from_static("x"));
        }
        headers.insert("x-kept", HeaderValue::from_static("x"));
        assert_eq!(list(&headers).unwrap(), [field("x-kept", b"x")]);
    }

    #[test]
    fn what_would_end_the_instance_is_refused() {
        let mut headers = HeaderMap::new();
        let value =
            HeaderValue::from_bytes(&vec![b'x'; LARGEST - EACH_NAME - EACH_VALUE - 1]).unwrap();
        headers.insert("x", value);
        assert!(list(&headers).is_ok(), "up to the limit");
        headers.insert("y", HeaderValue::from_static(""));
        assert_eq!(list(&headers), Err(TooLarge));

        let mut many = HeaderMap::new();
        for _ in 0..4_000 {
            many.append("c", HeaderValue::from_static(""));
        }
        assert_eq!(list(&many), Err(TooLarge), "empty ones weigh, too");
    }
}
