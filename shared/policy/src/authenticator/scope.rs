//! How required scopes are compared with granted ones.

use serde::{Deserialize, Serialize};

/// `scope_strategy`, as Ory's fosite defines them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScopeStrategy {
    /// Not compared here: the authorization server does, or nobody.
    #[default]
    None,
    /// They are equal.
    Exact,
    /// `a` grants `a.b`.
    Hierarchic,
    /// `a.*` grants `a.b.c`.
    Wildcard,
}
