//! The credential that a request with `--session` is given when it has none.

use edgekeeper_gateway::explanation::{Explanation, Step};
use edgekeeper_policy::authenticator::{Authenticator, TokenFrom};
use edgekeeper_policy::document::Policy;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// It stands for whatever the browser has: whoami answers the same to any.
const PLACEHOLDER: &str = "placeholder-of-edgekeeper-explain";

/// A credential, where a rule looks for it.
pub(super) enum Added {
    Cookie(String),
    Bearer(String),
    Header(HeaderName, String),
    QueryParameter(String, String),
}

/// What to add so that the rule that was found asks about a session; `None` where the request has a credential, or the rule does not
/// ask.
pub(super) fn missing(
    policy: &Policy,
    headers: &HeaderMap,
    url: &str,
    found: &Explanation,
) -> Option<Added> {
    let id = found.steps.iter().find_map(|step| match step {
        Step::Rule { id, .. } => Some(id),
        _ => None,
    })?;
    let rule = policy.rules.iter().find(|rule| rule.id == *id)?;
    let has_one = headers.contains_key(COOKIE)
        || headers.contains_key(AUTHORIZATION)
        || headers.contains_key("x-session-token");
    if has_one {
        return None;
    }
    let added = rule
        .authenticators
        .iter()
        .find_map(|authenticator| match authenticator {
            Authenticator::CookieSession(config) => {
                let names = if config.only.is_empty() {
                    &policy.session.cookies
                } else {
                    &config.only
                };
                names.first().cloned().map(Added::Cookie)
            }
            Authenticator::BearerToken(config) => {
                let token = format!("{}{PLACEHOLDER}", config.prefix);
                match &config.token_from {
                    TokenFrom::Bearer => Some(Added::Bearer(token)),
                    TokenFrom::Header(name) => HeaderName::from_bytes(name.as_bytes())
                        .ok()
                        .map(|name| Added::Header(name, token)),
                    TokenFrom::QueryParameter(name) => {
                        Some(Added::QueryParameter(name.clone(), token))
                    }
                    TokenFrom::Cookie(name) => Some(Added::Cookie(name.clone())),
                }
            }
            _ => None,
        })?;
    let is_there = match &added {
        Added::Header(name, _) => headers.contains_key(name),
        Added::QueryParameter(name, _) => url.contains(&format!("{name}=")),
        Added::Cookie(_) | Added::Bearer(_) => false,
    };
    (!is_there).then_some(added)
}

impl Added {
    /// Puts it into a request.
    pub(super) fn put(&self, headers: &mut HeaderMap, url: &mut String) {
        let (name, value) = match self {
            Self::Cookie(name) => (COOKIE, format!("{name}={PLACEHOLDER}")),
            Self::Bearer(token) => (AUTHORIZATION, format!("Bearer {token}")),
            Self::Header(name, token) => (name.clone(), token.clone()),
            Self::QueryParameter(name, token) => {
                let separator = if url.contains('?') { '&' } else { '?' };
                url.push_str(&format!("{separator}{name}={token}"));
                return;
            }
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }

    /// What is said of it.
    pub(super) fn step(&self) -> Step {
        let what = match self {
            Self::Cookie(name) => format!("`Cookie: {name}=***`"),
            Self::Bearer(_) => "`Authorization: Bearer ***`".to_owned(),
            Self::Header(name, _) => format!("`{name}: ***`"),
            Self::QueryParameter(name, _) => format!("`{name}=***` in the query"),
        };
        Step::Assumed {
            text: format!(
                "a session was given and no credential, so {what} was added: there the rule looks for one"
            ),
        }
    }
}
