//! `upstreams`: other ways to the origins that rules and `check_session_url` name.

use std::collections::BTreeMap;

use super::super::code::Code;
use super::super::node::{Node, Span, Value};
use super::super::report::Report;
use super::super::shape::{self, Shape};
use super::super::upstream::{self, Target};

/// An entry of `upstreams` that is more than a URL.
pub(in super::super) const TARGET: Shape =
    Shape::Keys(&[("url", &Shape::Text), ("binding", &Shape::Text)]);

/// One entry of `upstreams`.
#[derive(Debug)]
pub(in super::super) struct Upstream {
    pub(in super::super) target: Target,
    pub(in super::super) span: Span,
    pub(in super::super) used: bool,
}

pub(super) fn read(root: &Node, report: &mut Report) -> BTreeMap<String, Upstream> {
    let mut upstreams = BTreeMap::new();
    for (key, node) in root.get("upstreams").map(Node::entries).unwrap_or_default() {
        let origin = match upstream::origin(&key.name) {
            Ok(origin) => origin,
            Err(message) => {
                report.error(Code::UPSTREAM_MAPPING,
                    key.span,
                    message,
                    "a key of `upstreams` is an origin as the rules name it, such as `http://web-svc` or `http://kratos-public:4433`",
                );
                continue;
            }
        };
        let Some(target) = target(&key.name, node, report) else {
            continue;
        };
        let entry = Upstream {
            target,
            span: key.span,
            used: false,
        };
        if upstreams.insert(origin, entry).is_some() {
            report.error(
                Code::UPSTREAM_MAPPING,
                key.span,
                format!("`{}` is the same origin as a key above", key.name),
                "take one of them out",
            );
        }
    }
    upstreams
}

fn target(key: &str, node: &Node, report: &mut Report) -> Option<Target> {
    let path = format!("upstreams.{key}");
    let url = match node.text() {
        Some(_) => Some(node),
        None => {
            shape::check(node, &TARGET, &path, report);
            node.get("url")
        }
    };
    let binding = node
        .get("binding")
        .and_then(Node::text)
        .unwrap_or_default()
        .to_owned();
    match (url, binding.is_empty()) {
        (Some(url), true) => match upstream::absolute(url.text()?) {
            Ok(base) if base.query().is_none() && base.fragment().is_none() => {
                Some(Target::Url(base))
            }
            Ok(_) => {
                report.error(
                    Code::UPSTREAM_ADDRESS,
                    url.span,
                    format!("`{path}` has a query or fragment"),
                    "write a scheme, a host and perhaps a port and a base path",
                );
                None
            }
            Err(message) => {
                report.error(
                    Code::UPSTREAM_ADDRESS,
                    url.span,
                    message,
                    "write a URL such as `http://127.0.0.1:9000`",
                );
                None
            }
        },
        (None, false) => Some(Target::Binding(binding)),
        _ => {
            let is_known = |name: &str| matches!(name, "url" | "binding");
            let is_sound = matches!(node.value, Value::Table(_))
                && node.entries().iter().all(|(key, _)| is_known(&key.name));
            if is_sound {
                report.error(Code::UPSTREAM_ADDRESS,
                    node.span,
                    format!("`{path}` needs either `url` or `binding`"),
                    "write a URL, or `{ binding: NAME }` with the name of a service binding in `wrangler.toml`",
                );
            }
            None
        }
    }
}
