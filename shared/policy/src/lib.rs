//! Oathkeeper's configuration and access rules, read, checked and compiled.
//!
//! An operator's files go through `compile` (feature of that name) once, on their machine; what comes out is a
//! [`document::Policy`], and that is all the gateway knows.

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
pub mod authenticator;
pub mod authorizer;
#[cfg(feature = "compile")]
pub mod compile;
pub mod cors;
pub mod document;
pub mod error_handler;
pub mod host;
pub mod index;
pub mod keys;
pub mod mutator;
pub mod path;
pub mod pattern;
pub mod return_to;
pub mod rule;
pub mod session;
