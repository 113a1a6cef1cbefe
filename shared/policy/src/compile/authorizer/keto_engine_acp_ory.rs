//! `keto_engine_acp_ory`.

use super::super::code::Code;
use crate::authorizer::KetoEngineAcpOry;

use super::super::config::Strategy;
use super::super::node::{Node, Span};
use super::super::stage::Context;
use super::super::template::{self, Position};
use super::super::upstream;

/// How policies can be compared.
pub(in crate::compile) const FLAVORS: [&str; 3] = ["exact", "glob", "regex"];

pub(super) fn read(config: &Node, span: Span, cx: &mut Context<'_>) -> Option<KetoEngineAcpOry> {
    for name in ["required_action", "required_resource", "subject"] {
        if let Some(node) = config.get(name) {
            template::check(name, node, Position::BeforeToken, cx);
        }
    }
    let flavor = match config.text_at("flavor") {
        text if text.is_empty() => "regex".to_owned(),
        text => text,
    };
    if let Some(node) = config.get("flavor")
        && !FLAVORS.contains(&flavor.as_str())
    {
        let message = format!("`flavor` cannot be `{flavor}`: Keto has no engine of that name");
        let help = "allowed are `exact`, `glob`, `regex`";
        cx.refuse(Code::UNKNOWN_VALUE, node.span, message, help);
    }
    let required_action = required("required_action", config, cx)?;
    let required_resource = required("required_resource", config, cx)?;
    let without_regexp = matches!(cx.config.strategy, Some(Strategy::Glob));
    if without_regexp && !cx.told_keto_glob {
        cx.told_keto_glob = true;
        cx.report.warning(Code::KETO_ENGINE_GLOB,
            span,
            "with the matching strategy `glob`, Oathkeeper's `keto_engine_acp_ory` answers 500 to every request",
            "ask today's Keto with `keto`; by default this gateway asks the old one all the same",
        );
    }
    let mut endpoint = upstream::endpoint(config.get("base_url")?, super::KETO, cx)?;
    endpoint.url = below(&endpoint.url, &format!("engines/acp/ory/{flavor}/allowed"));
    Some(KetoEngineAcpOry {
        endpoint,
        required_action,
        required_resource,
        subject: config.text_at("subject"),
        without_regexp,
    })
}

/// A template without which Oathkeeper asks about `unset`.
fn required(name: &str, config: &Node, cx: &mut Context<'_>) -> Option<String> {
    let node = config.get(name)?;
    Some(match node.text()? {
        "" => {
            cx.refuse(Code::KETO_QUESTION,
                node.span,
                format!("`{name}` is empty, so Oathkeeper would ask about `unset`"),
                "write what is asked about, such as `get` or `res:{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}`",
            );
            "unset".to_owned()
        }
        text => text.to_owned(),
    })
}

/// A path below a base URL, whose query is kept.
pub(super) fn below(base: &str, path: &str) -> String {
    let (base, query) = match base.split_once('?') {
        Some((base, query)) => (base, format!("?{query}")),
        None => (base, String::new()),
    };
    format!("{}/{path}{query}", base.trim_end_matches('/'))
}
