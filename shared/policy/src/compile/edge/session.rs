//! `session`: how sessions are checked, and how long an answer is believed.

use super::super::code::Code;
use super::super::node::Node;
use super::super::report::Report;
use super::{seconds, secret_name};
use crate::session::Session;

pub(super) fn read(node: &Node, strict: bool, report: &mut Report) -> Session {
    let default = Session::default();
    let session = Session {
        ttl: seconds(node, "ttl", default.ttl, report),
        stale_while_revalidate: seconds(
            node,
            "stale_while_revalidate",
            default.stale_while_revalidate,
            report,
        ),
        stale_if_error: seconds(node, "stale_if_error", default.stale_if_error, report),
        timeout: seconds(node, "timeout", default.timeout, report),
        negative_ttl: seconds(node, "negative_ttl", default.negative_ttl, report),
        max_entries: size(node, "max_entries", default.max_entries, report),
        max_bytes: size(node, "max_bytes", default.max_bytes, report),
        cookies: match node.get("cookies") {
            Some(_) => node.texts_at("cookies"),
            None => default.cookies,
        },
        revocation_check: seconds(node, "revocation_check", default.revocation_check, report),
        revocation_secret: secret_name(
            node,
            "revocation_secret",
            "session.revocation_secret",
            "REVOCATION_SECRET",
            report,
        ),
        sealed_cookie: node.flag_at("sealed_cookie", false),
    };
    if session.revocation_check == 0 {
        report.error(Code::SESSION_BOUND,
            node.key_span("revocation_check"),
            "`session.revocation_check` is 0, so the store would be asked for every request",
            "write how long an instance may go by what it knows of revocations, such as `5s`; `ttl: 0s` asks Kratos for every request",
        );
    }
    if session.sealed_cookie && strict {
        report.error(Code::SEALED_COOKIE_STRICT,
            node.key_span("sealed_cookie"),
            "`session.sealed_cookie` is not there in strict mode, which sends on every cookie as it is",
            "take it out, or `mode: strict`",
        );
    }
    if session.timeout == 0 {
        report.error(
            Code::SESSION_BOUND,
            node.key_span("timeout"),
            "`session.timeout` is 0, so no session could ever be checked",
            "write how long whoami may take, such as `5s`",
        );
    }
    if session.cookies.is_empty() {
        report.error(
            Code::NO_SESSION_COOKIE,
            node.key_span("cookies"),
            "`session.cookies` is empty, so no session could ever be found",
            "name Kratos' session cookie, or take the key out for `ory_kratos_session`",
        );
    }
    session
}

fn size(node: &Node, name: &str, default: usize, report: &mut Report) -> usize {
    let Some((item, number)) = node
        .get(name)
        .and_then(|item| Some((item, item.integer()?)))
    else {
        return default;
    };
    match usize::try_from(number) {
        Ok(number) if number > 0 => number,
        _ => {
            report.error(
                Code::SESSION_BOUND,
                item.span,
                format!("`{name}` cannot be {number}"),
                "write a number above 0",
            );
            default
        }
    }
}
