//! `oauth2_introspection`.

use std::collections::BTreeMap;

use super::super::code::Code;
use crate::authenticator::{OAuth2Introspection, PreAuthorization, ScopeStrategy};
use crate::hop_by_hop::HOP_BY_HOP;

use super::super::header;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::upstream;
use super::{oauth2, scope_strategy, token_from};

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<OAuth2Introspection> {
    let endpoint = upstream::endpoint(
        config.get("introspection_url")?,
        "write where the authorization server introspects tokens, such as `http://hydra-admin:4445/admin/oauth2/introspect`",
        cx,
    );
    let pre_authorization = config
        .get("pre_authorization")
        .filter(|node| node.flag_at("enabled", false))
        .map(|node| pre_authorization(node, cx));
    let headers = headers(config, cx);
    let token_from = token_from::read(config, cx);
    let required_scope = config.texts_at("required_scope");
    let scope_strategy = scope_strategy::read(config);
    if scope_strategy == ScopeStrategy::None && !required_scope.is_empty() && !cx.strict {
        cx.report.warning(Code::SCOPE_NOT_COMPARED,
            config.key_span("required_scope"),
            "`required_scope` is sent to the introspection endpoint and not compared here; Hydra heeds it, RFC 7662 does not know it",
            "write `scope_strategy: exact`, `wildcard` or `hierarchic` beside it",
        );
    }
    oauth2::note_retry(config, cx);
    let cache_ttl = oauth2::cache_ttl(config, cx);
    Some(OAuth2Introspection {
        endpoint: endpoint?,
        pre_authorization: match pre_authorization {
            Some(read) => Some(read?),
            None => None,
        },
        required_scope,
        target_audience: config.texts_at("target_audience"),
        trusted_issuers: config.texts_at("trusted_issuers"),
        scope_strategy,
        token_from: token_from?,
        prefix: config.text_at("prefix"),
        preserve_host: config.flag_at("preserve_host", false),
        headers,
        cache_ttl,
    })
}

fn headers(config: &Node, cx: &mut Context<'_>) -> BTreeMap<String, String> {
    let mut headers = BTreeMap::new();
    let entries = config
        .get("introspection_request_headers")
        .map(Node::entries)
        .unwrap_or_default();
    for (key, value) in entries {
        let Some(name) = header::name(&key.name, key.span, cx.report) else {
            continue;
        };
        let Some(text) = value.text() else {
            cx.report.error(
                Code::WRONG_TYPE,
                value.span,
                format!("the value of the header `{}` is not a text", key.name),
                "put it in quotes",
            );
            continue;
        };
        header::value(text, value.span, cx.report);
        let unheeded = HOP_BY_HOP.contains(&name.as_str())
            || ["host", "content-length", "content-type"].contains(&name.as_str());
        if unheeded {
            cx.report.warning(
                Code::NO_EFFECT,
                key.span,
                format!("setting `{}` has no effect", key.name),
                "it belongs to the gateway's own connection; take it out",
            );
        } else {
            headers.insert(name, text.to_owned());
        }
    }
    headers
}

fn pre_authorization(node: &Node, cx: &mut Context<'_>) -> Option<PreAuthorization> {
    let missing: Vec<&str> = ["client_id", "client_secret", "token_url"]
        .into_iter()
        .filter(|name| node.get(name).is_none())
        .collect();
    for name in &missing {
        cx.report.error(Code::INCOMPLETE_CREDENTIALS,
            node.span,
            format!("`pre_authorization` has no `{name}`"),
            "a token for the introspection endpoint needs `client_id`, `client_secret` and `token_url`",
        );
    }
    let endpoint = upstream::endpoint(
        node.get("token_url")?,
        "write where the authorization server gives out tokens, such as `http://hydra-public:4444/oauth2/token`",
        cx,
    )?;
    if !missing.is_empty() {
        return None;
    }
    Some(PreAuthorization {
        endpoint,
        client_id: node.text_at("client_id"),
        client_secret: node.text_at("client_secret"),
        audience: node.text_at("audience"),
        scope: node.texts_at("scope"),
    })
}
