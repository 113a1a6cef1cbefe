//! `keto`.

use super::super::code::Code;
use crate::authorizer::{Keto, Relation, Subject};

use super::super::node::{Node, Span};
use super::super::stage::Context;
use super::super::template::{self, Position};
use super::super::upstream;
use super::keto_engine_acp_ory::below;

/// Where Keto answers checks.
const CHECK: &str = "relation-tuples/check";

pub(super) fn read(config: &Node, span: Span, cx: &mut Context<'_>) -> Option<Keto> {
    let relation = relation(config, "", cx);
    let subject = match (config.get("subject"), config.get("subject_set")) {
        (Some(_), Some(set)) => {
            cx.report.error(
                Code::KETO_QUESTION,
                set.span,
                "both `subject` and `subject_set` are written",
                "take one of them out; without either, the authenticated subject is asked about",
            );
            None
        }
        (None, Some(set)) => self::relation(set, "subject_set.", cx).map(Subject::Set),
        (Some(node), None) => {
            let id = template_at(node, "subject", cx);
            id.map(Subject::Id)
        }
        (None, None) => Some(Subject::Id("{{ print .Subject }}".to_owned())),
    };
    let Some(base) = config.get("base_url") else {
        // The rest was told by whoever looked for required keys.
        cx.report.incomplete(span);
        return None;
    };
    let mut endpoint = upstream::endpoint(base, super::KETO, cx)?;
    endpoint.url = below(&endpoint.url, CHECK);
    Some(Keto {
        endpoint,
        relation: relation?,
        subject: subject?,
    })
}

fn relation(config: &Node, path: &str, cx: &mut Context<'_>) -> Option<Relation> {
    let mut part = |name: &str| match config.get(name) {
        Some(node) => template_at(node, &format!("{path}{name}"), cx),
        None => {
            if !path.is_empty() {
                cx.report.error(
                    Code::KETO_QUESTION,
                    config.span,
                    format!("`{path}{name}` is missing"),
                    "a subject set has `namespace`, `object` and `relation`",
                );
            }
            None
        }
    };
    let (namespace, object, relation) = (part("namespace"), part("object"), part("relation"));
    Some(Relation {
        namespace: namespace?,
        object: object?,
        relation: relation?,
    })
}

fn template_at(node: &Node, name: &str, cx: &mut Context<'_>) -> Option<String> {
    template::check(name, node, Position::BeforeToken, cx);
    let text = node.text()?;
    if text.is_empty() {
        cx.report.error(Code::KETO_QUESTION,
            node.span,
            format!("`{name}` is empty, so Keto could only refuse"),
            "write a name, or a template such as `{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}`",
        );
    }
    Some(text.to_owned())
}
