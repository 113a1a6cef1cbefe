//! `authenticators` of a rule.

use std::collections::BTreeMap;

use crate::authenticator::{Anonymous, Authenticator, Bearer, CookieSession};
use crate::path::GjsonPath;

use super::header;
use super::node::Node;
use super::report::Report;
use super::stage::{Context, Use};
use super::upstream;

/// Configures an authenticator.
pub(super) fn read(used: &Use, cx: &mut Context<'_>) -> Option<Authenticator> {
    match used.handler.name {
        "noop" => Some(Authenticator::Noop),
        "unauthorized" => Some(Authenticator::Unauthorized),
        "anonymous" => {
            let subject = used.config.text_at("subject");
            let subject = if subject.is_empty() {
                "anonymous".to_owned()
            } else {
                subject
            };
            Some(Authenticator::Anonymous(Anonymous { subject }))
        }
        "cookie_session" => cookie_session(&used.config, cx)
            .map(|config| Authenticator::CookieSession(Box::new(config))),
        _ => None,
    }
}

fn cookie_session(config: &Node, cx: &mut Context<'_>) -> Option<CookieSession> {
    let extra_from = gjson(config, "extra_from", "extra", cx.report);
    let subject_from = gjson(config, "subject_from", "subject", cx.report);
    let forward_http_headers = config
        .items_at("forward_http_headers")
        .iter()
        .filter_map(|item| header::name(item.text()?, item.span, cx.report))
        .collect();
    let mut additional_headers = BTreeMap::new();
    for (key, value) in config
        .get("additional_headers")
        .map(Node::entries)
        .unwrap_or_default()
    {
        let (Some(name), Some(text)) = (header::name(&key.name, key.span, cx.report), value.text())
        else {
            continue;
        };
        header::value(text, value.span, cx.report);
        additional_headers.insert(name, text.to_owned());
    }
    let force_method = config.text_at("force_method").to_ascii_uppercase();
    if !force_method.bytes().all(header::is_token) {
        let span = config
            .get("force_method")
            .map_or(config.span, |node| node.span);
        cx.report.error(
            span,
            format!("`force_method` cannot be `{force_method}`"),
            "write a method such as `GET`",
        );
    }
    let node = config.get("check_session_url")?;
    let url = match upstream::absolute(node.text()?) {
        Ok(url) => url,
        Err(message) => {
            cx.report.error(
                node.span,
                message,
                "write where Kratos answers whoami, such as `http://kratos-public:4433/sessions/whoami`",
            );
            return None;
        }
    };
    let mapped = upstream::map(&url, &mut cx.edge.upstreams);
    Some(CookieSession {
        check_session_url: mapped.url,
        binding: mapped.binding,
        only: config.texts_at("only"),
        // Oathkeeper puts the request's path in place of whoami's unless told otherwise, which no Kratos answers.
        preserve_path: config.flag_at("preserve_path", !cx.strict),
        preserve_query: config.flag_at("preserve_query", true),
        preserve_host: config.flag_at("preserve_host", false),
        force_method,
        forward_http_headers,
        additional_headers,
        extra_from: extra_from?,
        subject_from: subject_from?,
        bearer: Bearer::SessionToken,
    })
}

fn gjson(config: &Node, name: &str, default: &str, report: &mut Report) -> Option<GjsonPath> {
    let text = config.text_at(name);
    let text = if text.is_empty() { default } else { &text };
    match GjsonPath::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            let span = config.get(name).map_or(config.span, |node| node.span);
            report.error(
                span,
                format!("`{name}` cannot be `{text}`: {error}"),
                "write a path into whoami's answer, such as `identity.id`, or `@this` for all of it",
            );
            None
        }
    }
}

/// Settles which bearer tokens go to Kratos: those that no later authenticator of the rule could take.
pub(super) fn settle_bearer(authenticators: &mut [Authenticator]) {
    let mut taken_later = false;
    for authenticator in authenticators.iter_mut().rev() {
        match authenticator {
            Authenticator::Anonymous(_) | Authenticator::Unauthorized => {}
            Authenticator::Noop => taken_later = true,
            Authenticator::CookieSession(config) => {
                config.bearer = if taken_later {
                    Bearer::SessionToken
                } else {
                    Bearer::Any
                };
                taken_later = true;
            }
        }
    }
}
