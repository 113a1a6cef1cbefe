//! Who is asking.

use std::borrow::Cow;
use std::rc::Rc;

use edgekeeper_policy::path::GjsonPath;
use edgekeeper_session::key::CacheKey;
use edgekeeper_session::whoami::ActiveSession;
use http::HeaderMap;
use serde_json::Value;

use crate::match_context::MatchContext;

/// What an authenticator found out (Oathkeeper's `AuthenticationSession`), and what handlers after it add.
#[derive(Debug, Clone, Default)]
pub struct Authentication {
    /// The subject; empty for `noop`.
    pub subject: String,
    /// `.Extra`.
    pub extra: Extra,
    /// The session of Kratos' behind it, when there is one.
    pub session: Option<Authenticated>,
    /// `.MatchContext`, where a hydrator put another in place of the request's (strict mode).
    pub match_context: Option<Rc<MatchContext>>,
    /// `.Header`: what the upstream gets to see instead of the client's headers.
    pub headers: HeaderMap,
}

/// A session that was asked about.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Whoami's answer.
    pub answer: Rc<ActiveSession>,
    /// The credential, hashed.
    pub credential: CacheKey,
    /// The question that it was the answer to, where the browser may carry that.
    pub carried: Option<CacheKey>,
}

/// `.Extra` of a session.
#[derive(Debug, Clone, Default)]
pub enum Extra {
    /// There is none.
    #[default]
    Nothing,
    /// Whoami's whole answer.
    Whole(Rc<ActiveSession>),
    /// An object of its own.
    Own(Value),
}

impl Authentication {
    /// A subject without a session.
    #[must_use]
    pub fn of(subject: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            ..Self::default()
        }
    }

    /// `.Extra`, if there is any.
    #[must_use]
    pub fn extra(&self) -> Option<&Value> {
        match &self.extra {
            Extra::Nothing => None,
            Extra::Whole(answer) => Some(&answer.document),
            Extra::Own(own) => Some(own),
        }
    }

    /// What is known of whoever asks: whoami's answer, else `.Extra`, such as a token's claims.
    #[must_use]
    pub fn document(&self) -> Option<&Value> {
        match &self.session {
            Some(session) => Some(&session.answer.document),
            None => self.extra(),
        }
    }

    /// A value of [`Self::document`].
    #[must_use]
    pub fn value(&self, path: &GjsonPath) -> Option<Cow<'_, Value>> {
        path.eval(self.document()?)
    }
}
