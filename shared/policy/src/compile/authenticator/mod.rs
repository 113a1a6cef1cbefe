//! `authenticators` of a rule: one file each.

mod bearer_token;
mod cookie_session;
mod jwt;
mod oauth2;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod scope_strategy;
mod session_check;
mod token_from;

use crate::authenticator::{Anonymous, Authenticator, Bearer};

use super::stage::{Context, Use};

/// Configures an authenticator.
pub(super) fn read(used: &Use, cx: &mut Context<'_>) -> Option<Authenticator> {
    let config = &used.config;
    match used.handler.name {
        "noop" => Some(Authenticator::Noop),
        "unauthorized" => Some(Authenticator::Unauthorized),
        "anonymous" => {
            let subject = config.text_at("subject");
            let subject = if subject.is_empty() {
                "anonymous".to_owned()
            } else {
                subject
            };
            Some(Authenticator::Anonymous(Anonymous { subject }))
        }
        "cookie_session" => cookie_session::read(config, cx)
            .map(|config| Authenticator::CookieSession(Box::new(config))),
        "bearer_token" => bearer_token::read(config, cx)
            .map(|config| Authenticator::BearerToken(Box::new(config))),
        "jwt" => jwt::read(config, cx).map(|config| Authenticator::Jwt(Box::new(config))),
        "oauth2_introspection" => oauth2_introspection::read(config, cx)
            .map(|config| Authenticator::OAuth2Introspection(Box::new(config))),
        "oauth2_client_credentials" => oauth2_client_credentials::read(config, cx)
            .map(|config| Authenticator::OAuth2ClientCredentials(Box::new(config))),
        _ => None,
    }
}

/// Settles which bearer tokens go to Kratos: those that no later authenticator of the rule could take.
pub(super) fn settle_bearer(authenticators: &mut [Authenticator]) {
    let mut taken_later = false;
    for authenticator in authenticators.iter_mut().rev() {
        match authenticator {
            Authenticator::Anonymous(_)
            | Authenticator::Unauthorized
            | Authenticator::OAuth2ClientCredentials(_)
            | Authenticator::Broken(_) => {}
            Authenticator::Noop
            | Authenticator::BearerToken(_)
            | Authenticator::Jwt(_)
            | Authenticator::OAuth2Introspection(_) => taken_later = true,
            Authenticator::CookieSession(config) => {
                config.bearer = if taken_later {
                    Bearer::SessionToken
                } else {
                    Bearer::Any
                };
                taken_later = true;
            }
        }
    }
}
