//! One request's way through the gateway, from what a runtime hands over to what it is to do.
//!
//! The core does no I/O. A [`runtime::Runtime`] gives it time, randomness, requests of its own and a key-value
//! store; [`Gateway::decide`] turns a [`request::RawRequest`] into a [`decision::Decision`]: an answer, or the
//! changes to apply before the request goes on. The body is never touched, so it streams.
//!
//! The order is always the same: canonical [`request`], own [`endpoints`](crate::Gateway), hosts, CORS, matching,
//! authenticators, authorizer, mutators, upstream; errors are told by the error handlers. Each handler of a rules
//! file is one file here, under its own name. Why it was decided so, the same code tells as an [`explanation`], to a runtime that asks.
//!
//! ```
//! use edgekeeper_gateway::Gateway;
//! use edgekeeper_policy::document::Policy;
//!
//! let policy = Policy::from_json(r#"{"format":2,"errors":[{"kind":{"json":{}}}],"rules":[]}"#)?;
//! let gateway = Gateway::new(policy)?;
//! assert!(gateway.policy().rules.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::arithmetic_side_effects
    )
)]

pub mod authentication;
pub mod decision;
pub mod explanation;
pub mod keys;
pub mod match_context;
pub mod operator;
pub mod path;
pub mod policies;
pub mod problem;
pub mod refusal;
pub mod request;
pub mod runtime;
pub mod trace;

mod answers;
mod authenticators;
mod authorizers;
mod basic;
mod body;
mod bounded;
mod complaints;
mod cors;
mod deployment;
mod endpoints;
mod errors;
mod gateway;
mod go_json;
mod grant;
mod hop_by_hop;
mod identity;
mod jwks;
mod loaded;
mod matching;
mod memory;
mod mutators;
mod news;
mod outbound;
mod passage;
mod patience;
mod query;
mod rate_limit;
mod redirect;
mod response;
mod retry;
mod revocations;
mod sealed_cookie;
mod second_tier;
mod sweep;
mod told;
mod upstream;
mod view;
mod whoami;

pub use deployment::Deployment;
pub use gateway::Gateway;
