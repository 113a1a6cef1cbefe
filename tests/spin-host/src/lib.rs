//! A stand-in for `spin up` in tests, where no `spin` can be had: it runs the same components,
//! from the same manifest, with the same options, on the same engine (Wasmtime).
//!
//! README.md says what it does as Spin and what it does not. How a request goes:
//! [`server`] takes it and picks a route, [`instance`] runs the component, which sends
//! requests through [`outbound`] and uses [`key_value`] and [`variables`].

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

pub mod allowed_hosts;
pub mod application;
pub mod arguments;
pub mod bindings;
pub mod instance;
pub mod key_value;
pub mod manifest;
pub mod mounts;
pub mod outbound;
pub mod route;
pub mod runtime_config;
pub mod server;
pub mod template;
pub mod variables;
