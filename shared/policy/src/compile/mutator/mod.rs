//! `mutators` of a rule: one file each.

mod cookie;
mod header;
mod hydrator;
mod id_token;

use crate::endpoint::Endpoint;
use crate::keys::Source;
use crate::mutator::Mutator;

use super::handler::Handler;
use super::stage::{Context, Use};
use super::template::Position;

/// Configures a mutator; `minted` tells whether a token is made before it in the rule.
pub(super) fn read(used: &Use, minted: bool, cx: &mut Context<'_>) -> Option<Mutator> {
    let config = &used.config;
    let position = if minted {
        Position::AfterToken
    } else {
        Position::BeforeToken
    };
    match used.handler.name {
        "noop" => Some(Mutator::Noop),
        "header" => Some(Mutator::Header(header::read(config, position, cx))),
        "cookie" => cookie::read(config, position, cx).map(Mutator::Cookie),
        "id_token" => id_token::read(config, cx).map(Mutator::IdToken),
        "hydrator" => {
            hydrator::read(config, cx).map(|hydrator| Mutator::Hydrator(Box::new(hydrator)))
        }
        _ => None,
    }
}

/// The keys of a mutator's configuration that it needs besides [`Handler::required`]: a rule may have them, if the global
/// configuration does not.
pub(super) fn required(handler: &Handler, source: Source) -> &'static [&'static str] {
    match (handler.name, source) {
        ("id_token", Source::JwksUrl) => &["jwks_url"],
        _ => &[],
    }
}

/// Whose public halves are published besides those that rules sign with.
pub(super) fn published(cx: &mut Context<'_>) -> Option<Endpoint> {
    id_token::published(cx)
}
