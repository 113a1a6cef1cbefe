//! `jwks_urls` and `jwks_url`: where sets of keys are.

use crate::endpoint::Endpoint;

use super::node::Node;
use super::stage::Context;
use super::upstream;

/// How a set begins that `edgekeeper keys import` puts into the key-value store under its URL: files do not travel with
/// the policy.
const FILE: &str = "file://";

/// Reads the URL of a set; `help` says what to write instead of a wrong one.
pub(super) fn endpoint(node: &Node, help: &str, cx: &mut Context<'_>) -> Option<Endpoint> {
    let url = node.text()?;
    if url.starts_with(FILE) {
        return Some(Endpoint {
            url: url.to_owned(),
            binding: None,
        });
    }
    upstream::endpoint(node, help, cx)
}
