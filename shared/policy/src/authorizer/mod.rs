//! Authorizers of a rule, configured: one file each.

mod keto;
mod keto_engine_acp_ory;
mod remote;
mod remote_json;

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

use crate::allowlist::Allowlist;

pub use keto::{Keto, Relation, Subject};
pub use keto_engine_acp_ory::KetoEngineAcpOry;
pub use remote::Remote;
pub use remote_json::RemoteJson;

/// May they? One entry of a rule's `authorizer`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Authorizer {
    /// Everybody who got this far.
    Allow,
    /// Nobody.
    Deny,
    /// Those on a list of e-mails, domains or subjects.
    Allowlist(Allowlist),
    /// Whoever a service allows that is shown the request's body.
    Remote(Box<Remote>),
    /// Whoever a service allows that is shown a JSON document.
    RemoteJson(Box<RemoteJson>),
    /// Whoever Keto before version 0.6 allows.
    KetoEngineAcpOry(Box<KetoEngineAcpOry>),
    /// Whoever has a relation in Keto.
    Keto(Box<Keto>),
    /// Fails (strict mode).
    Broken(Fault),
}
