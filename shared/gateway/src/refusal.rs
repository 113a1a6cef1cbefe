//! A request that does not go through, and what an error handler may tell of it.

use edgekeeper_policy::error_handler::ErrorKind;
use edgekeeper_policy::fault::Fault;
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};

use crate::runtime::Unavailable;

/// What anybody may know of an error on this side (herodot's text).
pub(crate) const INTERNAL: &str =
    "An internal server error occurred, please contact the system administrator";

/// When to try again, where nobody said, in seconds.
pub(crate) const DEFAULT_RETRY_AFTER: &str = "5";

/// Why a request is refused, in Oathkeeper's terms.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What anybody may know.
    pub message: String,
    /// What only a verbose error handler tells.
    pub reason: Option<String>,
    /// One thing that it tells besides, by name.
    pub detail: Option<Box<(&'static str, String)>>,
    /// What only the log tells.
    pub log: Option<String>,
    /// Headers of the answer, such as `Retry-After`.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether login with a second factor would help (Kratos' `session_aal2_required`).
    pub aal_required: bool,
    /// Whether there is a session already, so that logging in would change nothing.
    pub has_session: bool,
}

impl Refusal {
    /// A refusal with Oathkeeper's wording and nothing else.
    #[must_use]
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            reason: None,
            detail: None,
            log: None,
            headers: Vec::new(),
            aal_required: false,
            has_session: false,
        }
    }

    /// Nobody proved who they are.
    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(401, "Access credentials are invalid")
    }

    /// They are known, and may not.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            403,
            "Access credentials are not sufficient to access this resource",
        )
    }

    /// No rule is for this request.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "Requested url does not match any rules")
    }

    /// More than one rule is for this request.
    #[must_use]
    pub fn many_rules(ids: &[&str]) -> Self {
        Self::new(500, "Expected exactly one rule but found multiple rules")
            .logged(format!("rules that match: {}", ids.join(", ")))
    }

    /// The rule is for decisions only.
    #[must_use]
    pub fn no_upstream() -> Self {
        Self::new(
            500,
            "Unable to forward the request because matched rule does not define an upstream URL",
        )
    }

    /// The request has no meaning, or more than one.
    #[must_use]
    pub fn bad_request(log: &str) -> Self {
        Self::new(
            400,
            "The request was malformed or contained invalid parameters",
        )
        .logged(log)
    }

    /// Something on this side is broken. The text is for the log: an end user never sees the inside.
    #[must_use]
    pub fn internal(log: impl Into<String>) -> Self {
        Self::new(500, INTERNAL).logged(log)
    }

    /// The rule has a handler that Oathkeeper could not run (strict mode).
    #[must_use]
    pub fn fault(fault: &Fault) -> Self {
        let mut refusal = Self::new(500, fault.message.clone()).logged(format!(
            "the rule is broken: {} {}",
            fault.message, fault.reason
        ));
        refusal.reason = (!fault.reason.is_empty()).then(|| fault.reason.clone());
        refusal
    }

    /// The signing keys are out of reach. Trying again may help, where Oathkeeper says 500 (strict mode).
    #[must_use]
    pub fn no_keys(error: &Unavailable, strict: bool) -> Self {
        if strict {
            return Self::internal(error.to_string());
        }
        Self::new(503, "The token could not be signed; please try again")
            .with_header(RETRY_AFTER, DEFAULT_RETRY_AFTER)
            .logged(error.to_string())
    }

    /// Adds what only the log tells.
    #[must_use]
    pub fn logged(mut self, log: impl Into<String>) -> Self {
        self.log = Some(log.into());
        self
    }

    /// Adds what only a verbose error handler tells.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a detail that only a verbose error handler tells.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.detail = Some(Box::new((name, value.into())));
        self
    }

    /// Adds a header; one whose value cannot be a header is left out.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Its kind for `when.error`. What has none counts as an internal error, 429 too, as in Oathkeeper.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.status {
            401 => ErrorKind::Unauthorized,
            403 => ErrorKind::Forbidden,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::InternalServerError,
        }
    }
}

/// The text of a status (RFC 9110 section 15).
#[must_use]
pub fn status_text(status: u16) -> &'static str {
    http::StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default()
}
