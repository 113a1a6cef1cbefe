//! One access rule, compiled.

use serde::{Deserialize, Serialize};

use crate::authenticator::Authenticator;
use crate::authorizer::Authorizer;
use crate::endpoint::Endpoint;
use crate::error_handler::{ErrorHandler, ErrorHandlerKind};
use crate::mutator::{IdToken, Mutator};
use crate::pattern::Pattern;

/// An access rule: which requests it is for, and what becomes of them (Oathkeeper's rule object).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Unique in the policy; named in logs, never shown to an end user.
    pub id: String,
    /// `match.methods`, upper case.
    pub methods: Vec<String>,
    /// `match.url`, compiled.
    pub url: Pattern,
    /// Tried in order; the first that is responsible decides.
    pub authenticators: Vec<Authenticator>,
    /// All must allow. Oathkeeper has one; `edge.yml` may add an allowlist.
    pub authorizers: Vec<Authorizer>,
    /// Run in order.
    pub mutators: Vec<Mutator>,
    /// Error handlers of this rule; when none of them fits, the policy's fallback.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorHandler>,
    /// Where the request goes. A rule without one serves decisions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Upstream>,
    /// The rule as it was written, as `/rules` shows it: Oathkeeper's JSON. `None` where it is not to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// `upstream` of a rule, after `upstreams` of `edge.yml` was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Scheme, authority and base path. Oathkeeper ignores a query or fragment here, so there is none.
    pub url: String,
    /// Taken out of the path before it is sent on.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub strip_path: String,
    /// Sends the client's `Host` on instead of the upstream's own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preserve_host: bool,
    /// The name of a runtime binding that takes the request instead of the network (Workers service bindings).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub binding: Option<String>,
}

impl Rule {
    /// Whether Oathkeeper could run all of its handlers; `edgekeeper build` lets others through in strict mode alone.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        let is_broken =
            |authenticator: &Authenticator| matches!(authenticator, Authenticator::Broken(_));
        !(self.authenticators.iter().any(is_broken)
            || self
                .authorizers
                .iter()
                .any(|authorizer| matches!(authorizer, Authorizer::Broken(_)))
            || self
                .mutators
                .iter()
                .any(|mutator| matches!(mutator, Mutator::Broken(_)))
            || self
                .errors
                .iter()
                .any(|handler| matches!(handler.kind, ErrorHandlerKind::Broken(_))))
    }

    /// The services this rule asks, its upstream aside.
    #[must_use]
    pub fn endpoints(&self) -> Vec<&Endpoint> {
        let mut endpoints = Vec::new();
        for authenticator in &self.authenticators {
            match authenticator {
                Authenticator::Noop
                | Authenticator::Unauthorized
                | Authenticator::Anonymous(_)
                | Authenticator::Broken(_) => {}
                Authenticator::CookieSession(config) => endpoints.push(&config.check.endpoint),
                Authenticator::BearerToken(config) => endpoints.push(&config.check.endpoint),
                Authenticator::Jwt(config) => {
                    endpoints.extend(config.jwks.iter().filter(|jwks| !jwks.is_file()));
                }
                Authenticator::OAuth2Introspection(config) => {
                    endpoints.push(&config.endpoint);
                    endpoints.extend(config.pre_authorization.iter().map(|own| &own.endpoint));
                }
                Authenticator::OAuth2ClientCredentials(config) => endpoints.push(&config.endpoint),
            }
        }
        for authorizer in &self.authorizers {
            match authorizer {
                Authorizer::Allow
                | Authorizer::Deny
                | Authorizer::Allowlist(_)
                | Authorizer::Broken(_) => {}
                Authorizer::Remote(config) => endpoints.push(&config.endpoint),
                Authorizer::RemoteJson(config) => endpoints.push(&config.endpoint),
                Authorizer::KetoEngineAcpOry(config) => endpoints.push(&config.endpoint),
                Authorizer::Keto(config) => endpoints.push(&config.endpoint),
            }
        }
        for mutator in &self.mutators {
            match mutator {
                Mutator::Noop
                | Mutator::Header(_)
                | Mutator::Cookie(_)
                | Mutator::KratosToken
                | Mutator::Broken(_) => {}
                Mutator::IdToken(config) => {
                    endpoints.extend(config.jwks.iter().filter(|jwks| !jwks.is_file()));
                }
                Mutator::Hydrator(config) => endpoints.push(&config.endpoint),
            }
        }
        endpoints
    }

    /// How this rule mints tokens.
    pub fn id_tokens(&self) -> impl Iterator<Item = &IdToken> {
        self.mutators.iter().filter_map(|mutator| match mutator {
            Mutator::IdToken(id_token) => Some(id_token),
            _ => None,
        })
    }
}
