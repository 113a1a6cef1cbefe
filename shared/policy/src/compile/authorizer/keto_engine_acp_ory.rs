//! `keto_engine_acp_ory`.

use crate::authorizer::KetoEngineAcpOry;

use super::super::node::Node;
use super::super::stage::Context;

pub(super) fn read(_config: &Node, _cx: &mut Context<'_>) -> Option<KetoEngineAcpOry> {
    None
}
