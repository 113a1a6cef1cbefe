//! `policy`: how a policy gets in force that is pushed.

use super::super::code::Code;
use super::super::node::Node;
use super::super::report::Report;
use super::super::shape;
use super::seconds;
use crate::policies::{OnStoreFailure, Policies};

pub(super) fn read(node: &Node, report: &mut Report) -> Policies {
    let default = Policies::default();
    let never = node.get("refresh").and_then(Node::text) == Some(shape::NEVER);
    let refresh = default
        .refresh
        .filter(|_| !never)
        .map(|default| seconds(node, "refresh", default, report));
    if refresh == Some(0) {
        report.error(
            Code::POLICY_REFRESH,
            node.key_span("refresh"),
            "`policy.refresh` is 0, so the store would be asked for every request",
            "write how long an instance may go by the policy that it knows, `1s` or more, or `never`",
        );
    }
    Policies {
        refresh,
        on_store_failure: match node.get("on_store_failure").and_then(Node::text) {
            Some("refuse") => OnStoreFailure::Refuse,
            _ => default.on_store_failure,
        },
    }
}
