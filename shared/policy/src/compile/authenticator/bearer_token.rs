//! `bearer_token`.

use crate::authenticator::BearerToken;

use super::super::node::Node;
use super::super::stage::Context;

pub(super) fn read(_config: &Node, _cx: &mut Context<'_>) -> Option<BearerToken> {
    None
}
