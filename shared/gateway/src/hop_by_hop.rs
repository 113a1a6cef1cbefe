//! Headers that are about one connection (RFC 9110 section 7.6.1) and those that tell of proxies before.

use edgekeeper_policy::hop_by_hop::HOP_BY_HOP;
use http::header::CONNECTION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decision::Edit;
use crate::request::Request;

/// What the connection to the upstream has of its own: it decides itself whether to wait with a body.
const OF_THE_CONNECTION: [&str; 2] = ["expect", "http2-settings"];

/// Whether a header is about one connection.
pub(crate) fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(&name.as_str())
}

/// Removals for the request's way to the upstream: hop-by-hop headers, those that `Connection` names, and
/// what a client could pretend about proxies before the gateway.
///
/// These come before the gateway's own headers, so that a client cannot name one of those in `Connection` and
/// have it removed (GHSA-w9mr-28mw-j8hg). An upgrade keeps its two headers, and `Connection` then names nothing else:
/// the next proxy would take what it names off.
pub(crate) fn request_edits(request: &Request, trust_forwarded: bool) -> Vec<Edit> {
    let upgrade = is_upgrade(&request.headers);
    let mut edits = Vec::new();
    for name in connection_names(&request.headers) {
        if !(upgrade && name == "upgrade") {
            edits.push(Edit::Remove(name));
        }
    }
    for name in request.headers.keys() {
        let hop =
            is_hop_by_hop(name) && !(upgrade && ["connection", "upgrade"].contains(&name.as_str()));
        let forwarded = name == "forwarded"
            || !trust_forwarded && name.as_str().starts_with("x-forwarded")
            || OF_THE_CONNECTION.contains(&name.as_str())
            || is_runtime_header(name.as_str());
        if hop || forwarded {
            edits.push(Edit::Remove(name.clone()));
        }
    }
    if upgrade {
        edits.push(Edit::Set(CONNECTION, HeaderValue::from_static("Upgrade")));
    }
    edits
}

/// Removals for the upstream's answer; not for a switch of protocols, which needs its `Connection`.
pub(crate) fn response_edits(headers: &HeaderMap) -> Vec<Edit> {
    let named = connection_names(headers);
    headers
        .keys()
        .filter(|name| named.contains(name) || is_hop_by_hop(name))
        .cloned()
        .map(Edit::Remove)
        .collect()
}

/// Whether the client asks for a WebSocket.
pub(crate) fn is_upgrade(headers: &HeaderMap) -> bool {
    let asks = headers
        .get("upgrade")
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    asks && connection_names(headers)
        .iter()
        .any(|name| name == "upgrade")
}

/// Whether the client asks for a WebSocket on a runtime that cannot switch protocols. Such a runtime may show neither
/// `Upgrade` nor `Connection`; the handshake's key it does (RFC 6455 section 4.1).
pub(crate) fn asks_for_websocket(headers: &HeaderMap) -> bool {
    is_upgrade(headers)
        || headers.contains_key("sec-websocket-key")
        || headers
            .get("upgrade")
            .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Headers that a framework behind the gateway takes for its own (CVE-2025-29927 and its kind).
pub(crate) fn is_runtime_header(name: &str) -> bool {
    name == "x-middleware-subrequest" || name.starts_with("spin-") || name.starts_with("mf-")
}

fn connection_names(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all("connection")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .filter(|name| !["close", "keep-alive"].contains(&name.as_str()))
        .collect()
}
