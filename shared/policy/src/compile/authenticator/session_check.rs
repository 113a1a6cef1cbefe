//! What `cookie_session` and `bearer_token` have in common.

use std::collections::BTreeMap;

use super::super::code::Code;
use crate::authenticator::SessionCheck;
use crate::path::GjsonPath;

use super::super::header;
use super::super::node::Node;
use super::super::report::Report;
use super::super::stage::Context;
use super::super::upstream;

/// Reads how a session is asked about; `subject_from` is where the subject is unless the configuration says otherwise.
pub(super) fn read(
    config: &Node,
    subject_from: &str,
    cx: &mut Context<'_>,
) -> Option<SessionCheck> {
    let extra_from = gjson(config, "extra_from", "extra", cx.report);
    let subject_from = gjson(config, "subject_from", subject_from, cx.report);
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
            Code::INVALID_METHOD,
            span,
            format!("`force_method` cannot be `{force_method}`"),
            "write a method such as `GET`",
        );
    }
    let endpoint = upstream::endpoint(
        config.get("check_session_url")?,
        "write where Kratos answers whoami, such as `http://kratos-public:4433/sessions/whoami`",
        cx,
    )?;
    Some(SessionCheck {
        endpoint,
        // Oathkeeper puts the request's path in place of whoami's unless told otherwise, which no Kratos answers.
        preserve_path: config.flag_at("preserve_path", !cx.strict),
        preserve_query: config.flag_at("preserve_query", true),
        preserve_host: config.flag_at("preserve_host", false),
        force_method,
        forward_http_headers,
        additional_headers,
        tokenize_as: None,
        extra_from: extra_from?,
        subject_from: subject_from?,
    })
}

fn gjson(config: &Node, name: &str, default: &str, report: &mut Report) -> Option<GjsonPath> {
    let text = config.text_at(name);
    let text = if text.is_empty() { default } else { &text };
    match GjsonPath::parse(text) {
        Ok(path) => Some(path),
        Err(error) => {
            let span = config.get(name).map_or(config.span, |node| node.span);
            report.error(Code::SESSION_PATH,
                span,
                format!("`{name}` cannot be `{text}`: {error}"),
                "write a path into whoami's answer, such as `identity.id`, or `@this` for all of it",
            );
            None
        }
    }
}
