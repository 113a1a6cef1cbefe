//! `cookie_session`.

use crate::authenticator::{Bearer, CookieSession};

use super::super::code::Code;
use super::super::node::Node;
use super::super::stage::Context;
use super::session_check;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<CookieSession> {
    if cx.thorough && cx.report.is_in_rule() && config.items_at("only").is_empty() {
        cx.report.note(
            Code::ONLY_MISSING,
            config.span,
            "`cookie_session` has no `only`: Oathkeeper asks Kratos about every request that has a cookie, whichever it is",
            "write `only: [ory_kratos_session]`; here that is what counts without it, except in strict mode",
        );
    }
    Some(CookieSession {
        check: session_check::read(config, "subject", cx)?,
        only: config.texts_at("only"),
        bearer: Bearer::SessionToken,
    })
}
