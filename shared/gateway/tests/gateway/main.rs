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
mod explaining;
mod fleet;
mod foreign;
mod memory;
mod policy;
mod pushed;
mod site;
mod tokens;

mod allowlist;
mod authenticators;
mod bearer_token;
mod broken;
mod coalescing;
mod cookie;
mod cookie_session;
mod cors;
mod decisions;
mod decisions_strict;
mod deployment;
mod endpoints;
mod error_handlers;
mod explanation;
mod freshness;
mod garbage;
mod header;
mod hydrator;
mod id_token;
mod identity;
mod imported_keys;
mod inquiry;
mod jwks;
mod jwt;
mod keto;
mod keys;
mod kratos_fails;
mod log;
mod match_context;
mod matching;
mod near_misses;
mod oathkeeper;
mod oauth2_client_credentials;
mod oauth2_introspection;
mod policy_endpoint;
mod proxies;
mod redirect;
mod remote;
mod remote_json;
mod request;
mod response;
mod revocations;
mod revoke;
mod rules;
mod sealed_cookie;
mod second_tier;
mod server_timing;
mod session_check;
mod signatures;
mod slow_store;
mod succession;
mod tokenize;
mod upstream;
mod without_claims;
mod www_authenticate;
