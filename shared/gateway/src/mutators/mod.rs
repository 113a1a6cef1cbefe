//! What does the upstream get told? The handlers of a rule's `mutators`, one file each.

mod cookie;
mod header;
mod hydrated;
mod hydrator;
mod id_token;
mod kratos_token;

use edgekeeper_policy::mutator::Mutator;
use edgekeeper_template::Output;
use http::HeaderName;

use crate::Gateway;
use crate::authentication::Authentication;
use crate::explanation::{self, Step};
use crate::loaded::{LoadError, Loader};
use crate::passage::{Passage, Prepared};
use crate::refusal::Refusal;
use crate::runtime::Runtime;
use crate::trace::Trace;

/// A mutator with its templates parsed.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// There is nothing to parse.
    Plain,
    /// Headers and their templates.
    Header(Vec<(HeaderName, Prepared)>),
    /// Cookies and their templates.
    Cookie(Vec<(String, Prepared)>),
    /// The claims' template, if there is one.
    IdToken(Option<Prepared>),
}

/// Parses the templates of a rule's mutators.
pub(crate) fn load(loader: &Loader<'_>) -> Result<Vec<Loaded>, LoadError> {
    loader
        .rule
        .mutators
        .iter()
        .map(|mutator| match mutator {
            Mutator::Noop | Mutator::KratosToken | Mutator::Hydrator(_) | Mutator::Broken(_) => {
                Ok(Loaded::Plain)
            }
            Mutator::Header(config) => loader.mutator_headers(&config.headers).map(Loaded::Header),
            Mutator::Cookie(config) => cookie::load(loader, config).map(Loaded::Cookie),
            Mutator::IdToken(config) if config.claims.trim().is_empty() => {
                Ok(Loaded::IdToken(None))
            }
            Mutator::IdToken(config) => loader
                .claims(&config.claims)
                .map(|template| Loaded::IdToken(Some(template))),
        })
        .collect()
}

/// The session on its way through the mutators, each of which sees what those before it made.
pub(crate) struct Session {
    pub(crate) authentication: Authentication,
    /// The token, for templates after it.
    pub(crate) id_token: Option<String>,
}

impl Session {
    fn render(
        &self,
        passage: &Passage<'_>,
        template: &Prepared,
        output: Output,
    ) -> Result<String, Refusal> {
        passage.render(
            template,
            &self.authentication,
            self.id_token.as_deref(),
            output,
        )
    }
}

/// Runs a rule's mutators in order. What the upstream is to see is in the session's headers.
pub(crate) async fn mutate<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    loaded: &[Loaded],
    passage: &Passage<'_>,
    authentication: Authentication,
    trace: &mut Trace,
) -> Result<Authentication, Refusal> {
    let mut session = Session {
        authentication,
        id_token: None,
    };
    for (mutator, loaded) in passage.rule.mutators.iter().zip(loaded) {
        let before = runtime
            .is_explaining()
            .then(|| session.authentication.headers.clone());
        let made = match (mutator, loaded) {
            (Mutator::Broken(fault), _) => Err(Refusal::fault(fault)),
            (Mutator::Header(_), Loaded::Header(headers)) => {
                header::mutate(headers, passage, &mut session)
            }
            (Mutator::Cookie(_), Loaded::Cookie(cookies)) => {
                cookie::mutate(cookies, passage, &mut session)
            }
            (Mutator::IdToken(config), Loaded::IdToken(claims)) => {
                let claims = claims.as_ref();
                id_token::mutate(gateway, runtime, config, claims, passage, &mut session)
                    .await
                    .map(|kid| trace.key = Some(kid))
            }
            (Mutator::KratosToken, _) => {
                kratos_token::mutate(&mut session).map(|kid| trace.key = kid)
            }
            (Mutator::Hydrator(config), _) => {
                hydrator::mutate(gateway, runtime, config, passage, &mut session).await
            }
            _ => Ok(()),
        };
        runtime.explain(|| {
            Step::of_mutator(
                explanation::mutator(mutator),
                &before.unwrap_or_default(),
                &session.authentication.headers,
                made.as_ref().err().map(explanation::why),
            )
        });
        made?;
    }
    Ok(session.authentication)
}
