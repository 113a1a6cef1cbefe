//! `oauth2_introspection`.

use crate::authenticator::OAuth2Introspection;

use super::super::node::Node;
use super::super::stage::Context;

pub(super) fn read(_config: &Node, _cx: &mut Context<'_>) -> Option<OAuth2Introspection> {
    None
}
