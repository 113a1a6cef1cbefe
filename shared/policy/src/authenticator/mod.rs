//! Authenticators of a rule, configured: one file each.

mod bearer_token;
mod cookie_session;
mod jwt;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod scope;
mod session_check;
mod token_from;

use serde::{Deserialize, Serialize};

use crate::endpoint::Endpoint;
use crate::fault::Fault;

pub use bearer_token::BearerToken;
pub use cookie_session::{Bearer, CookieSession};
pub use jwt::{ALGORITHMS, Jwt};
pub use oauth2_client_credentials::OAuth2ClientCredentials;
pub use oauth2_introspection::{OAuth2Introspection, PreAuthorization};
pub use scope::ScopeStrategy;
pub use session_check::SessionCheck;
pub use token_from::TokenFrom;

/// Who is asking? One entry of a rule's `authenticators`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authenticator {
    /// Lets everybody through with an empty subject.
    Noop,
    /// Lets nobody through.
    Unauthorized,
    /// Lets a request without `Authorization` through under a fixed subject.
    Anonymous(Anonymous),
    /// Asks Kratos' whoami about a session.
    CookieSession(Box<CookieSession>),
    /// Asks a session check about a token.
    BearerToken(Box<BearerToken>),
    /// Verifies a signed token with published keys.
    Jwt(Box<Jwt>),
    /// Asks an authorization server about a token (RFC 7662).
    #[serde(rename = "oauth2_introspection")]
    OAuth2Introspection(Box<OAuth2Introspection>),
    /// Checks a client's id and secret by asking for a token with them (RFC 6749 section 4.4).
    #[serde(rename = "oauth2_client_credentials")]
    OAuth2ClientCredentials(Box<OAuth2ClientCredentials>),
    /// Fails (strict mode).
    Broken(Fault),
}

impl Authenticator {
    /// Where it asks about a session, if it does.
    #[must_use]
    pub fn session_check(&self) -> Option<&Endpoint> {
        match self {
            Self::CookieSession(config) => Some(&config.check.endpoint),
            Self::BearerToken(config) => Some(&config.check.endpoint),
            _ => None,
        }
    }
}

/// `anonymous`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anonymous {
    /// The subject of a guest; never empty.
    pub subject: String,
}
