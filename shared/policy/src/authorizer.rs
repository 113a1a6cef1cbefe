//! Authorizers of a rule, configured.

use serde::{Deserialize, Serialize};

use crate::allowlist::Allowlist;

/// May they? One entry of a rule's `authorizer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "handler", rename_all = "snake_case")]
pub enum Authorizer {
    /// Everybody who got this far.
    Allow,
    /// Nobody.
    Deny,
    /// Those on a list of e-mails, domains or subjects.
    Allowlist(Allowlist),
}
