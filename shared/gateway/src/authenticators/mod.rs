//! Who is asking? The handlers of a rule's `authenticators`, one file each.

mod anonymous;
mod bearer_token;
mod cookie_session;
mod jwt;
mod noop;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod session_check;
mod token;
mod token_endpoint;
mod unauthorized;

use std::rc::Rc;

use edgekeeper_policy::authenticator::Authenticator;
use edgekeeper_policy::rule::Rule;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::explanation::{self, Responsibility, Step};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::trace::Trace;

pub(crate) use cookie_session::credential;

/// Why an authenticator did not authenticate.
#[derive(Debug)]
pub(crate) enum Denied {
    /// It is not for this request; the next one is asked.
    NotResponsible,
    /// It is, and says no. Nobody else is asked: an expired session never becomes a guest.
    Refused(Box<Refusal>),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

/// Asks a rule's authenticators in order. The first that is responsible decides (Oathkeeper's `HandleRequest`).
pub(crate) async fn authenticate<R: Runtime>(
    gateway: &Rc<Gateway>,
    runtime: &R,
    rule: &Rule,
    request: &Request,
    trace: &mut Trace,
) -> Result<Authentication, Refusal> {
    for authenticator in &rule.authenticators {
        let (name, answer) = match authenticator {
            Authenticator::Noop => ("noop", Ok(noop::authenticate())),
            Authenticator::Unauthorized => ("unauthorized", Err(unauthorized::authenticate())),
            Authenticator::Anonymous(config) => {
                ("anonymous", anonymous::authenticate(config, request))
            }
            Authenticator::CookieSession(config) => (
                "cookie_session",
                cookie_session::authenticate(gateway, runtime, config, request, trace).await,
            ),
            Authenticator::Broken(fault) => ("broken", Err(Refusal::fault(fault).into())),
            Authenticator::BearerToken(config) => (
                "bearer_token",
                bearer_token::authenticate(gateway, runtime, config, request, trace).await,
            ),
            Authenticator::Jwt(config) => (
                "jwt",
                jwt::authenticate(gateway, runtime, config, request).await,
            ),
            Authenticator::OAuth2Introspection(config) => (
                "oauth2_introspection",
                oauth2_introspection::authenticate(gateway, runtime, config, request).await,
            ),
            Authenticator::OAuth2ClientCredentials(config) => (
                "oauth2_client_credentials",
                oauth2_client_credentials::authenticate(gateway, runtime, config, request).await,
            ),
        };
        runtime.explain(|| Step::Authenticator {
            handler: name.to_owned(),
            verdict: match &answer {
                Ok(authentication) => Responsibility::Responsible {
                    subject: authentication.subject.clone(),
                },
                Err(Denied::Refused(refusal)) => Responsibility::Refused {
                    reason: explanation::why(refusal),
                },
                Err(Denied::NotResponsible) => Responsibility::NotResponsible {
                    wants: explanation::wanted(authenticator, gateway.policy()),
                },
            },
        });
        match answer {
            Err(Denied::NotResponsible) => {}
            Ok(authentication) => {
                trace.authenticator = Some(name);
                return Ok(authentication);
            }
            Err(Denied::Refused(refusal)) => {
                trace.authenticator = Some(name);
                return Err(*refusal);
            }
        }
    }
    Err(Refusal::unauthorized()
        .logged("no authenticator of the rule is responsible for this request"))
}
