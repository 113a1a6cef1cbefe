//! `mutators` of a rule.

use crate::mutator::{Header, IdToken, Mutator};

use super::duration::Duration;
use super::header;
use super::node::Node;
use super::stage::{Context, Use};
use super::template::{self, Position};

/// Configures a mutator; `minted` tells whether a token is made before it in the rule.
pub(super) fn read(used: &Use, minted: bool, cx: &mut Context<'_>) -> Option<Mutator> {
    match used.handler.name {
        "noop" => Some(Mutator::Noop),
        "header" => Some(Mutator::Header(headers(&used.config, minted, cx))),
        "id_token" => id_token(&used.config, cx).map(Mutator::IdToken),
        _ => None,
    }
}

fn headers(config: &Node, minted: bool, cx: &mut Context<'_>) -> Header {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, node) in config.get("headers").map(Node::entries).unwrap_or_default() {
        let (Some(name), Some(text)) = (
            header::for_upstream(&key.name, key.span, cx.report),
            node.text(),
        ) else {
            continue;
        };
        // `-}}` takes the white space behind it away.
        if text.ends_with('\n') && !text.trim_end().ends_with("-}}") {
            cx.report.error(
                node.span,
                format!(
                    "the value of `{}` ends with a line break, which no header can have",
                    key.name
                ),
                "write `|-` instead of `|`, or put the value on one line in quotes",
            );
        }
        let position = if minted {
            Position::AfterToken
        } else {
            Position::BeforeToken
        };
        let paths = template::check(&key.name, node, position, cx);
        let reads_token = paths
            .iter()
            .any(|path| path.first().is_some_and(|root| root == "IDToken"));
        if minted && name == "authorization" && reads_token && !cx.strict {
            cx.report.note(
                key.span,
                "`id_token` has already put the token into `Authorization`; this says the same again",
                "take this header out; then the rule works in Oathkeeper too, which has no `.IDToken`",
            );
        }
        if headers.iter().any(|(known, _)| *known == name) {
            cx.report.error(
                key.span,
                format!("`{}` is set twice", key.name),
                "case makes no difference in names of headers; take one of them out",
            );
        }
        headers.push((name, text.to_owned()));
    }
    Header { headers }
}

fn id_token(config: &Node, cx: &mut Context<'_>) -> Option<IdToken> {
    let claims = config
        .get("claims")
        .filter(|node| !node.text().unwrap_or_default().is_empty());
    if let Some(node) = claims {
        template::check("claims", node, Position::BeforeToken, cx);
    }
    if let Some(node) = config.get("jwks_url")
        && !cx.told_jwks_url
    {
        cx.told_jwks_url = true;
        cx.report.note(
            node.span,
            "`jwks_url` is Oathkeeper's; here the signing keys are in the key-value store",
            "make the first one with `edgekeeper keys new`",
        );
    }
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
        issuer_url: config.text_at("issuer_url"),
        claims: claims.and_then(Node::text).unwrap_or_default().to_owned(),
        ttl,
    })
}
