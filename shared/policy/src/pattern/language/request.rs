//! What URL patterns are matched against: the URLs of requests after the gateway has read them, as expressions.
//!
//! The gateway's `request` and `path` say the same in code; a test of the gateway would not see this, so each part here is
//! tested on what they accept and refuse.

use super::super::ast::{Groups, Node};
use super::super::regex::Parser;

/// Which URLs are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Urls {
    /// As strict mode reads requests: hosts as they were sent, no path at all, control characters.
    pub(crate) strict: bool,
    /// Paths without `?`, `#` and what looks like an escape, which are there only percent-encoded.
    pub(crate) plain: bool,
    /// Paths with any escapes as well, as if they were not decoded.
    pub(crate) any_escapes: bool,
    /// Hosts in any case as well.
    pub(crate) any_case: bool,
    /// Paths with empty segments and slashes at their end as well.
    pub(crate) any_slashes: bool,
    /// Paths with dot segments as well.
    pub(crate) any_dots: bool,
    /// Anything that begins with a query or fragment as well.
    pub(crate) query: bool,
    /// Default ports, and numbers that no port has, as well.
    pub(crate) any_port: bool,
    /// Any text.
    pub(crate) anything: bool,
}

/// A dot and what some servers take for one.
const DOT: &str = r"(?:[.\uff0e\u2024\u3002\uff61\ufe52]|%2[eE])";

/// A number that a port can have, as it is written.
const PORT: &str =
    r"(?:0|[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

impl Urls {
    pub(super) fn node(self) -> Node {
        // The expression is ours, and a test reads each of its forms.
        Parser::new(&self.expression(), 0, false, &mut Groups::default())
            .parse()
            .unwrap_or(Node::Empty)
    }

    fn expression(self) -> String {
        if self.anything {
            return "(?s:.*)".to_owned();
        }
        let loose = self.strict || self.any_case;
        let letter = if loose { "[A-Za-z0-9_-]" } else { "[a-z0-9_-]" };
        let hex = if loose { "[A-Fa-f0-9:.]" } else { "[a-f0-9:.]" };
        // Strict mode compares the host as it was sent, with the dots and the port that it was sent with.
        let dot = if self.strict { r"\.?" } else { "" };
        let host = format!(r"{dot}(?:{letter}+(?:\.{letter}+)*|\[(?={hex}*:){hex}+\]){dot}");
        let path = self.path();
        if self.strict || self.any_port {
            return format!("https?://{host}(?::[0-9]{{0,5}})?{path}");
        }
        format!("(?:http://{host}(?::(?!80/){PORT})?|https://{host}(?::(?!80/|443/){PORT})?){path}")
    }

    fn path(self) -> String {
        let marks = if self.plain { "?#" } else { "" };
        let escape = match (self.any_escapes, self.plain, self.strict) {
            (true, _, _) | (_, false, true) => "%",
            (_, true, _) => "%(?![0-9A-Fa-f]{2})",
            (_, false, false) => "%(?!2[eEfF5]|5[cC]|00|3[bB])",
        };
        let plain = if self.strict {
            format!(r"[^/\\\0%{marks}]|{escape}|\\(?!{DOT}{{1,2}}(?:[;/\\]|$))")
        } else {
            format!(r"[^/%{marks}\x00-\x1f\x7f-\x9f\\\uff0f\uff3c\u2215\u2044]|{escape}")
        };
        let dots = match (self.any_dots, self.strict) {
            (true, _) => String::new(),
            (false, true) => format!(r"(?!{DOT}{{1,2}}(?:[;/\\]|$))"),
            (false, false) => format!("(?!{DOT}{{1,2}}(?:[;/]|$))"),
        };
        let segment = format!("{dots}(?:{plain})");
        let path = if self.any_slashes {
            format!("(?:/(?:{segment}(?:{plain})*)?)+")
        } else {
            format!("(?:/|(?:/{segment}(?:{plain})*)+)")
        };
        let path = if self.strict {
            format!("(?:{path})?")
        } else {
            path
        };
        let query = if self.query {
            r"(?:/?[?#](?s:.*))?"
        } else {
            ""
        };
        format!("{path}{query}")
    }
}
