//! The gateway as an adapter sees it: requests go in, decisions come out, and the world around is memory.
//!
//! [`memory`] implements all that an adapter must, so these tests show that the trait is enough. Each module is one
//! promise; an attack from `attacks.md` is named by its ID.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects
)]

mod component;
mod memory;
mod policy;
mod site;
mod tokens;

mod allowlist;
mod authenticators;
mod bearer_token;
mod coalescing;
mod cookie_session;
mod cors;
mod cookie;
mod decisions;
mod endpoints;
mod error_handlers;
mod freshness;
mod garbage;
mod header;
mod id_token;
mod identity;
mod hydrator;
mod keys;
mod kratos_fails;
mod log;
mod matching;
mod oathkeeper;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod proxies;
mod redirect;
mod request;
mod response;
mod rules;
mod second_tier;
mod upstream;
mod remote;
mod remote_json;
mod www_authenticate;
