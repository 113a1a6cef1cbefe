//! `scope_strategy`.

use crate::authenticator::ScopeStrategy;

use super::super::node::Node;

/// Reads how scopes are compared. What is none of these is told where the keys are checked.
pub(super) fn read(config: &Node) -> ScopeStrategy {
    match config.text_at("scope_strategy").as_str() {
        "exact" => ScopeStrategy::Exact,
        "hierarchic" => ScopeStrategy::Hierarchic,
        "wildcard" => ScopeStrategy::Wildcard,
        _ => ScopeStrategy::None,
    }
}
