//! Who is asking.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::path::GjsonPath;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::ActiveSession;
use serde_json::Value;

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
    /// `extra_from`, evaluated.
    pub extra: Extra,
    /// The credential, hashed.
    pub credential: CacheKey,
}

/// `.Extra` of a session.
#[derive(Debug, Clone)]
pub enum Extra {
    /// There is nothing at `extra_from`.
    Nothing,
    /// Whoami's whole answer.
    Whole,
    /// A part of it.
    Part(Value),
}

impl Authenticated {
    /// `.Extra`, if there is any.
    #[must_use]
    pub fn extra(&self) -> Option<&Value> {
        match &self.extra {
            Extra::Nothing => None,
            Extra::Whole => Some(&self.answer.document),
            Extra::Part(part) => Some(part),
        }
    }

    /// A value of whoami's answer.
    #[must_use]
    pub fn value(&self, path: &GjsonPath) -> Option<Cow<'_, Value>> {
        path.eval(&self.answer.document)
    }
}
