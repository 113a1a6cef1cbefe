//! May they? The handlers of a rule's `authorizer`, one file each.

mod allow;
mod allowlist;
mod deny;
mod keto;
mod keto_engine_acp_ory;
mod remote;
mod remote_json;
mod service;

use edgekeeper_policy::authorizer::Authorizer;
use http::HeaderName;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::body::Body;
use crate::explanation::{self, Allowance, Step};
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::{RequestBody, Runtime};

/// An authorizer with its templates parsed.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// There is nothing to parse.
    Plain,
    /// Headers of `remote`.
    Remote(Vec<(HeaderName, Prepared)>),
    /// Headers and payload of `remote_json`.
    RemoteJson(Vec<(HeaderName, Prepared)>, Prepared),
    /// Action, resource and subject of `keto_engine_acp_ory`.
    KetoEngineAcpOry(Box<keto_engine_acp_ory::Templates>),
    /// The relation of `keto`.
    Keto(Box<keto::Templates>),
}

/// Parses the templates of a rule's authorizers.
pub(crate) fn load(loader: &Loader<'_>) -> Result<Vec<Loaded>, LoadError> {
    loader
        .rule
        .authorizers
        .iter()
        .map(|authorizer| {
            Ok(match authorizer {
                Authorizer::Allow
                | Authorizer::Deny
                | Authorizer::Allowlist(_)
                | Authorizer::Broken(_) => Loaded::Plain,
                Authorizer::Remote(config) => Loaded::Remote(loader.headers(&config.headers)?),
                Authorizer::RemoteJson(config) => Loaded::RemoteJson(
                    loader.headers(&config.headers)?,
                    remote_json::payload(loader, config)?,
                ),
                Authorizer::KetoEngineAcpOry(config) => Loaded::KetoEngineAcpOry(Box::new(
                    keto_engine_acp_ory::Templates::load(loader, config)?,
                )),
                Authorizer::Keto(config) => {
                    Loaded::Keto(Box::new(keto::Templates::load(loader, config)?))
                }
            })
        })
        .collect()
}

/// Asks every authorizer of a rule; all must allow. It is asked anew for each request, also when the
/// session was remembered: two rules can think differently of one person.
pub(crate) async fn authorize<R: Runtime, B: RequestBody>(
    gateway: &Gateway,
    runtime: &R,
    loaded: &[Loaded],
    passage: &Passage<'_>,
    body: &Body<B>,
    authentication: &mut Authentication,
) -> Result<(), Refusal> {
    for (authorizer, loaded) in passage.rule.authorizers.iter().zip(loaded) {
        let answer = match (authorizer, loaded) {
            (Authorizer::Allow, _) => allow::authorize(),
            (Authorizer::Deny, _) => deny::authorize(),
            (Authorizer::Broken(fault), _) => Err(Refusal::fault(fault)),
            (Authorizer::Allowlist(config), _) => allowlist::authorize(config, authentication),
            (Authorizer::Remote(config), Loaded::Remote(headers)) => {
                remote::authorize(
                    gateway,
                    runtime,
                    config,
                    headers,
                    passage,
                    body,
                    authentication,
                )
                .await
            }
            (Authorizer::RemoteJson(config), Loaded::RemoteJson(headers, payload)) => {
                let templates = (headers.as_slice(), payload);
                remote_json::authorize(gateway, runtime, config, templates, passage, authentication)
                    .await
            }
            (Authorizer::KetoEngineAcpOry(config), Loaded::KetoEngineAcpOry(templates)) => {
                keto_engine_acp_ory::authorize(
                    gateway,
                    runtime,
                    config,
                    templates,
                    passage,
                    authentication,
                )
                .await
            }
            (Authorizer::Keto(config), Loaded::Keto(templates)) => {
                keto::authorize(gateway, runtime, config, templates, passage, authentication).await
            }
            _ => Err(Refusal::internal("an authorizer is loaded as another one")),
        };
        runtime.explain(|| Step::Authorizer {
            handler: explanation::authorizer(authorizer).to_owned(),
            verdict: match &answer {
                Ok(()) => Allowance::Allowed,
                Err(refusal) => Allowance::Refused {
                    reason: explanation::why(refusal),
                },
            },
        });
        answer?;
    }
    Ok(())
}
