//! Headers that are about one connection.

/// What no proxy passes on and no rule may set, lower case (RFC 9110 section 7.6.1; the list is that of Go's
/// `ReverseProxy`, and so Oathkeeper's).
pub const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
