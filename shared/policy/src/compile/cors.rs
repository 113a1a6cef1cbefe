//! CORS, from `serve.proxy.cors` or from `edge.yml`.

use super::code::Code;
use crate::cors::{Cors, OriginPattern};

use super::node::{Node, Span};
use super::report::Report;
use super::{advice, suffix};

/// The methods Oathkeeper's schema allows in `allowed_methods`.
pub(super) const METHODS: &[&str] = &[
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "TRACE", "PATCH",
];

/// Reads a CORS table. Defaults are rs/cors', as Oathkeeper's schema names them.
pub(super) fn read(node: &Node, path: &str, report: &mut Report) -> Cors {
    let mut allowed_origins = Vec::new();
    for item in node.items_at("allowed_origins") {
        let Some(text) = item.text() else { continue };
        match OriginPattern::try_from(text.to_owned()) {
            Ok(origin) => {
                if let OriginPattern::Subdomains { suffix, .. } = &origin {
                    suffix::refuse(suffix, text, item.span, report);
                }
                allowed_origins.push(origin);
            }
            Err(message) => {
                let (message, help) = advice::split(
                    &message,
                    "write a scheme and a host, such as `https://app.example.com`",
                );
                report.error(Code::CORS_ORIGIN, item.span, message, help);
            }
        }
    }
    if node.get("allowed_origins").is_none() {
        allowed_origins.push(OriginPattern::Any);
    }
    let texts = |name: &str, default: &[&str]| match node.get(name) {
        Some(_) => node.texts_at(name),
        None => default.iter().map(|text| (*text).to_owned()).collect(),
    };
    let mut allow_credentials = node.flag_at("allow_credentials", false);
    if allow_credentials && allowed_origins.contains(&OriginPattern::Any) {
        allow_credentials = false;
        report.warning(Code::CORS_WILDCARD,
            wildcard_span(node),
            format!("`{path}` allows the origin `*` together with credentials, which no browser accepts; it is served without credentials"),
            "list the origins that may send cookies, such as `https://app.example.com`",
        );
    }
    Cors {
        allowed_origins,
        allowed_methods: texts(
            "allowed_methods",
            &["GET", "POST", "PUT", "PATCH", "DELETE"],
        )
        .iter()
        .map(|method| method.to_ascii_uppercase())
        .collect(),
        allowed_headers: texts("allowed_headers", &["Authorization", "Content-Type"])
            .iter()
            .map(|name| name.to_ascii_lowercase())
            .collect(),
        exposed_headers: texts("exposed_headers", &["Content-Type"]),
        allow_credentials,
        max_age: max_age(node, report),
    }
}

fn wildcard_span(node: &Node) -> Span {
    node.items_at("allowed_origins")
        .iter()
        .find(|item| item.text() == Some("*"))
        .map_or_else(|| node.key_span("allow_credentials"), |item| item.span)
}

fn max_age(node: &Node, report: &mut Report) -> u64 {
    let Some(item) = node.get("max_age") else {
        return 0;
    };
    let Some(seconds) = item.integer() else {
        return 0;
    };
    u64::try_from(seconds).unwrap_or_else(|_| {
        report.error(
            Code::CORS_MAX_AGE,
            item.span,
            format!("`max_age` cannot be `{seconds}`"),
            "write seconds, 0 for none",
        );
        0
    })
}
