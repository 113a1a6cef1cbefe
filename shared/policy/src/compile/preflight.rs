//! Preflights that a rule answers itself, and those that another rule answers.

use std::collections::BTreeSet;

use crate::authenticator::Authenticator;

use super::Placed;
use super::code::Code;
use super::node::{Node, Span};
use super::stage::Context;

/// The ids of rules of which another rule takes `OPTIONS`, for all their URLs: it has the same pattern, or one that goes on in
/// any way where theirs goes on.
pub(super) fn answered(rules: &[Placed]) -> BTreeSet<&str> {
    let takes = rules
        .iter()
        .map(|placed| &placed.rule)
        .filter(|rule| rule.methods.iter().any(|method| method == "OPTIONS"));
    let mut same = BTreeSet::new();
    let mut beginnings = BTreeSet::new();
    for rule in takes {
        let url = rule.url.source();
        same.insert(url);
        let beginning = ["<.*>", "<**>"]
            .iter()
            .find_map(|any| url.strip_suffix(any));
        beginnings.extend(beginning);
    }
    rules
        .iter()
        .filter(|placed| {
            let url = placed.rule.url.source();
            let begins = |end| {
                url.get(..end)
                    .is_some_and(|start| beginnings.contains(start))
            };
            same.contains(url) || (0..=url.len()).any(begins)
        })
        .map(|placed| placed.rule.id.as_str())
        .collect()
}

/// Tells of a rule that refuses preflights, and notes one that leaves them to others.
pub(super) fn tell(
    node: &Node,
    authenticators: &[Authenticator],
    methods: &[String],
    cx: &mut Context<'_>,
) {
    let is_session =
        |authenticator: &Authenticator| matches!(authenticator, Authenticator::CookieSession(_));
    let has_session = authenticators.iter().any(is_session);
    let has_cors = cx.config.cors.is_some() || cx.edge.cors.is_some();
    if has_cors {
        return;
    }
    let span = node
        .at(&["match", "methods"])
        .map_or(node.span, |methods| methods.span);
    if methods.iter().any(|method| method == "OPTIONS") {
        // Who lets in guests lets a preflight in, too.
        if authenticators.iter().any(|authenticator| {
            matches!(
                authenticator,
                Authenticator::Anonymous(_) | Authenticator::Noop
            )
        }) {
            return;
        }
        let token = authenticators
            .iter()
            .find_map(|authenticator| match authenticator {
                Authenticator::BearerToken(_) => Some("bearer_token"),
                Authenticator::Jwt(_) => Some("jwt"),
                Authenticator::OAuth2Introspection(_) => Some("oauth2_introspection"),
                Authenticator::OAuth2ClientCredentials(_) => Some("oauth2_client_credentials"),
                _ => None,
            });
        let (what, name) = match token {
            _ if has_session => ("a cookie", "cookie_session"),
            Some(name) => ("a token", name),
            None => return,
        };
        let span = options_span(node).unwrap_or(span);
        cx.report.warning(Code::PREFLIGHT_REFUSED,
            span,
            format!("a browser's preflight comes without {what}, so `{name}` answers it with 401"),
            "take `OPTIONS` out and put `cors` into `edge.yml`, or enable `serve.proxy.cors`: preflights are then answered without a rule",
        );
    } else if has_session
        && methods
            .iter()
            .any(|method| matches!(method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE"))
    {
        cx.without_preflight.push((node.text_at("id"), span));
    }
}

fn options_span(node: &Node) -> Option<Span> {
    node.at(&["match", "methods"])?
        .items()
        .iter()
        .find(|item| {
            item.text()
                .is_some_and(|text| text.eq_ignore_ascii_case("OPTIONS"))
        })
        .map(|item| item.span)
}
