//! `cookie_session`.

use crate::authenticator::{Bearer, CookieSession};

use super::super::node::Node;
use super::super::stage::Context;
use super::session_check;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<CookieSession> {
    Some(CookieSession {
        check: session_check::read(config, "subject", cx)?,
        only: config.texts_at("only"),
        bearer: Bearer::SessionToken,
    })
}
