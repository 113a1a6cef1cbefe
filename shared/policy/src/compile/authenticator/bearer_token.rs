//! `bearer_token`.

use super::super::code::Code;
use crate::authenticator::BearerToken;

use super::super::node::Node;
use super::super::stage::Context;
use super::{session_check, token_from};

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<BearerToken> {
    let check = session_check::read(config, "sub", cx)?;
    let whoami = check.endpoint.url.split('?').next();
    if !cx.strict
        && config.text_at("subject_from").is_empty()
        && whoami.is_some_and(|url| url.ends_with("/sessions/whoami"))
        && let Some(node) = config.get("check_session_url")
    {
        cx.report.warning(Code::SUBJECT_NOT_IN_WHOAMI,
            node.span,
            "Kratos' whoami has no `sub`, where `bearer_token` looks for the subject, so nobody gets in",
            "write `subject_from: identity.id` beside it",
        );
    }
    Some(BearerToken {
        check,
        token_from: token_from::read(config, cx)?,
        prefix: config.text_at("prefix"),
    })
}
