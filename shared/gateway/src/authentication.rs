//! Who is asking.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::path::GjsonPath;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::ActiveSession;

/// What an authenticator found out (Oathkeeper's `AuthenticationSession`).
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// The subject; empty for `noop`.
    pub subject: String,
    /// The session behind it, when there is one.
    pub session: Option<Authenticated>,
}

/// A session that was asked about.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Whoami's answer.
    pub answer: Rc<ActiveSession>,
    /// `extra_from`, evaluated; `None` when there is nothing there.
    pub extra: Option<Rc<serde_json::Value>>,
    /// The credential, hashed.
    pub credential: CacheKey,
}

impl Authenticated {
    /// A value of whoami's answer.
    #[must_use]
    pub fn value(&self, path: &GjsonPath) -> Option<serde_json::Value> {
        let document = serde_json::Value::Object(self.answer.document.clone());
        path.eval(&document).map(Cow::into_owned)
    }
}
