//! `remote`.

use crate::authorizer::Remote;

use super::super::node::Node;
use super::super::stage::Context;
use super::super::{retry, upstream};
use super::question;

pub(super) fn read(config: &Node, cx: &mut Context<'_>) -> Option<Remote> {
    let headers = question::headers(config, cx);
    let forward_response_headers_to_upstream = question::forwarded(config, cx);
    Some(Remote {
        endpoint: upstream::endpoint(config.get("remote")?, super::SERVICE, cx)?,
        headers,
        forward_response_headers_to_upstream,
        retry: retry::read(config.get("retry"), cx),
    })
}
