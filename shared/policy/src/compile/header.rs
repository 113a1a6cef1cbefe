//! Names and values of headers that a configuration sets.

use super::code::Code;
use crate::hop_by_hop::HOP_BY_HOP;

use super::node::Span;
use super::report::Report;

/// Request headers that every browser sends: a rule may set them, and clients still may, too.
const PLAIN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "origin",
    "pragma",
    "range",
    "referer",
    "user-agent",
];

/// Whether a byte may be part of a token (RFC 9110 section 5.6.2).
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Checks a header's name; it comes back in lower case.
pub(super) fn name(name: &str, span: Span, report: &mut Report) -> Option<String> {
    if name.is_empty() || !name.bytes().all(is_token) {
        report.error(
            Code::INVALID_HEADER,
            span,
            format!("`{name}` is not the name of a header"),
            "a name has letters, digits and `-`, and no space or colon, such as `X-User-Id`",
        );
        return None;
    }
    Some(name.to_ascii_lowercase())
}

/// Checks a header's value, which must fit on one line.
pub(super) fn value(value: &str, span: Span, report: &mut Report) {
    if value
        .bytes()
        .any(|byte| byte < b' ' && byte != b'\t' || byte == 0x7f)
    {
        report.error(
            Code::INVALID_HEADER,
            span,
            "a header's value has a line break or control character in it",
            "write it on one line",
        );
    }
}

/// Checks the name of a header that a mutator sets for the upstream.
pub(super) fn for_upstream(text: &str, span: Span, report: &mut Report) -> Option<String> {
    let name = name(text, span, report)?;
    if HOP_BY_HOP.contains(&name.as_str()) {
        report.error(
            Code::INVALID_HEADER,
            span,
            format!("`{text}` belongs to the connection and cannot be set by a rule"),
            "choose a header of your own, such as `X-User-Id`",
        );
        return None;
    }
    if name == "host" || name == "content-length" {
        report.warning(
            Code::NO_EFFECT,
            span,
            format!("setting `{text}` has no effect"),
            if name == "host" {
                "use `upstream.preserve_host`, or take it out"
            } else {
                "take it out"
            },
        );
    }
    Some(name)
}

/// Whether a header that a rule sets tells who the user is, so that no client may send it. In its canonical spelling.
pub(super) fn identity(name: &str) -> Option<String> {
    let canonical = name.replace('_', "-");
    (!PLAIN.contains(&canonical.as_str())).then_some(canonical)
}
