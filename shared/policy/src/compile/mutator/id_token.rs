//! `id_token`.

use crate::endpoint::Endpoint;
use crate::keys::Source;
use crate::mutator::IdToken;

use super::super::duration::Duration;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};
use super::super::upstream;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<IdToken> {
    let claims = config
        .get("claims")
        .filter(|node| !node.text().unwrap_or_default().is_empty());
    if let Some(node) = claims {
        template::check("claims", node, Position::BeforeToken, cx);
    }
    let jwks = config.get("jwks_url").and_then(|node| jwks(node, cx));
    let ttl = match config.get("ttl") {
        None => 15 * 60,
        Some(node) => {
            let duration = Duration::parse(node.text()?, false)?;
            match duration.whole_seconds() {
                Some(seconds) if seconds > cx.edge.keys.rotation => {
                    cx.report.error(
                        node.span,
                        format!("a token would live longer ({seconds} s) than the key that signs it ({} s)", cx.edge.keys.rotation),
                        "make `ttl` shorter, or `keys.rotation` in `edge.yml` longer",
                    );
                    return None;
                }
                Some(seconds) if seconds > 0 => seconds,
                _ => {
                    cx.report.error(
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

/// The key set that signs, where that is not the gateway's own.
fn jwks(node: &Node, cx: &mut Context<'_>) -> Option<Endpoint> {
    let url = node.text()?;
    match cx.edge.keys.source {
        Source::Own => {
            if !cx.told_jwks_url {
                cx.told_jwks_url = true;
                cx.report.note(
                    node.span,
                    "`jwks_url` is Oathkeeper's; here the signing keys are in the key-value store",
                    "make the first one with `edgekeeper keys new`, or write `keys: { source: jwks_url }` into `edge.yml`",
                );
            }
            None
        }
        // A file does not travel with the policy: `edgekeeper keys import` puts it into the store under this name.
        Source::JwksUrl if url.starts_with("file://") => Some(Endpoint {
            url: url.to_owned(),
            binding: None,
        }),
        Source::JwksUrl => upstream::endpoint(
            node,
            "write where the private keys are, such as `https://keys.internal/jwks.json` or `file:///etc/oathkeeper/jwks.json`",
            cx,
        ),
    }
}
