//! What does the upstream get told? The handlers of a rule's `mutators`, one file each.

mod header;
mod id_token;

use edgekeeper_policy::mutator::Mutator;
use edgekeeper_policy::rule::Rule;
use edgekeeper_template::{Missing, ParseError, Template};
use http::{HeaderMap, HeaderName};

use crate::Gateway;
use crate::authentication::Authentication;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::runtime::Runtime;
use crate::view::{IdTokenField, SessionView, canonical};

/// A mutator with its templates parsed.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// Nothing is told.
    Noop,
    /// Headers and their templates.
    Header(Vec<(HeaderName, Template)>),
    /// The claims' template, if there is one.
    IdToken(Option<Template>),
}

/// A template or header name that the gateway cannot use. `edgekeeper build` would have refused it.
#[derive(Debug)]
pub(crate) enum LoadError {
    Template(ParseError),
    HeaderName(String),
}

/// Parses a rule's templates, once per policy.
pub(crate) fn load(rule: &Rule) -> Result<Vec<Loaded>, LoadError> {
    rule.mutators
        .iter()
        .map(|mutator| match mutator {
            Mutator::Noop => Ok(Loaded::Noop),
            Mutator::Header(config) => config
                .headers
                .iter()
                .map(|(name, template)| {
                    let parsed = HeaderName::from_bytes(name.as_bytes())
                        .map_err(|_| LoadError::HeaderName(name.clone()))?;
                    let name = format!("{}:{}", rule.id, canonical(name));
                    let template = Template::parse(&name, template).map_err(LoadError::Template)?;
                    Ok((parsed, template))
                })
                .collect::<Result<_, _>>()
                .map(Loaded::Header),
            Mutator::IdToken(config) if config.claims.trim().is_empty() => {
                Ok(Loaded::IdToken(None))
            }
            Mutator::IdToken(config) => {
                Template::parse(&format!("{}:claims", rule.id), &config.claims)
                    .map(|template| Loaded::IdToken(Some(template)))
                    .map_err(LoadError::Template)
            }
        })
        .collect()
}

/// What the mutators of a rule made.
#[derive(Debug, Default)]
pub(crate) struct Mutated {
    /// Headers the upstream is to see instead of the client's.
    pub(crate) headers: HeaderMap,
    /// The token, for templates after it.
    pub(crate) id_token: Option<String>,
}

/// Everything a mutator may look at.
pub(crate) struct Subject<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) request: &'a Request,
    pub(crate) authentication: &'a Authentication,
    pub(crate) captures: &'a [String],
    pub(crate) strict: bool,
}

impl Subject<'_> {
    fn view<'v>(&'v self, mutated: &'v Mutated) -> SessionView<'v> {
        let id_token = match (&mutated.id_token, self.strict) {
            (_, true) => IdTokenField::Missing,
            (None, false) => IdTokenField::Empty,
            (Some(token), false) => IdTokenField::Token(token),
        };
        SessionView::new(
            self.authentication,
            self.request,
            self.captures,
            &mutated.headers,
            id_token,
        )
    }

    /// A template that cannot be rendered. Oathkeeper tells the client; by default only the log learns it.
    fn template_failed(&self, message: &str) -> Refusal {
        if self.strict {
            Refusal::new(500, message).logged(message)
        } else {
            Refusal::internal(message)
        }
    }

    /// A missing value is empty; in strict mode it is what Go makes of it.
    fn missing(&self) -> Missing {
        if self.strict {
            Missing::Go
        } else {
            Missing::Empty
        }
    }
}

/// Runs a rule's mutators in order.
pub(crate) async fn mutate<R: Runtime>(
    gateway: &Gateway,
    runtime: &R,
    loaded: &[Loaded],
    subject: &Subject<'_>,
) -> Result<Mutated, Refusal> {
    let mut mutated = Mutated::default();
    for (mutator, loaded) in subject.rule.mutators.iter().zip(loaded) {
        match (mutator, loaded) {
            (Mutator::Header(config), Loaded::Header(headers)) => {
                header::mutate(config, headers, subject, &mut mutated)?;
            }
            (Mutator::IdToken(config), Loaded::IdToken(claims)) => {
                id_token::mutate(
                    gateway,
                    runtime,
                    config,
                    claims.as_ref(),
                    subject,
                    &mut mutated,
                )
                .await?;
            }
            _ => {}
        }
    }
    Ok(mutated)
}
