//! `jwt`.

use super::super::code::Code;
use crate::authenticator::{ALGORITHMS, Jwt, ScopeStrategy};

use super::super::duration::Duration;
use super::super::handler::{self, Stage};
use super::super::key_set;
use super::super::name;
use super::super::node::Node;
use super::super::stage::Context;
use super::{scope_strategy, token_from};

/// `jwks_ttl` and `jwks_max_wait` where nobody says, in milliseconds.
const TTL: u64 = 30_000;
const MAX_WAIT: u64 = 1_000;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<Jwt> {
    let urls = config.items_at("jwks_urls");
    let jwks: Vec<_> = urls
        .iter()
        .map(|node| {
            key_set::endpoint(
                node,
                "write where the public keys are, such as `https://hydra.example.com/.well-known/jwks.json` or `file:///etc/oathkeeper/jwks.json`",
                cx,
            )
        })
        .collect();
    if urls.is_empty() {
        cx.refuse(Code::MISSING_KEY,
            config.key_span("jwks_urls"),
            "`jwks_urls` is empty, so no token can be checked",
            "write where the public keys are, such as `https://hydra.example.com/.well-known/jwks.json`",
        );
    }
    let jwks = jwks.into_iter().collect::<Option<Vec<_>>>();
    let token_from = token_from::read(config, cx);
    let required_scope = config.texts_at("required_scope");
    let scope_strategy = scope_strategy::read(config);
    if scope_strategy == ScopeStrategy::None && !required_scope.is_empty() {
        cx.refuse(
            Code::SCOPE_NOT_COMPARED,
            config.key_span("required_scope"),
            "`required_scope` needs a `scope_strategy`: without one every token is refused",
            "write `scope_strategy: exact`, `wildcard` or `hierarchic` beside it",
        );
    }
    let jwks_ttl = duration(config, "jwks_ttl", TTL, cx);
    let jwks_max_wait = duration(config, "jwks_max_wait", MAX_WAIT, cx);
    let allowed_algorithms = algorithms(config, cx);
    Some(Jwt {
        jwks: jwks?,
        jwks_ttl,
        jwks_max_wait,
        allowed_algorithms,
        required_scope,
        target_audience: config.texts_at("target_audience"),
        trusted_issuers: config.texts_at("trusted_issuers"),
        scope_strategy,
        token_from: token_from?,
    })
}

fn algorithms(config: &Node, cx: &mut Context<'_>) -> Vec<String> {
    let listed = config.items_at("allowed_algorithms");
    let is_published = |node: &Node| node.text().is_some_and(|url| !url.starts_with("file:"));
    let all_published = config.items_at("jwks_urls").iter().all(is_published);
    for node in listed {
        let Some(algorithm) = node.text() else {
            continue;
        };
        if algorithm == "none" {
            cx.refuse(
                Code::JWT_ALGORITHM,
                node.span,
                "`none` is no signature: a token with it is refused, listed or not",
                "take it out",
            );
        } else if !ALGORITHMS.contains(&algorithm) {
            cx.refuse(
                Code::JWT_ALGORITHM,
                node.span,
                format!("there is no algorithm `{algorithm}`"),
                format!(
                    "{}known are {}",
                    name::hint(algorithm, ALGORITHMS.into_iter()),
                    name::list(ALGORITHMS.into_iter(), ", ")
                ),
            );
        } else if algorithm == "EdDSA" && cx.strict {
            cx.report.warning(
                Code::JWT_ALGORITHM,
                node.span,
                "Oathkeeper refuses EdDSA, listed or not; so does this gateway in strict mode",
                "take it out",
            );
        } else if algorithm.starts_with("HS") && all_published && !cx.strict {
            cx.report.warning(Code::JWT_ALGORITHM,
                node.span,
                format!("no token with `{algorithm}` is accepted: whoever can fetch a symmetric key can sign with it, so those of a URL do not count"),
                "keep the secret in a file, name it as `file:///…` in `jwks_urls` and import it with `edgekeeper keys import`",
            );
        }
    }
    if listed.is_empty() {
        return vec!["RS256".to_owned()];
    }
    config.texts_at("allowed_algorithms")
}

/// A time in milliseconds. Oathkeeper takes it from the global configuration alone, and so does strict mode.
fn duration(config: &Node, name: &str, default: u64, cx: &mut Context<'_>) -> u64 {
    let global = handler::find(Stage::Authenticator, "jwt")
        .and_then(|handler| cx.config.handler_config(handler))
        .and_then(|config| config.get(name));
    let own = config.get(name);
    let node = if cx.strict { global } else { own };
    if cx.strict
        && let Some(own) = own
        && global.and_then(Node::text) != own.text()
    {
        cx.report.warning(
            Code::NO_EFFECT,
            own.span,
            format!("`{name}` of a rule has no effect"),
            "Oathkeeper takes it from `authenticators.jwt.config` alone",
        );
    }
    let Some(node) = node else {
        return default;
    };
    let text = node.text().unwrap_or_default();
    match Duration::parse(text, false) {
        Some(duration) => duration.milliseconds(),
        None => {
            cx.refuse(
                Code::DURATION,
                node.span,
                format!("`{name}` cannot be `{text}`"),
                "write a number and a unit, such as `500ms`, `30s` or `5m`",
            );
            default
        }
    }
}
