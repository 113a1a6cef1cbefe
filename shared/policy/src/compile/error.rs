//! `errors.fallback` and `errors` of a rule.

use super::code::Code;
use crate::error_handler::{ErrorHandler, ErrorHandlerKind, ErrorKind, When};

use crate::fault::Fault;

use super::handler::{self, Stage};
use super::node::{Node, Value};
use super::stage::{self, Context, Use};

/// Configures an error handler.
pub(super) fn read(used: &Use, cx: &mut Context<'_>) -> Option<ErrorHandler> {
    let when = when(&used.config, cx);
    let kind = match used.handler.name {
        "json" => ErrorHandlerKind::Json {
            verbose: used.config.flag_at("verbose", false),
        },
        "redirect" => redirect(&used.config, cx)?,
        "www_authenticate" => ErrorHandlerKind::WwwAuthenticate {
            realm: match used.config.text_at("realm") {
                realm if realm.is_empty() => "Please authenticate.".to_owned(),
                realm => realm,
            },
        },
        _ => return None,
    };
    Some(ErrorHandler { kind, when })
}

/// An error handler that Oathkeeper fails to run, before its `when` is looked at.
pub(super) fn broken(fault: Fault) -> ErrorHandler {
    ErrorHandler {
        kind: ErrorHandlerKind::Broken(fault),
        when: Vec::new(),
    }
}

/// Reads `errors.fallback`, by default `json` alone.
pub(super) fn fallback(cx: &mut Context<'_>) -> Vec<ErrorHandler> {
    let default;
    let entries = match cx.config.fallback() {
        Some(node) => node.items(),
        None => {
            let span = handler::find(Stage::Error, "json").map(|json| cx.config.handler_span(json));
            default = span.map(|span| Node::new(Value::Text("json".to_owned()), span));
            default.as_slice()
        }
    };
    let mut handlers = Vec::new();
    for entry in entries {
        let mark = cx.report.mark();
        let Ok(handler) = stage::named(Stage::Error, entry, cx) else {
            if cx.strict {
                cx.report.soften(mark);
                handlers.push(disabled(entry.text().unwrap_or_default()));
            }
            continue;
        };
        let config = match cx.config.handler_config(handler) {
            Some(config) => config.clone(),
            None => Node::new(Value::Table(Vec::new()), entry.span),
        };
        let used = Use {
            handler,
            config,
            span: entry.span,
        };
        cx.redirects |= handler.name == "redirect";
        handlers.extend(read(&used, cx));
    }
    if let Some(node) = cx.config.fallback()
        && node.items().is_empty()
    {
        cx.report.error(
            Code::EMPTY_FALLBACK,
            node.span,
            "`errors.fallback` is empty, so there is no answer to a refusal",
            "write `[json]`, or take the key out",
        );
    }
    handlers
}

/// A fallback that is not there. Oathkeeper does not look at the ones after it.
fn disabled(name: &str) -> ErrorHandler {
    broken(Fault::internal(format!(
        "Fallback error handler \"{name}\" was requested but is disabled or unknown. This is a configuration issue and should be reported to the administrator."
    )))
}

fn redirect(config: &Node, cx: &mut Context<'_>) -> Option<ErrorHandlerKind> {
    let node = config.get("to")?;
    let to = node.text()?;
    if to
        .bytes()
        .any(|byte| byte <= b' ' || byte == 0x7f || byte == b'\\')
    {
        cx.report.error(
            Code::REDIRECT_TARGET,
            node.span,
            "`to` has a space, a backslash or a control character in it",
            "write a URL such as `https://kratos.example.com/self-service/login/browser`",
        );
    }
    if to.contains("%s") {
        if cx.strict {
            cx.report.warning(
                Code::REDIRECT_PERCENT_S,
                node.span,
                "`to` has a `%s`, which Oathkeeper sends to the browser as it is",
                "take it out and write `return_to_query_param: return_to`",
            );
        } else {
            cx.report.warning(Code::REDIRECT_PERCENT_S,
                node.span,
                "`to` has a `%s`, which Oathkeeper does not fill in; here it becomes the URL to return to",
                "take it out and write `return_to_query_param: return_to`, which both understand",
            );
        }
    }
    let code = config
        .get("code")
        .and_then(|node| Some((node, node.integer()?)));
    let code = match code {
        None | Some((_, 302)) => 302,
        Some((_, 301)) => 301,
        Some((node, other)) => {
            cx.report.error(
                Code::REDIRECT_CODE,
                node.span,
                format!("`code` cannot be {other}"),
                "write 302, or 301 for a redirect that browsers remember for good",
            );
            302
        }
    };
    let return_to_query_param = config.text_at("return_to_query_param");
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b",._~-".contains(&byte);
    if !return_to_query_param.bytes().all(is_plain) {
        let span = config
            .get("return_to_query_param")
            .map_or(config.span, |node| node.span);
        cx.report.error(
            Code::RETURN_TO_PARAMETER,
            span,
            format!("`return_to_query_param` cannot be `{return_to_query_param}`"),
            "write the name of a query parameter, as a rule `return_to`",
        );
    }
    Some(ErrorHandlerKind::Redirect {
        to: to.to_owned(),
        code,
        return_to_query_param,
    })
}

fn when(config: &Node, cx: &mut Context<'_>) -> Vec<When> {
    config
        .items_at("when")
        .iter()
        .map(|entry| {
            let request = entry.get("request");
            if let Some(request) = request
                && request.get("cidr").is_some()
            {
                let span = request.key_span("cidr");
                let message = "Oathkeeper ignores `request.cidr` without a word, so this handler would answer everybody";
                cx.refuse(Code::CIDR_IGNORED, span, message, "take it out, or tell requests apart by `request.header`; in strict mode it is ignored here, too");
            }
            let header = request.and_then(|request| request.get("header"));
            let media_types = |name: &str| {
                header
                    .map(|header| header.texts_at(name))
                    .unwrap_or_default()
            };
            When {
                error: entry
                    .items_at("error")
                    .iter()
                    .filter_map(|kind| match kind.text()? {
                        "unauthorized" => Some(ErrorKind::Unauthorized),
                        "forbidden" => Some(ErrorKind::Forbidden),
                        "not_found" => Some(ErrorKind::NotFound),
                        "internal_server_error" => Some(ErrorKind::InternalServerError),
                        _ => None,
                    })
                    .collect(),
                accept: media_types("accept"),
                content_type: media_types("content_type"),
            }
        })
        .collect()
}
