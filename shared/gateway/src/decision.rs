//! What becomes of a request: an answer, or a diff to apply before it goes on.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::errors;
use crate::request::Request;
use crate::trace::Trace;

/// What an adapter is to do.
#[derive(Debug)]
pub enum Decision {
    /// Answer at once.
    Answer(Answer),
    /// Send the request on.
    Forward(Box<Forward>),
}

/// An answer of the gateway's own.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers, in order; a name may come twice.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Its body; see [`Self::body_for`].
    pub body: String,
}

impl Answer {
    /// The body to send to a request of this method: an answer to `HEAD` has none (RFC 9110 section 9.3.2).
    #[must_use]
    pub fn body_for(&self, method: &str) -> &str {
        if method == "HEAD" { "" } else { &self.body }
    }

    /// What an adapter answers that has no gateway to ask, because the policy cannot be loaded. Why stands in the log.
    #[must_use]
    pub fn unavailable() -> Self {
        errors::json_answer(503, "The gateway is not ready", None, None)
    }
}

/// How to send a request on: the runtime's own request, with these changes. The body is not touched.
#[derive(Debug)]
pub struct Forward {
    /// Where to.
    pub url: String,
    /// A binding of the runtime that takes it instead of the network. It is given the URL with the client's
    /// host when `host` says so.
    pub binding: Option<String>,
    /// The `Host` the upstream is to see, where the rule preserves the client's.
    pub host: Option<String>,
    /// Changes to the request's headers, in order.
    pub edits: Vec<Edit>,
    /// The request's body, where a handler has read it; it is sent in place of the body that is gone.
    pub body: Option<Vec<u8>>,
    /// What [`crate::Gateway::finish`] needs to know once the upstream has answered.
    pub(crate) context: ResponseContext,
}

impl Forward {
    /// Whether the answer depends on a session, so that no shared cache may hold it. Strict mode leaves that to the
    /// upstream, as Oathkeeper does.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.context.private
    }
}

/// One change to a list of headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Removes all of that name.
    Remove(HeaderName),
    /// Replaces all of that name by one.
    Set(HeaderName, HeaderValue),
    /// Adds one.
    Append(HeaderName, HeaderValue),
}

/// Applies changes, in order. An adapter whose runtime has headers of its own does the same to those.
pub fn apply(headers: &mut HeaderMap, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Remove(name) => {
                headers.remove(name);
            }
            Edit::Set(name, value) => {
                headers.insert(name, value.clone());
            }
            Edit::Append(name, value) => {
                headers.append(name, value.clone());
            }
        }
    }
}

/// What is remembered of a request until its upstream has answered.
#[derive(Debug)]
pub(crate) struct ResponseContext {
    /// Headers of the gateway's own for the answer: CORS, `Server-Timing`.
    pub(crate) own: Vec<Edit>,
    /// What the browser is given to carry, unless the answer changes the session.
    pub(crate) carried: Option<Edit>,
    /// Whether the answer depends on a session and the gateway keeps it from shared caches.
    pub(crate) private: bool,
    /// Whether the gateway asked the upstream to compress, and so takes the compression off.
    pub(crate) asked_for_gzip: bool,
    /// The request, as it was judged.
    pub(crate) request: Request,
    /// The decision so far.
    pub(crate) trace: Trace,
}
