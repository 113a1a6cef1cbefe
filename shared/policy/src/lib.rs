//! Oathkeeper's configuration and access rules, read, checked and compiled.
//!
//! An operator's files go through `compile` (the feature of that name) once, on their machine; what comes out is a
//! [`document::Policy`], and that is all the gateway knows. It is JSON, and its parts are types that cannot be wrong:
//! an [`allowlist::Email`] is an address, a [`cors::OriginPattern`] has no wildcard inside a label.
//!
//! ```
//! # #[cfg(feature = "compile")] {
//! use std::collections::BTreeMap;
//!
//! use edgekeeper_policy::compile::{Options, compile};
//! use edgekeeper_policy::document::Policy;
//!
//! let config = "
//! access_rules: { repositories: [file://./rules.yml] }
//! authenticators: { anonymous: { enabled: true } }
//! authorizers: { allow: { enabled: true } }
//! mutators: { noop: { enabled: true } }
//! ";
//! let rules = "
//! - id: docs
//!   match: { url: 'https://app.example.com/docs/<.*>', methods: [GET] }
//!   authenticators: [{ handler: anonymous }]
//!   authorizer: { handler: allow }
//!   mutators: [{ handler: noop }]
//!   upstream: { url: 'http://docs-svc' }
//! ";
//! let files = BTreeMap::from([
//!     ("oathkeeper.yml".to_owned(), config.to_owned()),
//!     ("rules.yml".to_owned(), rules.to_owned()),
//! ]);
//! let options = Options { config: "oathkeeper.yml".to_owned(), ..Options::default() };
//! let (policy, warnings) = compile(&files, &options).expect("these files are right");
//! assert!(warnings.is_empty());
//! assert_eq!(Policy::from_json(&policy.to_json()?)?, policy);
//! # }
//! # Ok::<(), edgekeeper_policy::document::DocumentError>(())
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

pub mod allowlist;
pub mod api;
pub mod authenticator;
pub mod authorizer;
#[cfg(feature = "compile")]
pub mod compile;
pub mod cors;
pub mod document;
pub mod endpoint;
pub mod error_handler;
pub mod fault;
pub mod hop_by_hop;
pub mod host;
pub mod index;
pub mod keys;
pub mod mutator;
pub mod path;
pub mod pattern;
pub mod policies;
pub mod retry;
pub mod return_to;
pub mod rule;
pub mod session;
