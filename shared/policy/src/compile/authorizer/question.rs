//! What `remote` and `remote_json` have in common: the headers of a question, and those of its answer.

use super::super::code::Code;
use crate::hop_by_hop::HOP_BY_HOP;

use super::super::header;
use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::{self, Position};

/// Headers that say where a request goes or how long it is: setting them has no effect, in Oathkeeper neither.
const WITHOUT_EFFECT: [&str; 2] = ["host", "content-length"];

/// `headers`: what the service is told besides.
pub(super) fn headers(config: &Node, cx: &mut Context<'_>) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (key, node) in config.get("headers").map(Node::entries).unwrap_or_default() {
        let (Some(name), Some(text)) = (header::name(&key.name, key.span, cx.report), node.text())
        else {
            continue;
        };
        template::check(&key.name, node, Position::BeforeToken, cx);
        if WITHOUT_EFFECT.contains(&name.as_str()) {
            cx.report.warning(
                Code::NO_EFFECT,
                key.span,
                format!("setting `{}` has no effect", key.name),
                "take it out; it follows from the URL and the body",
            );
            continue;
        }
        if HOP_BY_HOP.contains(&name.as_str()) {
            let message = format!("`{}` belongs to the connection and cannot be set", key.name);
            let help = "take it out";
            cx.refuse(Code::INVALID_HEADER, key.span, message, help);
            continue;
        }
        if headers
            .iter()
            .any(|(known, _)| known.eq_ignore_ascii_case(&name))
        {
            cx.refuse(
                Code::DUPLICATE_HEADER,
                key.span,
                format!("`{}` is set twice", key.name),
                "case makes no difference in names of headers; take one of them out",
            );
        }
        headers.push((key.name.clone(), text.to_owned()));
    }
    headers
}

/// `forward_response_headers_to_upstream`, in lower case.
pub(super) fn forwarded(config: &Node, cx: &mut Context<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in config.items_at("forward_response_headers_to_upstream") {
        let Some(text) = item.text() else { continue };
        let mark = cx.report.mark();
        let name = header::for_upstream(text, item.span, cx.report);
        if cx.strict {
            // Oathkeeper sets it, which no runtime here does.
            cx.report.soften(mark);
        }
        names.extend(
            name.filter(|name| !WITHOUT_EFFECT.contains(&name.as_str()) && !names.contains(name)),
        );
    }
    names
}
