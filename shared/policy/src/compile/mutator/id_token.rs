//! `id_token`.

use super::super::code::Code;
use crate::endpoint::Endpoint;
use crate::keys::Source;
use crate::mutator::IdToken;

use super::super::duration::Duration;
use super::super::handler::{self, Stage};
use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};
use super::super::{injection, key_set, lifetime};

const HELP: &str = "write where the private keys are, such as `https://keys.internal/jwks.json` or `file:///etc/oathkeeper/jwks.json`";

/// What is wrong is in the report.
struct Incomplete;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<IdToken> {
    let claims = config
        .get("claims")
        .filter(|node| !node.text().unwrap_or_default().is_empty());
    if let Some(node) = claims {
        template::check("claims", node, Position::InToken, cx);
        injection::tell("claims", node, cx);
    }
    let jwks = jwks(config, cx).ok()?;
    let ttl = match config.get("ttl") {
        None => 15 * 60,
        Some(node) => {
            let duration = Duration::parse(node.text()?, false)?;
            match duration.whole_seconds() {
                Some(seconds) if jwks.is_none() && seconds > cx.edge.keys.rotation => {
                    cx.report.error(Code::TOKEN_TTL,
                        node.span,
                        format!("a token would live longer ({seconds} s) than the key that signs it ({} s)", cx.edge.keys.rotation),
                        "make `ttl` shorter, or `keys.rotation` in `edge.yml` longer",
                    );
                    return None;
                }
                Some(seconds) if seconds > 0 => {
                    if cx.thorough {
                        lifetime::token(node, seconds, cx.report);
                    }
                    seconds
                }
                _ => {
                    cx.report.error(
                        Code::TOKEN_TTL,
                        node.span,
                        "`ttl` is not a whole number of seconds above 0",
                        "the times in a token count seconds; write `15m`",
                    );
                    return None;
                }
            }
        }
    };
    Some(IdToken {
        jwks,
        issuer_url: config.text_at("issuer_url"),
        claims: claims.and_then(Node::text).unwrap_or_default().to_owned(),
        ttl,
    })
}

/// The key set that signs, where that is not the gateway's own. `Err` where there has to be one and is none.
fn jwks(config: &Node, cx: &mut Context<'_>) -> Result<Option<Endpoint>, Incomplete> {
    match (cx.edge.keys.source, config.get("jwks_url")) {
        (Source::Own, Some(node)) => {
            if !cx.told_jwks_url {
                cx.told_jwks_url = true;
                cx.report.hint(Code::JWKS_URL_UNUSED,
                    node.span,
                    "`jwks_url` is Oathkeeper's; here the signing keys are in the key-value store",
                    "make the first one with `edgekeeper keys new`, or write `keys: { source: jwks_url }` into `edge.yml`",
                );
            }
            Ok(None)
        }
        (Source::Own, None) => Ok(None),
        (Source::JwksUrl, Some(node)) => key_set::endpoint(node, HELP, cx)
            .map(Some)
            .ok_or(Incomplete),
        (Source::JwksUrl, None) => {
            cx.report.error(
                Code::MISSING_KEY,
                config.span,
                "the mutator `id_token` has no `jwks_url`",
                HELP,
            );
            Err(Incomplete)
        }
    }
}

/// Whose public halves Oathkeeper publishes besides those of the rules: its global configuration's.
pub(super) fn published(cx: &mut Context<'_>) -> Option<Endpoint> {
    if !cx.strict || cx.edge.keys.source == Source::Own {
        return None;
    }
    let node = handler::find(Stage::Mutator, "id_token")
        .and_then(|handler| cx.config.handler_config(handler))?
        .get("jwks_url")?;
    // What is wrong with it was told where its handler was read.
    let mark = cx.report.mark();
    let endpoint = key_set::endpoint(node, HELP, cx);
    cx.report.soften(mark);
    endpoint
}
