//! `cookie`.

use crate::mutator::Cookie;

use super::super::node::Node;
use super::super::stage::Context;
use super::super::template::Position;

pub(super) fn read(_config: &Node, _position: Position, _cx: &mut Context<'_>) -> Option<Cookie> {
    None
}
