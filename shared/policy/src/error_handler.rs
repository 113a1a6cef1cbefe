//! Error handlers, configured.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// How a refusal is told: one entry of `errors.fallback` or of a rule's `errors`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorHandler {
    /// What it answers with.
    pub kind: ErrorHandlerKind,
    /// Alternatives, one of which must hold; empty: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub when: Vec<When>,
}

/// The answer of an error handler.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorHandlerKind {
    /// Ory's JSON error.
    Json {
        /// Tells the reason instead of the general message of the status.
        #[serde(default)]
        verbose: bool,
    },
    /// A redirect, to login as a rule.
    Redirect {
        /// The target. `%s` in it is replaced by the encoded return URL in default mode.
        to: String,
        /// 301 or 302.
        code: u16,
        /// The query parameter that takes the request's public URL; empty for none.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        return_to_query_param: String,
    },
    /// 401 with a challenge (RFC 7617).
    WwwAuthenticate {
        /// The realm the challenge names.
        realm: String,
    },
    /// Fails, before its `when` is looked at (strict mode).
    Broken(Fault),
}

/// One alternative of `when`: its parts must all hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// Kinds of error, one of which it must be; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub error: Vec<ErrorKind>,
    /// Media types of which the request's `Accept` must name one; empty: not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<String>,
    /// Media types of which the request's `Content-Type` must be one; empty: not looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub content_type: Vec<String>,
}

/// The kinds of error that Oathkeeper's schema knows in `when.error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 500, and whatever has no kind of its own (429 too, as in Oathkeeper).
    InternalServerError,
}
